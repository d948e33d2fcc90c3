//! The L2-SVM's squared hinge, one against the rest (arXiv:1602.02830).
//!
//! With targets `t = +1` for the class and `-1` for the others, a margin `m`, over `b` samples and `o`
//! classes: `L = mean_{b,o} max(0, m - t s)^2` and `dL/ds = -2 t max(0, m - t s) / (b o)`.

use crate::{
    error::{Error, Result},
    losses::Loss,
    numeric::matrix::Matrix,
};

/// Squared hinge, mean over batch and classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SquaredHinge {
    margin: f32,
}

impl SquaredHinge {
    /// The margin is in units of the scores. 1 is the paper's, for scores that batch norm can scale; the
    /// scores of flip training are in deviations of a random sum and cannot be. Near 0 a sample that is
    /// barely right asks for nothing more; far above what scores reach, every sample always asks.
    ///
    /// # Errors
    /// [`Error::Setting`] unless the margin is positive and finite.
    pub fn with_margin(margin: f32) -> Result<Self> {
        if !(margin > 0.0 && margin.is_finite()) {
            return Err(Error::setting("margin", "a positive number", margin));
        }
        Ok(Self { margin })
    }
}

impl Default for SquaredHinge {
    /// A margin of 1.
    fn default() -> Self {
        Self { margin: 1.0 }
    }
}

impl Loss for SquaredHinge {
    fn evaluate(&self, scores: Matrix, labels: &[u32]) -> Result<(f64, Matrix)> {
        crate::losses::check("squared hinge", &scores, labels)?;
        let (rows, classes) = (scores.rows(), scores.cols());
        let share = 1.0 / (rows * classes) as f32;
        let mut grad = scores;
        let mut loss = 0.0f64;
        for (row, &label) in grad.values_mut().chunks_exact_mut(classes).zip(labels) {
            for (class, s) in row.iter_mut().enumerate() {
                let t = if class == label as usize { 1.0 } else { -1.0 };
                let slack = (self.margin - t * *s).max(0.0);
                loss += f64::from(slack * slack);
                *s = -2.0 * t * slack * share;
            }
        }
        Ok((loss / (rows * classes) as f64, grad))
    }
}
