//! Losses: a value and its gradient with respect to the scores.

use crate::{
    error::{Error, Result},
    numeric::matrix::Matrix,
};

mod distillation;
mod integer_softmax;
mod softmax_cross_entropy;
mod squared_hinge;

pub use distillation::Distillation;
pub use integer_softmax::IntegerSoftmax;
pub use softmax_cross_entropy::SoftmaxCrossEntropy;
pub use squared_hinge::SquaredHinge;

/// A loss over a batch of scores.
pub trait Loss: Send {
    /// `scores: (b, o)`, one label a row. Returns the loss and `dL/dscores`, `(b, o)`, in their memory.
    ///
    /// # Errors
    /// [`Error::Shape`] when the numbers of rows differ, [`Error::Setting`] for a label out of range.
    fn evaluate(&self, scores: Matrix, labels: &[u32]) -> Result<(f64, Matrix)>;
}

fn check(op: &'static str, scores: &Matrix, labels: &[u32]) -> Result<()> {
    if scores.rows() != labels.len() || labels.is_empty() {
        return Err(Error::shape(op, format!("{} labels, at least one", scores.rows()), labels.len()));
    }
    if let Some(&label) = labels.iter().find(|&&label| label as usize >= scores.cols()) {
        return Err(Error::setting("label", format!("less than {} classes", scores.cols()), label));
    }
    Ok(())
}
