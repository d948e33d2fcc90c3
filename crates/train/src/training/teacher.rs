//! Networks that a student learns from besides the labels: see [`Distillation`].

use std::cell::RefCell;

use onebit_data::Standardize;
use onebit_model::Model;

use crate::{
    contract::{context::Context, value::Value},
    error::Result,
    losses::{Distillation, Loss},
    network::Network,
    numeric::matrix::Matrix,
};

/// Gives scores for what the student sees.
pub trait Teacher: Send {
    /// `(b, o)` for `x: (b, i)`, a batch as the student's first layer gets it: standardized by its data, augmented.
    ///
    /// # Errors
    /// When x does not fit.
    fn scores(&mut self, cx: &Context, x: &Value) -> Result<Matrix>;
}

/// A network of any layers, real ones too, that was trained on features standardized alike.
impl Teacher for Network {
    fn scores(&mut self, cx: &Context, x: &Value) -> Result<Matrix> {
        self.forward(&cx.evaluating(), x.clone())?.into_real("teacher")
    }
}

/// A deployed network, which standardizes by itself.
pub struct Deployed {
    model: Model,
    standardize: Standardize,
}

impl Deployed {
    /// `standardize` is what was done to the features that the student sees.
    pub fn new(model: Model, standardize: Standardize) -> Self {
        Self { model, standardize }
    }
}

impl Teacher for Deployed {
    fn scores(&mut self, cx: &Context, x: &Value) -> Result<Matrix> {
        let mut features = cx.matrix(x.rows(), x.cols());
        match x {
            Value::Bytes(x) => {
                for (feature, &byte) in features.values_mut().iter_mut().zip(x.values()) {
                    *feature = f32::from(byte);
                }
            }
            x => {
                let x = x.clone().into_real("teacher")?;
                let standards = self.standardize.mean().iter().zip(self.standardize.scale()).cycle();
                for ((feature, x), (mean, scale)) in
                    features.values_mut().iter_mut().zip(x.values()).zip(standards)
                {
                    *feature = x / scale + mean;
                }
            }
        }
        let scores = self.model.scores(&cx.engine, features.values())?;
        cx.recycle([features]);
        let classes = self.model.classes();
        Matrix::new(scores.len() / classes, classes, scores)
    }
}

/// A teacher and how much it is listened to.
pub struct Lessons {
    teacher: RefCell<Box<dyn Teacher>>,
    distillation: Distillation,
}

impl Lessons {
    /// Lessons by `teacher`.
    pub fn new(teacher: impl Teacher + 'static, distillation: Distillation) -> Self {
        Self { teacher: RefCell::new(Box::new(teacher)), distillation }
    }

    /// The teacher's scores, `(b, o)`, for `x: (b, i)`.
    pub(crate) fn scores(&self, cx: &Context, x: &Value) -> Result<Matrix> {
        self.teacher.borrow_mut().scores(cx, x)
    }

    pub(crate) fn evaluate(
        &self,
        hard: &dyn Loss,
        scores: Matrix,
        labels: &[u32],
        teacher: &Matrix,
    ) -> Result<(f64, Matrix)> {
        self.distillation.evaluate(hard, scores, labels, teacher)
    }
}
