//! Softmax cross-entropy with an integer error: `dL/ds = SR(levels (p - onehot)) / (levels b)`,
//! `p = softmax(s)`.
//!
//! SR rounds up or down at random so that the expectation is kept. Most samples that are right by a margin
//! then have an error of 0 in every class: the backward pass skips them, and the few others stand for them.
//! The randomness is a function of the sample's scores alone. The value of the loss is that of softmax
//! cross-entropy.

use onebit_bits::Noise;

use crate::{
    error::{Error, Result},
    losses::{Loss, SoftmaxCrossEntropy},
    numeric::matrix::Matrix,
};

/// Softmax cross-entropy with an integer error.
///
/// ```
/// use onebit_train::{Matrix, losses::{IntegerSoftmax, Loss}};
///
/// let scores = Matrix::new(2, 2, vec![20.0, -20.0, 0.0, 0.0])?;
/// let (loss, grad) = IntegerSoftmax::new(4)?.evaluate(scores, &[0, 1])?;
/// // The first sample is right and silent; the second has p = (1/2, 1/2), an error of +-2 of 4 levels.
/// assert_eq!(grad.values(), [0.0, 0.0, 0.25, -0.25]); // 2 / (4 levels * 2 samples)
/// assert!((loss - 2f64.ln() / 2.0).abs() < 1e-6);
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegerSoftmax {
    levels: u32,
}

impl IntegerSoftmax {
    /// Creates the loss with errors in `-levels..=levels`, `levels` from 1 to 32767. With few levels the
    /// error is coarse and is 0 for most samples, which saves time; with many it is 0 for none.
    ///
    /// # Errors
    /// [`Error::Setting`] if `levels` is outside the range.
    pub fn new(levels: u32) -> Result<Self> {
        if !(1..=32767).contains(&levels) {
            return Err(Error::setting("training.levels", "1 to 32767", levels));
        }
        Ok(Self { levels })
    }
}

impl Default for IntegerSoftmax {
    /// 15 levels, an error of five bits.
    fn default() -> Self {
        Self { levels: 15 }
    }
}

impl Loss for IntegerSoftmax {
    fn evaluate(&self, scores: Matrix, labels: &[u32]) -> Result<(f64, Matrix)> {
        let classes = scores.cols().max(1);
        let key = |row: &[f32]| row.iter().fold(0, |key, score| Noise::bits(key, score.to_bits() as usize));
        let keys: Vec<u32> = scores.iter_rows().map(key).collect();
        let (loss, mut grad) = SoftmaxCrossEntropy.evaluate(scores, labels)?;
        let levels = self.levels as f32 * grad.rows() as f32;
        for (row, key) in grad.values_mut().chunks_exact_mut(classes).zip(keys) {
            for (class, error) in row.iter_mut().enumerate() {
                let up = (Noise::bits(key, class) >> 8) as f32 / (1 << 24) as f32;
                *error = libm::floorf(*error * levels + up) / levels;
            }
        }
        Ok((loss, grad))
    }
}
