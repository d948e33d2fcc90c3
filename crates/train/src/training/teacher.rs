//! Teachers for knowledge distillation; [`Distillation`] has the loss.

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

/// A source of scores for the student to learn from.
pub trait Teacher: Send {
    /// Returns scores `(b, o)` for `x: (b, i)`, the input of the student's first layer: augmented and
    /// standardized.
    ///
    /// # Errors
    /// An error when `x` does not fit the teacher.
    fn scores(&mut self, cx: &Context, x: &Value) -> Result<Matrix>;
}

/// A network, possibly with real weights, that was trained on features with the same standardization.
impl Teacher for Network {
    fn scores(&mut self, cx: &Context, x: &Value) -> Result<Matrix> {
        self.forward(&cx.evaluating(), x.clone())?.into_real("teacher")
    }
}

/// A deployed model, which standardizes raw features itself.
pub struct Deployed {
    model: Model,
    standardize: Standardize,
}

impl Deployed {
    /// Creates a teacher; `standardize` is the standardization of the student's input, which the teacher
    /// undoes.
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

/// A teacher and its distillation loss.
///
/// ```
/// use onebit_train::{
///     Batch, Network, Phase, Trainer, Training, config, experiment,
///     losses::Distillation,
///     teacher::{Deployed, Distiller},
/// };
///
/// let config = config::preset("iris")?;
/// let split = experiment::load(&config, None)?;
/// let teacher = experiment::training(&config, &split)?.run()?.into_model()?;
///
/// let student = Network::straight_through(4, &[8], 3, &Default::default(), 1)?;
/// let mut trainer = Trainer::straight_through(vec![Phase::new(30, Batch::Size(20), 1e-2)], 1);
/// let teacher = Deployed::new(teacher, split.standardize.clone());
/// trainer.distiller = Some(Distiller::new(teacher, Distillation::with(2.0, 0.5)?));
/// let outcome = Training::new(trainer, student, &split).run()?;
/// assert!(outcome.kept().test_accuracy > Some(0.6));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Distiller {
    teacher: RefCell<Box<dyn Teacher>>,
    distillation: Distillation,
}

impl Distiller {
    /// Distills from `teacher` with the loss `distillation`.
    pub fn new(teacher: impl Teacher + 'static, distillation: Distillation) -> Self {
        Self { teacher: RefCell::new(Box::new(teacher)), distillation }
    }

    /// Returns the teacher's scores `(b, o)` for `x: (b, i)`.
    pub(crate) fn scores(&self, cx: &Context, x: &Value) -> Result<Matrix> {
        self.teacher.borrow_mut().scores(cx, x)
    }

    /// Returns loss and gradient of the student's `scores` against `labels` and the teacher's scores
    /// `targets`.
    pub(crate) fn evaluate(
        &self,
        hard: &dyn Loss,
        scores: Matrix,
        labels: &[u32],
        targets: &Matrix,
    ) -> Result<(f64, Matrix)> {
        self.distillation.evaluate(hard, scores, labels, targets)
    }
}
