//! The confusion matrix and the most confident mistakes of a trained network.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use onebit_data::{Dataset, Samples};
use onebit_model::best;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// Samples in a batch.
const BATCH: usize = 256;

/// Maximum number of mistakes to keep.
const MISTAKES: usize = 24;

/// Maximum number of features of a mistake that is not an image.
const VALUES: usize = 16;

/// A confusion matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Part of the data: `test`, `validation` or `train`.
    pub part: String,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// `counts[label][predicted]`.
    pub counts: Vec<Vec<usize>>,
}

/// A sample that was classified incorrectly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Row in that part of the data.
    pub row: usize,
    /// True class.
    pub label: usize,
    /// Predicted class.
    pub predicted: usize,
    /// Score of the predicted class minus the score of the true class.
    pub margin: f32,
    /// Pixels as bytes in base64, for images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<String>,
    /// First 16 features, for other data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<f32>,
}

/// The confusion matrix and the most confident mistakes of a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Examination {
    /// Confusion matrix.
    pub confusion: Confusion,
    /// The 24 mistakes with the largest margins, largest first.
    pub mistakes: Vec<Mistake>,
}

/// Examines a network on a part of the data; `scores` maps row indices to scores `(b, o)`.
///
/// ```
/// use onebit_train::{data, record::examine};
///
/// let iris = data::iris(); // 50 flowers of each class
/// let always_first = |rows: &[usize]| Ok(rows.iter().flat_map(|_| [1.0, 0.0, 0.0]).collect());
/// let found = examine("test", &iris, always_first)?;
/// assert_eq!(found.confusion.counts, [[50, 0, 0], [50, 0, 0], [50, 0, 0]]);
/// assert_eq!((found.mistakes.len(), found.mistakes[0].margin), (24, 1.0));
/// # Ok::<(), onebit_train::Error>(())
/// ```
///
/// # Errors
/// Returns the errors of `scores`.
pub fn examine(
    part: &str,
    data: &Dataset,
    mut scores: impl FnMut(&[usize]) -> Result<Vec<f32>>,
) -> Result<Examination> {
    let classes = data.classes();
    let mut counts = vec![vec![0; classes]; classes];
    let mut mistakes: Vec<Mistake> = Vec::new();
    let rows: Vec<usize> = (0..data.len()).collect();
    for rows in rows.chunks(BATCH) {
        let scores = scores(rows)?;
        for (&row, scores) in rows.iter().zip(scores.chunks_exact(classes)) {
            let (label, predicted) = (data.labels()[row] as usize, best(scores));
            counts[label][predicted] += 1;
            if label != predicted {
                let margin = scores[predicted] - scores[label];
                mistakes.push(Mistake { row, label, predicted, margin, pixels: None, values: vec![] });
            }
        }
        mistakes.sort_by(|a, b| b.margin.total_cmp(&a.margin));
        mistakes.truncate(MISTAKES);
    }
    mistakes.iter_mut().for_each(|mistake| mistake.show(data));
    let confusion = Confusion { part: part.into(), classes: data.label_names().to_vec(), counts };
    Ok(Examination { confusion, mistakes })
}

impl Mistake {
    /// Adds the pixels or the first features.
    fn show(&mut self, data: &Dataset) {
        let values = data.gather(&[self.row]);
        if data.image().is_none() {
            self.values = values.into_iter().take(VALUES).collect();
            return;
        }
        let bytes: Vec<u8> = match data.samples() {
            Samples::Bytes { .. } => values.iter().map(|&v| v as u8).collect(),
            Samples::Real { .. } => {
                let least = values.iter().copied().fold(f32::INFINITY, f32::min);
                let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let scale = 255.0 / (most - least).max(f32::MIN_POSITIVE);
                values.iter().map(|v| ((v - least) * scale) as u8).collect()
            }
        };
        self.pixels = Some(STANDARD.encode(bytes));
    }

    /// Returns the pixels; `None` if the sample is not an image.
    pub fn decode(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.pixels.as_ref()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use onebit_data as data;

    use super::*;

    #[test]
    fn the_largest_mistakes_come_first() {
        let iris = data::iris();
        // everything is a setosa, the more so the larger its first feature
        let found = examine("test", &iris, |rows| {
            Ok(iris.gather(rows).chunks(4).flat_map(|x| [x[0], 0.0, 0.0]).collect())
        });
        let found = found.unwrap();
        assert_eq!(found.confusion.counts, [[50, 0, 0], [50, 0, 0], [50, 0, 0]]);
        assert_eq!(found.mistakes.len(), MISTAKES);
        assert!(found.mistakes.windows(2).all(|w| w[0].margin >= w[1].margin));
        assert_eq!(found.mistakes[0].margin, 7.9);
        assert_eq!((found.mistakes[0].values.len(), found.mistakes[0].pixels.as_ref()), (4, None));
    }

    #[test]
    fn images_come_with_their_pixels() {
        let digits = data::digits();
        let scores =
            |rows: &[usize]| Ok(rows.iter().flat_map(|_| (0..10).map(|class| class as f32)).collect());
        let found = examine("test", &digits, scores).unwrap();
        let mistake = &found.mistakes[0];
        assert_eq!((mistake.label, mistake.predicted), (0, 9));
        assert_eq!(mistake.decode().unwrap().len(), 64);
    }
}
