//! How well a network does on labelled data: the deployed one, or the one that learns.

use onebit_bits::Engine;
use onebit_model::{Model, best};

use crate::{
    data::{Dataset, Standardize},
    error::Result,
    layer::Context,
    network::Network,
    trainer::input,
};

/// Samples classified at once by a deployed network.
const BATCH: usize = 256;

/// Samples classified at once by a network that learns, whose layers hand on real numbers.
const LEARNING_BATCH: usize = 256;

/// How often each class was taken for each: `counts[label][predicted]`.
///
/// # Errors
/// Those of the model, and a shape error when the data has other classes than it.
pub fn confusion(model: &Model, engine: &Engine, data: &Dataset) -> Result<Vec<Vec<usize>>> {
    if data.classes() != model.classes() {
        let expected = format!("data of {} classes", model.classes());
        return Err(crate::Error::shape("confusion", expected, data.classes()));
    }
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

/// Share of the samples of `data` that `net`, which learns, classifies right: for networks that cannot be exported.
///
/// # Errors
/// Those of the layers, [`Error::Kind`](crate::Error::Kind) when the last one gives no real scores.
pub fn network_accuracy(
    net: &mut Network,
    cx: &Context,
    data: &Dataset,
    standardize: &Standardize,
) -> Result<f64> {
    let cx = cx.evaluating();
    let rows: Vec<usize> = (0..data.len()).collect();
    let mut right = 0;
    for rows in rows.chunks(LEARNING_BATCH) {
        let scores = net.forward(&cx, input(&cx, data, standardize, rows)?)?.into_real("accuracy")?;
        let labels = rows.iter().map(|&row| data.labels()[row] as usize);
        right += scores.iter_rows().zip(labels).filter(|(scores, label)| best(scores) == *label).count();
        cx.recycle([scores]);
    }
    Ok(right as f64 / data.len() as f64)
}
