//! What a trained network takes for what: its confusions and its most confident mistakes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use onebit_data::{Dataset, Samples};
use onebit_model::best;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// Samples scored at once.
const BATCH: usize = 256;

/// Mistakes that are kept at most.
const MISTAKES: usize = 24;

/// Features of a mistake that are kept at most, when it is no image.
const VALUES: usize = 16;

/// How often each class was taken for each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// The part of the data: `test`, `validation` or `train`.
    pub part: String,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// `counts[label][predicted]`.
    pub counts: Vec<Vec<usize>>,
}

/// A sample that was taken for another class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Its row in that part of the data.
    pub row: usize,
    /// Its class.
    pub label: usize,
    /// The class that it was taken for.
    pub predicted: usize,
    /// By how much: the score of that class less that of its own.
    pub margin: f32,
    /// Its pixels as bytes in base64, when it is an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<String>,
    /// Its first features, when it is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<f32>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Examination {
    /// All confusions.
    pub confusion: Confusion,
    /// The mistakes with the largest margins, largest first.
    pub mistakes: Vec<Mistake>,
}

/// Scores all samples of a part of the data by `scores`, which is given rows and returns `(b, o)`.
///
/// # Errors
/// Those of `scores`.
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

    /// The pixels, if it is an image.
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
