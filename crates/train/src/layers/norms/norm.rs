//! What batch norm and shift-based batch norm have in common: parameters of features, running statistics, sums.

use onebit_bits::vectorized;

use crate::{
    contract::state::State,
    error::Result,
    numeric::{batch_blocks::Block, batch_sums::rows_of, matrix::Matrix},
};

/// What one backward pass found, besides `dL/dx`.
#[derive(Clone, Debug, Default)]
pub struct BatchNormGradients {
    /// `dL/dgamma`, `(x)`.
    pub dgamma: Vec<f32>,
    /// `dL/dbeta`, `(x)`.
    pub dbeta: Vec<f32>,
}

/// What a batch is normalized by, or in evaluation its running mean over batches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchNormStatistics {
    /// `mean`, `(x)`.
    pub mean: Vec<f32>,
    /// `1 / sqrt(variance + eps)` with the biased variance, `(x)`.
    pub inv_std: Vec<f32>,
}

impl BatchNormStatistics {
    /// The running ones follow a batch: the first sets them, then `new = (1 - share) old + share batch`.
    pub(crate) fn follow(running: &mut Option<Self>, batch: &Self, share: f32) {
        let Some(running) = running else {
            *running = Some(batch.clone());
            return;
        };
        for (old, new) in [(&mut running.mean, &batch.mean), (&mut running.inv_std, &batch.inv_std)] {
            old.iter_mut().zip(new).for_each(|(old, new)| *old = (1.0 - share) * *old + share * new);
        }
    }

    /// The state of running ones, which may not be there yet; those of a batch say how long they are.
    pub(crate) fn state(running: &mut Option<Self>, batch: &Self, state: &mut State) -> Result<()> {
        let mut there = running.is_some();
        state.flag("running", &mut there)?;
        *running = there.then(|| running.take().unwrap_or_else(|| batch.clone()));
        if let Some(running) = running {
            state.reals("running_mean", &mut running.mean)?;
            state.reals("running_inv_std", &mut running.inv_std)?;
        }
        Ok(())
    }
}

vectorized! {
    /// `x <- (x - mean) scale + shift`; x: whole rows.
    pub(crate) fn affine<'a>(x: &'a mut [f32], mean: &'a [f32], scale: &'a [f32], shift: &'a [f32]) {
        for row in x.chunks_exact_mut(mean.len()) {
            for (((x, mean), scale), shift) in row.iter_mut().zip(mean).zip(scale).zip(shift) {
                *x = (*x - mean) * scale + shift;
            }
        }
    }
}

vectorized! {
    /// Adds the rows of a part to its features' `sum dy x_hat` and `sum dy`.
    pub(crate) fn add_gradients<'a>(dy: &'a Matrix, x_hat: &'a Matrix, part: Block, sums: [&'a mut [f32]; 2]) {
        let [dgamma, dbeta] = sums;
        for (dy, x_hat) in rows_of(dy, part).zip(rows_of(x_hat, part)) {
            for ((dgamma, dbeta), (dy, x_hat)) in dgamma.iter_mut().zip(&mut *dbeta).zip(dy.iter().zip(x_hat)) {
                *dbeta += dy;
                *dgamma += dy * x_hat;
            }
        }
    }
}
