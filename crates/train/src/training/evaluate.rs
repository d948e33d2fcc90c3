//! Accuracy, loss and confusion matrix of a network on labelled data.

use onebit_bits::Engine;
use onebit_data::{Dataset, Standardize};
use onebit_model::{Model, best};
use serde::{Deserialize, Serialize};

use crate::{
    contract::context::Context,
    error::{Error, Result},
    losses::Loss,
    network::Network,
    numeric::matrix::Matrix,
    training::input::input,
};

/// Samples in a batch of evaluation.
const BATCH: usize = 256;

/// Accuracy and loss of a network on labelled data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Share of the samples that are classified correctly.
    pub accuracy: f64,
    /// Mean loss over the samples.
    pub loss: f64,
}

/// Sums over the batches of an evaluation.
struct Sums<'a> {
    data: &'a Dataset,
    loss: &'a dyn Loss,
    right: usize,
    sum: f64,
}

impl<'a> Sums<'a> {
    fn new(data: &'a Dataset, loss: &'a dyn Loss) -> Self {
        Self { data, loss, right: 0, sum: 0.0 }
    }

    /// Adds the scores `(b, o)` of the samples `rows`; returns a matrix whose memory can be reused.
    fn add(&mut self, rows: &[usize], scores: Matrix) -> Result<Matrix> {
        let labels: Vec<u32> = rows.iter().map(|&row| self.data.labels()[row]).collect();
        let right = scores.iter_rows().zip(&labels).filter(|(s, label)| best(s) == **label as usize);
        self.right += right.count();
        let (loss, grad) = self.loss.evaluate(scores, &labels)?;
        self.sum += loss * rows.len() as f64;
        Ok(grad)
    }

    fn evaluation(self) -> Evaluation {
        let n = self.data.len() as f64;
        Evaluation { accuracy: self.right as f64 / n, loss: self.sum / n }
    }
}

/// Evaluates a deployed model on `data`.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{accuracy, config, confusion, data, evaluate, experiment, losses::SoftmaxCrossEntropy};
///
/// let config = config::preset("iris")?;
/// let split = experiment::load(&config, None)?;
/// let model = experiment::training(&config, &split)?.run()?.into_model()?;
///
/// let iris = data::iris();
/// let evaluation = evaluate(&model, &Engine::single(), &iris, &SoftmaxCrossEntropy)?;
/// let counts = confusion(&model, &Engine::single(), &iris)?;
/// let right = counts[0][0] + counts[1][1] + counts[2][2];
/// assert_eq!(evaluation.accuracy, right as f64 / 150.0);
/// assert_eq!(accuracy(&model, &Engine::single(), &iris)?, evaluation.accuracy);
/// # Ok::<(), onebit_train::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] when the data do not have the classes of the model, and the errors of the model.
pub fn evaluate(model: &Model, engine: &Engine, data: &Dataset, loss: &dyn Loss) -> Result<Evaluation> {
    check_classes("evaluate", model, data)?;
    let rows: Vec<usize> = (0..data.len()).collect();
    let session = model.session(engine)?;
    let mut sums = Sums::new(data, loss);
    for rows in rows.chunks(BATCH) {
        sums.add(rows, Matrix::new(rows.len(), model.classes(), session.scores(&data.gather(rows))?)?)?;
    }
    Ok(sums.evaluation())
}

/// Evaluates a network in training on `data`, for networks that cannot be exported.
///
/// # Errors
/// [`Error::Kind`] when the last layer does not return real scores, and the errors of the layers.
pub fn evaluate_network(
    net: &mut Network,
    cx: &Context,
    data: &Dataset,
    standardize: &Standardize,
    loss: &dyn Loss,
) -> Result<Evaluation> {
    let cx = cx.evaluating();
    let rows: Vec<usize> = (0..data.len()).collect();
    let mut sums = Sums::new(data, loss);
    for rows in rows.chunks(BATCH) {
        let scores = net.forward(&cx, input(&cx, data, standardize, rows)?)?.into_real("evaluate")?;
        cx.recycle([sums.add(rows, scores)?]);
    }
    Ok(sums.evaluation())
}

fn check_classes(op: &'static str, model: &Model, data: &Dataset) -> Result<()> {
    if data.classes() == model.classes() {
        Ok(())
    } else {
        Err(Error::shape(op, format!("data of {} classes", model.classes()), data.classes()))
    }
}

/// Returns the confusion matrix of a deployed model: `counts[label][predicted]`.
///
/// # Errors
/// [`Error::Shape`] when the data do not have the classes of the model, and the errors of the model.
pub fn confusion(model: &Model, engine: &Engine, data: &Dataset) -> Result<Vec<Vec<usize>>> {
    check_classes("confusion", model, data)?;
    let mut counts = vec![vec![0; model.classes()]; model.classes()];
    let rows: Vec<usize> = (0..data.len()).collect();
    let session = model.session(engine)?;
    for rows in rows.chunks(BATCH) {
        let predicted = session.classify(&data.gather(rows))?;
        for (&row, predicted) in rows.iter().zip(predicted) {
            counts[data.labels()[row] as usize][predicted] += 1;
        }
    }
    Ok(counts)
}

/// Returns the share of the samples of `data` that a deployed model classifies correctly.
///
/// # Errors
/// Returns the errors of [`confusion`].
pub fn accuracy(model: &Model, engine: &Engine, data: &Dataset) -> Result<f64> {
    let counts = confusion(model, engine, data)?;
    let right: usize = counts.iter().enumerate().map(|(class, counts)| counts[class]).sum();
    Ok(right as f64 / data.len() as f64)
}
