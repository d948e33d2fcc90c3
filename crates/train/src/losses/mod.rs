//! Losses: a value, and its gradient with respect to the scores.
//!
//! | loss | value | used by |
//! |---|---|---|
//! | [`SquaredHinge`] | `mean max(0, margin - t s)^2` | straight-through training and flip backprop |
//! | [`SoftmaxCrossEntropy`] | `mean -log p_label` | straight-through training |
//! | [`IntegerSoftmax`] | the same, with an integer gradient | integer flip backprop |
//! | [`Distillation`] | one of these plus the divergence from a teacher | any method |

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
    /// Returns the loss and `dL/dscores`, `(b, o)`, for `scores`, `(b, o)`, and one label per row. The
    /// gradient takes over the memory of the scores.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of labels differs from that of the rows or is 0; [`Error::Setting`] for
    /// a label that is not below the number of classes.
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
