//! The L2-SVM's squared hinge, one against the rest (arXiv:1602.02830).
//!
//! With targets `t = +1` for the class and `-1` for the others, over `b` samples and `o` classes:
//! `L = mean_{b,o} max(0, 1 - t s)^2` and `dL/ds = -2 t max(0, 1 - t s) / (b o)`.

use crate::{error::Result, losses::Loss, value::Matrix};

/// Squared hinge, mean over batch and classes.
#[derive(Clone, Copy, Debug, Default)]
pub struct SquaredHinge;

impl Loss for SquaredHinge {
    fn evaluate(&self, scores: &Matrix, labels: &[u32]) -> Result<(f64, Matrix)> {
        super::check("squared hinge", scores, labels)?;
        let (rows, classes) = (scores.rows(), scores.cols());
        let share = 1.0 / (rows * classes) as f32;
        let mut grad = scores.clone();
        let mut loss = 0.0f64;
        for (row, &label) in grad.values_mut().chunks_exact_mut(classes).zip(labels) {
            for (class, s) in row.iter_mut().enumerate() {
                let t = if class == label as usize { 1.0 } else { -1.0 };
                let slack = (1.0 - t * *s).max(0.0);
                loss += f64::from(slack * slack);
                *s = -2.0 * t * slack * share;
            }
        }
        Ok((loss / (rows * classes) as f64, grad))
    }
}
