//! Softmax cross-entropy whose error is an integer: `dL/ds = SR(levels (p - onehot)) / (levels b)`, with `p = softmax(s)`.
//!
//! SR rounds up or down at random so that the expectation stays. So of samples that are right by a margin most have an error of 0 in
//! every class: nothing is computed for them on the way back, and the few others speak for them. The randomness is a function
//! of the sample's scores alone. The value is that of softmax cross-entropy.

use onebit_bits::Noise;

use crate::{
    error::{Error, Result},
    losses::{Loss, SoftmaxCrossEntropy},
    numeric::matrix::Matrix,
};

/// Softmax cross-entropy with an error in integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegerSoftmax {
    levels: u32,
}

impl IntegerSoftmax {
    /// The error is in `-levels..=levels`, 1 to 32767. With few it is coarse and most samples are silent, which saves time; with
    /// many none ever is.
    ///
    /// # Errors
    /// [`Error::Setting`] outside the range.
    pub fn new(levels: u32) -> Result<Self> {
        if !(1..=32767).contains(&levels) {
            return Err(Error::setting("training.levels", "1 to 32767", levels));
        }
        Ok(Self { levels })
    }
}

impl Default for IntegerSoftmax {
    /// Five bits: 15 levels.
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
