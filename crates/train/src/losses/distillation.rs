//! Knowledge distillation: scores are judged by the labels and by a teacher's scores (arXiv:1503.02531).
//!
//! With student scores s and teacher scores r, `(b, o)`, `q = softmax(s / T)` and `p = softmax(r / T)`:
//!
//! ```text
//! L     = (1 - alpha) hard(s, labels) + alpha T^2 mean_b KL(p || q),   KL(p || q) = sum_o p (log p - log q)
//! dL/ds = (1 - alpha) dhard/ds        + alpha T (q - p) / b
//! ```
//!
//! `T^2` keeps the share of the teacher's part whatever the temperature.

use crate::{
    contract::check::check_shape,
    error::{Error, Result},
    losses::Loss,
    numeric::matrix::Matrix,
};

/// How much a student listens to a teacher, and how softly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distillation {
    temperature: f32,
    alpha: f32,
}

impl Distillation {
    /// Temperature 1, and the teacher alone: the distributional loss of ReActNet (arXiv:2003.03488), whose
    /// `-sum p log q` differs from KL by what no student can change.
    pub fn new() -> Self {
        Self { temperature: 1.0, alpha: 1.0 }
    }

    /// `temperature`: above 0, in units of the scores; far above them only their differences count, far below only the
    /// winner; 1 to 20 is usual. `alpha`: the teacher's share from 0 to 1.
    ///
    /// # Errors
    /// [`Error::Setting`] outside these ranges.
    pub fn with(temperature: f32, alpha: f32) -> Result<Self> {
        if !(temperature > 0.0 && temperature.is_finite()) {
            return Err(Error::setting("temperature", "a positive number", temperature));
        }
        if !(0.0..=1.0).contains(&alpha) {
            return Err(Error::setting("alpha", "a share from 0 to 1", alpha));
        }
        Ok(Self { temperature, alpha })
    }

    /// The loss and `dL/dscores`; `hard` judges by the labels, scores and `teacher` are `(b, o)`.
    ///
    /// # Errors
    /// Those of `hard`, and [`Error::Shape`] when the teacher's scores have another shape.
    pub fn evaluate(
        &self,
        hard: &dyn Loss,
        scores: Matrix,
        labels: &[u32],
        teacher: &Matrix,
    ) -> Result<(f64, Matrix)> {
        check_shape("distillation", "teacher's scores", scores.shape(), teacher.shape())?;
        let (hard_loss, mut grad) = hard.evaluate(scores.clone(), labels)?;
        let (temperature, alpha) = (self.temperature, self.alpha);
        let share = alpha * temperature / scores.rows() as f32;
        let mut divergence = 0.0f64;
        let (mut log_p, mut log_q) = (vec![0.0; scores.cols()], vec![0.0; scores.cols()]);
        let rows = scores.iter_rows().zip(teacher.iter_rows());
        for ((student, teacher), grad) in rows.zip(grad.values_mut().chunks_exact_mut(scores.cols())) {
            log_softmax(teacher, temperature, &mut log_p);
            log_softmax(student, temperature, &mut log_q);
            for (grad, (&log_p, &log_q)) in grad.iter_mut().zip(log_p.iter().zip(&log_q)) {
                let (p, q) = (libm::expf(log_p), libm::expf(log_q));
                divergence += f64::from(p * (log_p - log_q));
                *grad = (1.0 - alpha) * *grad + share * (q - p);
            }
        }
        let soft_loss = f64::from(temperature).powi(2) * divergence / labels.len() as f64;
        let alpha = f64::from(alpha);
        Ok(((1.0 - alpha) * hard_loss + alpha * soft_loss, grad))
    }
}

impl Default for Distillation {
    fn default() -> Self {
        Self::new()
    }
}

/// `s / T - log sum exp(s / T)`
fn log_softmax(scores: &[f32], temperature: f32, logs: &mut [f32]) {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for (log, score) in logs.iter_mut().zip(scores) {
        *log = (score - top) / temperature;
    }
    let sum: f32 = logs.iter().map(|log| libm::expf(*log)).sum();
    let log_sum = libm::logf(sum);
    logs.iter_mut().for_each(|log| *log -= log_sum);
}
