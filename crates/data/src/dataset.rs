//! A labelled data set in memory: `samples: (b, i)`, `labels: (b)`, and the names of classes and features.

use std::collections::HashSet;

use onebit_model::Columns;

use crate::{
    error::{DataError, shown},
    image_shape::ImageShape,
    missing::Gaps,
    permutation::permutation,
    samples::Samples,
};

/// Labelled samples. Every value of this type is valid: it has at least one row and one feature, finite
/// numbers, and one label per row, each below the number of classes.
///
/// ```
/// use onebit_data::{Dataset, Samples};
///
/// let samples = Samples::Real { cols: 2, values: vec![0.0, 0.0, 1.0, 1.0] }; // (2, 2)
/// let names = ["low", "high"].map(String::from).to_vec();
/// let corners = Dataset::new(samples, vec![0, 1], names, vec![])?;
/// assert_eq!(corners.gather(&[1, 0]), [1.0, 1.0, 0.0, 0.0]);
/// assert_eq!((corners.len(), corners.features(), corners.classes()), (2, 2, 2));
/// # Ok::<(), onebit_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    pub(crate) samples: Samples,
    labels: Vec<u32>,
    label_names: Vec<String>,
    feature_names: Vec<String>,
    image: Option<ImageShape>,
    pub(crate) columns: Option<Columns>,
    pub(crate) gaps: Gaps,
}

impl Dataset {
    /// Creates a data set. `feature_names` may be empty; then the features have no names.
    ///
    /// # Errors
    /// [`DataError::NoRows`], [`DataError::NoFeatures`]; [`DataError::Length`] if lengths disagree;
    /// [`DataError::NotFinite`]; [`DataError::Label`] for a label without a name;
    /// [`DataError::Duplicate`] if two classes or two features have the same name.
    pub fn new(
        samples: Samples,
        labels: Vec<u32>,
        label_names: Vec<String>,
        feature_names: Vec<String>,
    ) -> Result<Self, DataError> {
        let name = || "data set".to_string();
        let cols = samples.cols();
        if cols == 0 {
            return Err(DataError::NoFeatures { name: name() });
        }
        if labels.is_empty() {
            return Err(DataError::NoRows { name: name() });
        }
        let expected = labels.len().saturating_mul(cols);
        if samples.len() != expected {
            let what = format!("values for {} labels and {cols} features", labels.len());
            return Err(DataError::Length { what, expected, got: samples.len() });
        }
        if !feature_names.is_empty() && feature_names.len() != cols {
            let (what, got) = ("feature names".to_string(), feature_names.len());
            return Err(DataError::Length { what, expected: cols, got });
        }
        if let Samples::Real { values, .. } = &samples
            && let Some(at) = values.iter().position(|value| !value.is_finite())
        {
            let place = format!("row {}, feature {}", at / cols, at % cols);
            return Err(DataError::NotFinite { place, value: values[at].to_string() });
        }
        let classes = label_names.len();
        if let Some(row) = labels.iter().position(|&label| label as usize >= classes) {
            return Err(DataError::Label { row, label: labels[row], classes });
        }
        for (what, names) in [("class", &label_names), ("feature", &feature_names)] {
            if let Some(twice) = first_duplicate(names) {
                return Err(DataError::Duplicate { name: name(), what, twice });
            }
        }
        let gaps = Gaps::default();
        Ok(Self { samples, labels, label_names, feature_names, image: None, columns: None, gaps })
    }

    /// Declares that every row is an image of this shape, channels last.
    ///
    /// # Errors
    /// [`DataError::Length`] unless `h * w * c` is the number of features.
    pub fn with_image(self, shape: ImageShape) -> Result<Self, DataError> {
        let (expected, got) = (shape.features(), self.features());
        if expected != Some(got) {
            let what = format!("features for images of {shape}");
            return Err(DataError::Length { what, expected: expected.unwrap_or(usize::MAX), got });
        }
        Ok(Self { image: Some(shape), ..self })
    }

    /// Records how the columns of a table became the features, and the positions of the values that replace
    /// missing numbers, ascending.
    pub(crate) fn with_columns(self, columns: Columns, gaps: Vec<usize>) -> Self {
        Self { columns: Some(columns), gaps: Gaps(gaps), ..self }
    }

    /// How the columns of a table became the features; `None` if each column is one feature.
    pub fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref()
    }

    /// The shape of the rows, if they are images.
    pub fn image(&self) -> Option<ImageShape> {
        self.image
    }

    /// The same rows with these real numbers, `(b, i)`.
    pub(crate) fn with_values(&self, values: Vec<f32>) -> Result<Self, DataError> {
        let samples = Samples::Real { cols: self.features(), values };
        let (label_names, feature_names) = (self.label_names.clone(), self.feature_names.clone());
        let data = Self::new(samples, self.labels.clone(), label_names, feature_names)?;
        Ok(Self { image: self.image, columns: self.columns.clone(), ..data })
    }

    /// The number of rows, `b`; never 0.
    #[allow(clippy::len_without_is_empty)] // a data set is never empty
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The number of features, `i`.
    pub fn features(&self) -> usize {
        self.samples.cols()
    }

    /// The number of classes, including those without a row.
    pub fn classes(&self) -> usize {
        self.label_names.len()
    }

    /// The samples, `(b, i)`.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The class of each row, `(b)`.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The name of each class.
    pub fn label_names(&self) -> &[String] {
        &self.label_names
    }

    /// The name of each feature; empty if the features have no names.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The number of rows of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes()];
        self.labels.iter().for_each(|&label| counts[label as usize] += 1);
        counts
    }

    /// The numbers of the given rows, `(rows.len(), i)`, row-major.
    ///
    /// # Panics
    /// If a row is not below [`len`](Self::len).
    pub fn gather(&self, rows: &[usize]) -> Vec<f32> {
        let mut x = vec![0.0; rows.len() * self.features()];
        self.gather_into(rows, &mut x);
        x
    }

    /// Writes the numbers of the given rows to `x`, `(rows.len(), i)`.
    ///
    /// # Panics
    /// If a row is not below [`len`](Self::len).
    pub fn gather_into(&self, rows: &[usize], x: &mut [f32]) {
        for (x, &row) in x.chunks_exact_mut(self.features()).zip(rows) {
            self.read_row(row, x);
        }
    }

    /// Writes the bytes of the given rows to `x`, `(rows.len(), i)`; returns false if the samples are not
    /// bytes.
    ///
    /// # Panics
    /// If a row is not below [`len`](Self::len).
    pub fn gather_bytes(&self, rows: &[usize], x: &mut [u8]) -> bool {
        let Samples::Bytes { cols, values } = &self.samples else { return false };
        for (x, &row) in x.chunks_exact_mut(*cols).zip(rows) {
            x.copy_from_slice(&values[row * cols..][..*cols]);
        }
        true
    }

    /// Writes the numbers of one row to `x`, `(i)`.
    pub(crate) fn read_row(&self, row: usize, x: &mut [f32]) {
        match &self.samples {
            Samples::Real { cols, values } => x.copy_from_slice(&values[row * cols..][..*cols]),
            Samples::Bytes { cols, values } => {
                x.iter_mut().zip(&values[row * cols..][..*cols]).for_each(|(x, &byte)| *x = f32::from(byte));
            }
        }
    }

    /// The data set of the given rows, in this order. It keeps all classes, including those without a row.
    ///
    /// # Panics
    /// If `rows` is empty or one of them is not below [`len`](Self::len).
    pub fn subset(&self, rows: &[usize]) -> Dataset {
        assert!(!rows.is_empty(), "a subset needs at least one row");
        Dataset {
            samples: self.samples.select(rows),
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            label_names: self.label_names.clone(),
            feature_names: self.feature_names.clone(),
            image: self.image,
            columns: self.columns.clone(),
            gaps: self.gaps.select(rows, self.features()),
        }
    }

    /// Holds out `round(share * len)` random rows; returns the rest and the held-out rows.
    ///
    /// The held-out rows are the last ones of [`permutation`]`(len, seed)`.
    ///
    /// ```
    /// let (training, held_out) = onebit_data::iris().split(0.2, 42)?;
    /// assert_eq!((training.len(), held_out.len()), (120, 30));
    /// # Ok::<(), onebit_data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError::Split`] unless both sets get at least one row.
    pub fn split(&self, share: f64, seed: u64) -> Result<(Dataset, Dataset), DataError> {
        let held_out = (share * self.len() as f64).round();
        // The comparison is false for a NaN, too.
        if !(1.0 <= held_out && held_out < self.len() as f64) {
            let wanted = format!("a share of {share}");
            return Err(DataError::Split { wanted, rows: self.len() });
        }
        let rows = permutation(self.len(), seed);
        let (rest, last) = rows.split_at(self.len() - held_out as usize);
        Ok((self.subset(rest), self.subset(last)))
    }

    /// Holds out the last `count` rows; returns the rest and the held-out rows.
    ///
    /// # Errors
    /// [`DataError::Split`] unless both sets get at least one row.
    pub fn split_last(&self, count: usize) -> Result<(Dataset, Dataset), DataError> {
        if count == 0 || count >= self.len() {
            return Err(DataError::Split { wanted: count.to_string(), rows: self.len() });
        }
        let rows: Vec<usize> = (0..self.len()).collect();
        let (rest, last) = rows.split_at(self.len() - count);
        Ok((self.subset(rest), self.subset(last)))
    }
}

/// The first name that appears twice, shortened for a message.
pub(crate) fn first_duplicate<'a>(names: impl IntoIterator<Item = &'a String>) -> Option<String> {
    let mut seen = HashSet::new();
    names.into_iter().find(|name| !seen.insert(*name)).map(|name| shown(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    /// Row `r` is `[r, r + 0.5]`, its label `r % 2`.
    fn counting(rows: u32) -> Dataset {
        let values = (0..rows).flat_map(|row| [row as f32, row as f32 + 0.5]).collect();
        let labels = (0..rows).map(|row| row % 2).collect();
        let samples = Samples::Real { cols: 2, values };
        Dataset::new(samples, labels, names(&["even", "odd", "none"]), names(&["n", "half"])).unwrap()
    }

    fn message(samples: Samples, labels: &[u32], classes: &[&str], features: &[&str]) -> String {
        Dataset::new(samples, labels.to_vec(), names(classes), names(features)).unwrap_err().to_string()
    }

    #[test]
    fn what_a_data_set_refuses() {
        let real = |values: &[f32]| Samples::Real { cols: 2, values: values.to_vec() };
        let bytes = |cols| Samples::Bytes { cols, values: vec![] };
        assert_eq!(
            message(bytes(0), &[], &[], &[]),
            "data set: expected at least one feature column, got none"
        );
        assert_eq!(message(bytes(2), &[], &[], &[]), "data set: expected at least one row, got none");
        assert_eq!(
            message(real(&[1.0; 5]), &[0, 0, 0], &["a"], &[]),
            "data set: expected 6 values for 3 labels and 2 features, got 5"
        );
        assert_eq!(
            message(real(&[1.0; 2]), &[0], &["a"], &["x"]),
            "data set: expected 2 feature names, got 1"
        );
        assert_eq!(
            message(real(&[1.0, 2.0, 3.0, f32::INFINITY]), &[0, 0], &["a"], &[]),
            "row 1, feature 1: expected a finite number, got `inf`"
        );
        assert_eq!(
            message(real(&[1.0; 4]), &[1, 2], &["a", "b"], &[]),
            "row 1: expected a label below 2, the number of classes, got 2"
        );
        assert_eq!(
            message(real(&[1.0; 2]), &[0], &["a", "b", "a"], &[]),
            "data set: class `a` appears twice"
        );
        assert_eq!(
            message(real(&[1.0; 2]), &[0], &["a"], &["x", "x"]),
            "data set: feature `x` appears twice"
        );
    }

    #[test]
    fn rows_are_taken_in_the_order_asked_for() {
        let set = counting(4);
        assert_eq!(set.gather(&[3, 0, 3]), [3.0, 3.5, 0.0, 0.5, 3.0, 3.5]);
        let subset = set.subset(&[3, 0, 3]);
        assert_eq!(subset.gather(&[0, 1, 2]), set.gather(&[3, 0, 3]));
        assert_eq!((subset.labels(), subset.class_counts()), (&[1, 0, 1][..], vec![1, 2, 0]));
        let samples = Samples::Bytes { cols: 1, values: vec![7, 255] };
        let bytes = Dataset::new(samples, vec![0, 0], names(&["a"]), vec![]).unwrap();
        assert_eq!(bytes.subset(&[1, 0]).gather(&[0, 1]), [255.0, 7.0]);
    }

    #[test]
    fn rows_may_be_images() {
        let shape = |height, width, channels| ImageShape { height, width, channels };
        let set = counting(4);
        assert_eq!(set.image(), None);
        let refused = |shape| set.clone().with_image(shape).unwrap_err().to_string();
        assert_eq!(refused(shape(2, 3, 1)), "data set: expected 6 features for images of 2x3x1, got 2");
        assert_eq!(refused(shape(0, 0, 0)), "data set: expected 0 features for images of 0x0x0, got 2");
        let most = usize::MAX;
        assert_eq!(
            refused(shape(most, 2, 1)),
            format!("data set: expected {most} features for images of {most}x2x1, got 2")
        );
        let images = set.with_image(shape(1, 1, 2)).unwrap();
        let (rest, held_out) = images.split(0.5, 1).unwrap();
        let (first, last) = images.split_last(1).unwrap();
        for set in [images.subset(&[2]), rest, held_out, first, last] {
            assert_eq!(set.image(), Some(shape(1, 1, 2)));
        }
    }

    #[test]
    fn a_split_divides_all_rows_and_keeps_their_labels() {
        let set = counting(10);
        let (rest, held_out) = set.split(0.25, 42).unwrap();
        assert_eq!((rest.len(), held_out.len()), (7, 3)); // round(2.5) is 3
        let mut seen: Vec<u32> = Vec::new();
        for set in [&rest, &held_out] {
            for row in 0..set.len() {
                let number = set.gather(&[row])[0] as u32;
                assert_eq!(set.labels()[row], number % 2);
                seen.push(number);
            }
        }
        assert_eq!(seen, permutation(10, 42).iter().map(|&row| row as u32).collect::<Vec<_>>());
        assert_eq!(set.split(0.25, 42).unwrap(), (rest, held_out));
        assert_ne!(set.split(0.25, 42).unwrap().1, set.split(0.25, 43).unwrap().1);
    }

    #[test]
    fn the_last_rows_can_be_split_off() {
        let (rest, last) = counting(5).split_last(2).unwrap();
        assert_eq!((rest, last.gather(&[0, 1])), (counting(3), vec![3.0, 3.5, 4.0, 4.5]));
    }

    #[test]
    fn no_part_of_a_split_is_empty() {
        let set = counting(3);
        for share in [0.0, 0.1, 0.9, 1.0, 2.0, -0.5, f64::NAN, f64::INFINITY] {
            let error = set.split(share, 0).unwrap_err().to_string();
            let share = format!("cannot hold out a share of {share} of 3 rows: each part needs at least one");
            assert_eq!(error, share);
        }
        for count in [0, 3, usize::MAX] {
            let error = set.split_last(count).unwrap_err().to_string();
            assert_eq!(error, format!("cannot hold out {count} of 3 rows: each part needs at least one"));
        }
    }
}
