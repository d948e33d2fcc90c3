//! How well a network does on labelled data: the deployed one, or the one that learns.

use onebit_bits::Engine;
use onebit_data::{Dataset, Standardize};
use onebit_model::{Model, best};
use serde::{Deserialize, Serialize};

use crate::{
    contract::context::Context, error::Result, losses::Loss, network::Network, numeric::matrix::Matrix,
    training::input::input,
};

/// Samples classified at once by a deployed network.
const BATCH: usize = 256;

/// Samples classified at once by a network that learns, whose layers hand on real numbers.
const LEARNING_BATCH: usize = 256;

/// How a network does on labelled data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Share of the samples that it classifies right.
    pub accuracy: f64,
    /// Mean loss over the samples.
    pub loss: f64,
}

/// Adds up the judgements of batches.
struct Tally<'a> {
    data: &'a Dataset,
    loss: &'a dyn Loss,
    right: usize,
    sum: f64,
}

impl<'a> Tally<'a> {
    fn new(data: &'a Dataset, loss: &'a dyn Loss) -> Self {
        Self { data, loss, right: 0, sum: 0.0 }
    }

    /// Counts the scores of the samples `rows`, `(b, o)`, and returns their memory.
    fn add(&mut self, rows: &[usize], scores: Matrix) -> Result<Matrix> {
        let labels: Vec<u32> = rows.iter().map(|&row| self.data.labels()[row]).collect();
        let right = scores.iter_rows().zip(&labels).filter(|(s, label)| best(s) == **label as usize);
        self.right += right.count();
        let (loss, grad) = self.loss.evaluate(scores, &labels)?;
        self.sum += loss * rows.len() as f64;
        Ok(grad)
    }

    fn judgement(self) -> Judgement {
        let n = self.data.len() as f64;
        Judgement { accuracy: self.right as f64 / n, loss: self.sum / n }
    }
}

/// How a deployed network does on `data`.
///
/// # Errors
/// Those of the model, and a shape error when the data has other classes than it.
pub fn judge(model: &Model, engine: &Engine, data: &Dataset, loss: &dyn Loss) -> Result<Judgement> {
    check_classes("judge", model, data)?;
    let rows: Vec<usize> = (0..data.len()).collect();
    let session = model.session(engine)?;
    let mut tally = Tally::new(data, loss);
    for rows in rows.chunks(BATCH) {
        tally.add(rows, Matrix::new(rows.len(), model.classes(), session.scores(&data.gather(rows))?)?)?;
    }
    Ok(tally.judgement())
}

/// How a network that learns does on `data`: for networks that cannot be exported.
///
/// # Errors
/// Those of the layers, [`Error::Kind`](crate::Error::Kind) when the last one gives no real scores.
pub fn judge_network(
    net: &mut Network,
    cx: &Context,
    data: &Dataset,
    standardize: &Standardize,
    loss: &dyn Loss,
) -> Result<Judgement> {
    let cx = cx.evaluating();
    let rows: Vec<usize> = (0..data.len()).collect();
    let mut tally = Tally::new(data, loss);
    for rows in rows.chunks(LEARNING_BATCH) {
        let scores = net.forward(&cx, input(&cx, data, standardize, rows)?)?.into_real("judge")?;
        cx.recycle([tally.add(rows, scores)?]);
    }
    Ok(tally.judgement())
}

fn check_classes(op: &'static str, model: &Model, data: &Dataset) -> Result<()> {
    match data.classes() == model.classes() {
        true => Ok(()),
        false => Err(crate::Error::shape(op, format!("data of {} classes", model.classes()), data.classes())),
    }
}

/// How often each class was taken for each: `counts[label][predicted]`.
///
/// # Errors
/// Those of the model, and a shape error when the data has other classes than it.
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

/// Share of the samples of `data` that `model` classifies right.
///
/// # Errors
/// As [`confusion`].
pub fn accuracy(model: &Model, engine: &Engine, data: &Dataset) -> Result<f64> {
    let counts = confusion(model, engine, data)?;
    let right: usize = counts.iter().enumerate().map(|(class, counts)| counts[class]).sum();
    Ok(right as f64 / data.len() as f64)
}
