//! Knowledge distillation: a loss against the labels and against the scores of a teacher (arXiv:1503.02531).
//!
//! With student scores `s` and teacher scores `r`, `(b, o)`, `q = softmax(s / T)` and `p = softmax(r / T)`:
//!
//! ```text
//! L     = (1 - alpha) hard(s, labels) + alpha T^2 mean_b KL(p || q),   KL(p || q) = sum_o p (log p - log q)
//! dL/ds = (1 - alpha) dhard/ds        + alpha T (q - p) / b
//! ```
//!
//! The factor `T^2` keeps the weight of the teacher's term independent of the temperature.

use crate::{
    contract::check::check_shape,
    error::{Error, Result},
    losses::Loss,
    numeric::matrix::Matrix,
};

/// The weight and the temperature of a teacher's scores in the loss of a student.
///
/// ```
/// use onebit_train::{Matrix, losses::{Distillation, SoftmaxCrossEntropy}};
///
/// let teacher = Matrix::new(1, 2, vec![3f32.ln(), 0.0])?; // p = (3/4, 1/4)
/// let student = Matrix::new(1, 2, vec![0.0, 0.0])?;       // q = (1/2, 1/2)
/// let (loss, grad) = Distillation::new().evaluate(&SoftmaxCrossEntropy, student, &[1], &teacher)?;
/// let divergence = 0.75 * 1.5f64.ln() + 0.25 * 0.5f64.ln(); // KL(p || q)
/// assert!((loss - divergence).abs() < 1e-6);
/// assert!((grad.values()[0] + 0.25).abs() < 1e-6 && (grad.values()[1] - 0.25).abs() < 1e-6); // q - p
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distillation {
    temperature: f32,
    alpha: f32,
}

impl Distillation {
    /// Creates the loss with temperature 1 and the teacher alone (`alpha = 1`): the distributional loss of
    /// ReActNet (arXiv:2003.03488). Its `-sum p log q` differs from KL by a constant, the entropy of the
    /// teacher.
    pub fn new() -> Self {
        Self { temperature: 1.0, alpha: 1.0 }
    }

    /// Creates the loss with a temperature and a share of the teacher.
    ///
    /// `temperature`, above 0, is in units of the scores: far above them only their differences count, far
    /// below only the largest score; 1 to 20 is usual. `alpha` is the teacher's share, from 0 to 1.
    ///
    /// # Errors
    /// [`Error::Setting`] if a number is outside its range.
    pub fn with(temperature: f32, alpha: f32) -> Result<Self> {
        if !(temperature > 0.0 && temperature.is_finite()) {
            return Err(Error::setting("temperature", "a positive number", temperature));
        }
        if !(0.0..=1.0).contains(&alpha) {
            return Err(Error::setting("alpha", "a share from 0 to 1", alpha));
        }
        Ok(Self { temperature, alpha })
    }

    /// Returns the loss and `dL/dscores`, `(b, o)`. `hard` is the loss against the labels; `scores` and
    /// `teacher` are `(b, o)`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the teacher's scores have another shape; the errors of `hard`.
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

/// Writes `s / T - log sum exp(s / T)`.
fn log_softmax(scores: &[f32], temperature: f32, logs: &mut [f32]) {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for (log, score) in logs.iter_mut().zip(scores) {
        *log = (score - top) / temperature;
    }
    let sum: f32 = logs.iter().map(|log| libm::expf(*log)).sum();
    let log_sum = libm::logf(sum);
    logs.iter_mut().for_each(|log| *log -= log_sum);
}
