//! Features of mean 0 and standard deviation 1: `y = (x - mean) * scale`, `x, y: (b, i)`, `mean, scale: (i)`.

use crate::{dataset::Dataset, error::DataError, prepare::byte_scale::ByteScale};

/// A shift and a factor for each feature.
///
/// ```
/// use onebit_data::Standardize;
///
/// let pixels = Standardize::uniform(127.5, 1.0 / 127.5, 2); // 0..255 to -1..1
/// let mut x = vec![0.0, 255.0]; // x: (1, 2)
/// pixels.apply(&mut x);
/// assert_eq!(x, [-1.0, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Standardize {
    mean: Vec<f32>,
    scale: Vec<f32>,
}

impl Standardize {
    /// Creates a standardization with the given shift `mean` and factor `scale` for each feature.
    ///
    /// # Errors
    /// [`DataError::Length`] if the lengths differ; [`DataError::NotFinite`].
    pub fn new(mean: Vec<f32>, scale: Vec<f32>) -> Result<Self, DataError> {
        if mean.len() != scale.len() {
            let what = "factors to standardize with".to_string();
            return Err(DataError::Length { what, expected: mean.len(), got: scale.len() });
        }
        for (name, values) in [("mean", &mean), ("scale", &scale)] {
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                let place = format!("{name} of feature {at}");
                return Err(DataError::NotFinite { place, value: values[at].to_string() });
            }
        }
        Ok(Self { mean, scale })
    }

    /// Creates a standardization with the same shift and factor for every feature.
    pub fn uniform(mean: f32, scale: f32, features: usize) -> Self {
        Self { mean: vec![mean; features], scale: vec![scale; features] }
    }

    /// Fits mean and inverse standard deviation to the rows of `training`, in f64:
    ///
    /// ```text
    /// mean = 1/b sum_b x        scale = 1 / sqrt(1/b sum_b (x - mean)^2)
    /// ```
    ///
    /// A constant feature has scale 1 and becomes 0.
    pub fn fit(training: &Dataset) -> Self {
        let (rows, cols) = (training.len(), training.features());
        // Differences from the first row are summed: for a constant feature the sum is exactly 0.
        let first = training.gather(&[0]);
        let mut x = vec![0.0f32; cols];
        let mut mean = vec![0.0f64; cols];
        for row in 0..rows {
            training.read_row(row, &mut x);
            for ((mean, &x), &first) in mean.iter_mut().zip(&x).zip(&first) {
                *mean += f64::from(x) - f64::from(first);
            }
        }
        for (mean, &first) in mean.iter_mut().zip(&first) {
            *mean = f64::from(first) + *mean / rows as f64;
        }
        let mut variance = vec![0.0f64; cols];
        for row in 0..rows {
            training.read_row(row, &mut x);
            for ((variance, &x), &mean) in variance.iter_mut().zip(&x).zip(&mean) {
                *variance += (f64::from(x) - mean).powi(2) / rows as f64;
            }
        }
        let inverse = |variance: f64| {
            let scale = (1.0 / variance.sqrt()) as f32;
            if scale.is_finite() { scale } else { 1.0 }
        };
        Self {
            mean: mean.into_iter().map(|mean| mean as f32).collect(),
            scale: variance.into_iter().map(inverse).collect(),
        }
    }

    /// Replaces every `x` by `(x - mean) * scale`, for `x: (b, i)`.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows.
    pub fn apply(&self, x: &mut [f32]) {
        if x.is_empty() {
            return;
        }
        assert!(x.len().is_multiple_of(self.features()), "{} values, {} features", x.len(), self.features());
        for row in x.chunks_exact_mut(self.features()) {
            for ((x, &mean), &scale) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
                *x = (*x - mean) * scale;
            }
        }
    }

    /// The numbers that bytes stand for, if mean and scale are the same for every feature.
    pub fn byte_scale(&self) -> Option<ByteScale> {
        fn only(values: &[f32]) -> Option<f32> {
            let (&first, rest) = values.split_first()?;
            rest.iter().all(|&value| value == first).then_some(first)
        }
        Some(ByteScale::new(only(&self.mean)?, only(&self.scale)?))
    }

    /// The number of features, `i`.
    pub fn features(&self) -> usize {
        self.mean.len()
    }

    /// The shifts that are subtracted, `(i)`.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The factors that multiply the difference, `(i)`.
    pub fn scale(&self) -> &[f32] {
        &self.scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Samples;

    fn set(cols: usize, values: Vec<f32>) -> Dataset {
        let labels = vec![0; values.len() / cols];
        Dataset::new(Samples::Real { cols, values }, labels, vec!["a".into()], vec![]).unwrap()
    }

    #[test]
    fn what_all_features_have_in_common() {
        let affine = ByteScale::Affine { mean: 2.0, scale: 0.5 };
        assert_eq!(Standardize::uniform(2.0, 0.5, 3).byte_scale(), Some(affine));
        assert_eq!(Standardize::uniform(127.5, 0.5, 3).byte_scale(), Some(ByteScale::Centred(0.5)));
        for (mean, scale) in
            [(vec![0.0, 1.0], vec![1.0; 2]), (vec![0.0; 2], vec![1.0, 2.0]), (vec![], vec![])]
        {
            assert_eq!(Standardize::new(mean, scale).unwrap().byte_scale(), None);
        }
    }

    #[test]
    fn mean_and_deviation_of_the_population() {
        // Feature 0: 1 2 3 6, mean 3, variance (4 + 1 + 0 + 9) / 4 = 3.5; feature 1: mean -1, variance 1.
        let set = set(2, vec![1.0, 0.0, 2.0, -2.0, 3.0, 0.0, 6.0, -2.0]);
        let fit = Standardize::fit(&set);
        assert_eq!(fit.mean(), [3.0, -1.0]);
        assert_eq!(fit.scale(), [(1.0 / 3.5f64.sqrt()) as f32, 1.0]);
        let mut x = set.gather(&[3, 0]);
        fit.apply(&mut x);
        assert_eq!(x, [3.0 * fit.scale()[0], -1.0, -2.0 * fit.scale()[0], 1.0]);
    }

    #[test]
    fn a_constant_feature_becomes_zero() {
        // 0.1 is not a binary fraction and 49 is not a power of two: a plain mean would not be exactly 0.1.
        for constant in [0.1, 0.0, -0.0, 1e30, f32::MIN_POSITIVE / 8.0] {
            let set = set(1, vec![constant; 49]);
            let fit = Standardize::fit(&set);
            assert_eq!((fit.mean(), fit.scale()), (&[constant][..], &[1.0][..]));
            let mut x = set.gather(&[7]);
            fit.apply(&mut x);
            assert_eq!(x, [0.0]);
        }
    }

    #[test]
    fn extreme_features_stay_finite() {
        let denormal = f32::from_bits(1);
        for pair in [[f32::MAX, -f32::MAX], [0.0, denormal], [f32::MAX, 0.0]] {
            let set = set(1, pair.to_vec());
            let fit = Standardize::fit(&set);
            let mut x = set.gather(&[0, 1]);
            fit.apply(&mut x);
            assert!(x.iter().chain(fit.scale()).all(|x| x.is_finite()), "{pair:?}: {x:?}");
        }
    }

    #[test]
    fn bytes_are_numbers_from_0_to_255() {
        let samples = Samples::Bytes { cols: 1, values: vec![0, 255] };
        let set = Dataset::new(samples, vec![0, 0], vec!["a".into()], vec![]).unwrap();
        assert_eq!(Standardize::fit(&set), Standardize::uniform(127.5, 1.0 / 127.5, 1));
    }

    #[test]
    fn errors() {
        let short = Standardize::new(vec![0.0; 3], vec![1.0; 2]).unwrap_err();
        assert_eq!(short.to_string(), "data set: expected 3 factors to standardize with, got 2");
        let nan = Standardize::new(vec![0.0; 2], vec![1.0, f32::NAN]).unwrap_err();
        assert_eq!(nan.to_string(), "scale of feature 1: expected a finite number, got `NaN`");
    }
}
