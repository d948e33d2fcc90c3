//! Softmax cross-entropy: `L = mean_b -log p_label` with `p = softmax(s)`, and `dL/ds = (p - onehot) / b`.

use crate::{error::Result, losses::Loss, numeric::matrix::Matrix};

/// Softmax cross-entropy, averaged over the batch.
///
/// ```
/// use onebit_train::{Matrix, losses::{Loss, SoftmaxCrossEntropy}};
///
/// let scores = Matrix::new(1, 2, vec![3f32.ln(), 0.0])?; // p = (3/4, 1/4)
/// let (loss, grad) = SoftmaxCrossEntropy.evaluate(scores, &[0])?;
/// assert!((loss - (4.0f64 / 3.0).ln()).abs() < 1e-6);
/// assert!((grad.values()[0] + 0.25).abs() < 1e-6 && (grad.values()[1] - 0.25).abs() < 1e-6);
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SoftmaxCrossEntropy;

impl Loss for SoftmaxCrossEntropy {
    fn evaluate(&self, scores: Matrix, labels: &[u32]) -> Result<(f64, Matrix)> {
        crate::losses::check("softmax cross-entropy", &scores, labels)?;
        let share = 1.0 / scores.rows() as f32;
        let classes = scores.cols();
        let mut grad = scores;
        let mut loss = 0.0f64;
        for (row, &label) in grad.values_mut().chunks_exact_mut(classes).zip(labels) {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let label = label as usize;
            let label_score = row[label] - top;
            // libm's exp and log return the same bits on every machine.
            row.iter_mut().for_each(|s| *s = libm::expf(*s - top));
            let sum: f32 = row.iter().sum();
            loss += f64::from(libm::logf(sum) - label_score);
            row.iter_mut().for_each(|p| *p *= share / sum);
            row[label] -= share;
        }
        Ok((loss / labels.len() as f64, grad))
    }
}
