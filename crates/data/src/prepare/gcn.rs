//! Global contrast normalization: every sample gets mean 0 and about the same contrast.
//!
//! ```text
//! y = scale (x - mean) / root        mean over the i features of a sample
//! root = sqrt(bias + 1/(i-1) sum (x - mean)^2), the deviation, or sqrt(bias + sum (x - mean)^2), the norm
//! ```
//!
//! A root below 1e-8 is replaced by 1, so that a constant sample becomes 0. The default, scale 1, bias 10 and
//! the deviation, is that of Coates, Lee and Ng (AISTATS 2011). For CIFAR-10, pylearn2 uses scale 55, bias 0
//! and the norm, on pixels from 0 to 255.

use crate::{dataset::Dataset, error::DataError};

const MIN_ROOT: f64 = 1e-8;

/// Global contrast normalization of samples.
///
/// ```
/// use onebit_data::Gcn;
///
/// let mut x = [1.0, 3.0]; // mean 2, deviation sqrt(2)
/// Gcn::new(2f64.sqrt(), true, 0.0)?.apply_row(&mut x);
/// assert_eq!(x, [-1.0, 1.0]);
/// # Ok::<(), onebit_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gcn {
    scale: f64,
    use_std: bool,
    sqrt_bias: f64,
}

impl Default for Gcn {
    fn default() -> Self {
        Self { scale: 1.0, use_std: true, sqrt_bias: 10.0 }
    }
}

impl Gcn {
    /// Creates the normalization. `use_std` divides by the deviation of a sample, otherwise by its norm;
    /// `sqrt_bias` is the bias under the root.
    ///
    /// # Errors
    /// [`DataError::Setting`] unless `scale` is finite and above 0 and `sqrt_bias` finite and at least 0.
    pub fn new(scale: f64, use_std: bool, sqrt_bias: f64) -> Result<Self, DataError> {
        if !(scale > 0.0 && scale.is_finite()) {
            return Err(DataError::setting("gcn.scale", "a finite number above 0", scale));
        }
        if !(sqrt_bias >= 0.0 && sqrt_bias.is_finite()) {
            return Err(DataError::setting("gcn.sqrt_bias", "a finite number from 0", sqrt_bias));
        }
        Ok(Self { scale, use_std, sqrt_bias })
    }

    /// Normalizes one sample, `(i)`, in place, with sums in f64.
    pub fn apply_row(&self, x: &mut [f32]) {
        let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len() as f64;
        let squares: f64 = x.iter().map(|&x| (f64::from(x) - mean) * (f64::from(x) - mean)).sum();
        let count = if self.use_std { x.len().saturating_sub(1).max(1) as f64 } else { 1.0 };
        let root = (self.sqrt_bias + squares / count).sqrt();
        let factor = if root < MIN_ROOT { self.scale } else { self.scale / root };
        x.iter_mut().for_each(|x| *x = ((f64::from(*x) - mean) * factor) as f32);
    }

    /// The data set with every sample normalized, as real numbers.
    ///
    /// # Errors
    /// [`DataError::NotFinite`] if `scale` is so large that a number overflows f32.
    pub fn apply(&self, data: &Dataset) -> Result<Dataset, DataError> {
        let rows: Vec<usize> = (0..data.len()).collect();
        let mut x = data.gather(&rows);
        x.chunks_exact_mut(data.features()).for_each(|x| self.apply_row(x));
        data.with_values(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(gcn: Gcn, mut x: Vec<f32>) -> Vec<f32> {
        gcn.apply_row(&mut x);
        x
    }

    #[test]
    fn by_deviation_or_norm() {
        // Mean 2; squares 1 + 1 + 4 + 4 = 10.
        let x = vec![1.0, 3.0, 0.0, 4.0];
        let times = |factor: f64| [-1.0, 1.0, -2.0, 2.0].map(|x| (x * factor) as f32);
        assert_eq!(row(Gcn::default(), x.clone()), times(1.0 / (10.0 + 10.0 / 3.0f64).sqrt()));
        assert_eq!(row(Gcn::new(55.0, false, 6.0).unwrap(), x), times(55.0 / 4.0));
    }

    #[test]
    fn a_constant_sample_becomes_zero() {
        let gcn = Gcn::new(1.0, true, 0.0).unwrap();
        assert_eq!(row(gcn, vec![7.0; 4]), [0.0; 4]);
        assert_eq!(row(gcn, vec![7.0]), [0.0]);
    }

    #[test]
    fn a_data_set_keeps_its_labels_and_its_images() {
        let digits = crate::digits();
        let normal = Gcn::default().apply(&digits).unwrap();
        assert_eq!((normal.labels(), normal.image()), (digits.labels(), digits.image()));
        assert_eq!(normal.gather(&[5]), row(Gcn::default(), digits.gather(&[5])));
    }

    #[test]
    fn settings_have_ranges() {
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = Gcn::new(scale, true, 10.0).unwrap_err().to_string();
            assert_eq!(error, format!("gcn.scale: expected a finite number above 0, got {scale}"));
        }
        for bias in [-1.0, f64::NAN, f64::INFINITY] {
            let error = Gcn::new(1.0, true, bias).unwrap_err().to_string();
            assert_eq!(error, format!("gcn.sqrt_bias: expected a finite number from 0, got {bias}"));
        }
        let huge = Gcn::new(1e300, true, 0.0).unwrap().apply(&crate::iris()).unwrap_err();
        assert_eq!(huge.to_string(), "row 0, feature 0: expected a finite number, got `inf`");
    }
}
