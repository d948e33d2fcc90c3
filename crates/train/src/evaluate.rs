//! How well a deployed network does on labelled data.

use onebit_bits::Engine;
use onebit_model::Model;

use crate::{data::Dataset, error::Result};

/// Samples classified at once.
const BATCH: usize = 1024;

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
    for rows in rows.chunks(BATCH) {
        let predicted = model.classify(engine, &data.gather(rows))?;
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
