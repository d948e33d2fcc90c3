//! The squared hinge loss of an L2-SVM, one against the rest (arXiv:1602.02830).
//!
//! With targets `t = +1` for the class and `-1` for the others, a margin `m`, `b` samples and `o` classes:
//! `L = mean_{b,o} max(0, m - t s)^2` and `dL/ds = -2 t max(0, m - t s) / (b o)`.

use crate::{
    error::{Error, Result},
    losses::Loss,
    numeric::matrix::Matrix,
};

/// The squared hinge, averaged over batch and classes.
///
/// ```
/// use onebit_train::{Matrix, losses::{Loss, SquaredHinge}};
///
/// let scores = Matrix::new(1, 2, vec![0.5, -3.0])?; // class 0 misses the margin by 0.5, class 1 keeps it
/// let (loss, grad) = SquaredHinge::default().evaluate(scores, &[0])?;
/// assert_eq!((loss, grad.values()), (0.125, &[-0.5, 0.0][..])); // 0.5^2 / 2 and -2 * 0.5 / 2
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SquaredHinge {
    margin: f32,
}

impl SquaredHinge {
    /// Creates the loss with a margin in units of the scores. The paper's margin is 1, for scores that batch
    /// norm can scale. The scores of flip training are in standard deviations of a random sum and are not
    /// scaled. Near 0, a sample that is barely right has no gradient; far above what scores reach, every
    /// sample always has one.
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
