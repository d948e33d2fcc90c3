//! Real activations as a sum of bits: `x ~ sum_n beta_n A_n` (arXiv:1711.11294, section 3.2).
//!
//! `A_n = 2 [clip(x + v_n, 0, 1) >= 1/2] - 1`, so bit n is `x >= 1/2 - v_n`. Backward:
//! `dA_n/dx = dA_n/dv_n = [0 <= x + v_n <= 1]`.

use onebit_bits::{BitTensor, Engine, pack_at_least};

use crate::{
    contract::{context::Context, state::State},
    error::{Error, Result},
    numeric::matrix::Matrix,
    optimizers::{Optimizer, real_tensor::RealTensor},
};

/// The learned shifts v and factors beta, (n) both.
pub(crate) struct Thresholds {
    pub(crate) shifts: RealTensor,
    pub(crate) factors: RealTensor,
}

/// The gradients of shifts and factors from one backward pass.
#[derive(Default)]
pub(crate) struct Slopes {
    pub(crate) shifts: Vec<f32>,
    pub(crate) factors: Vec<f32>,
}

impl Thresholds {
    /// Starts with `v` from -1/2 to 3/2 (1/2, the sign, for a single one), so thresholds from 1 to -1, and
    /// `beta = 1 / n`.
    pub(crate) fn new<O: Optimizer + 'static>(count: usize, optimizer: &impl Fn() -> O) -> Self {
        let shift = |n: usize| if count > 1 { 2.0 * n as f32 / (count - 1) as f32 - 0.5 } else { 0.5 };
        Self {
            shifts: RealTensor::new((0..count).map(shift).collect(), optimizer()),
            factors: RealTensor::new(vec![1.0 / count as f32; count], optimizer()),
        }
    }

    /// Starts again from these shifts and factors.
    pub(crate) fn restart(&mut self, shifts: Vec<f32>, factors: Vec<f32>) -> Result<()> {
        let count = self.shifts.values().len();
        for (name, got) in [("shifts", shifts.len()), ("factors", factors.len())] {
            if got != count {
                return Err(Error::shape("abc", format!("{count} {name}"), got));
            }
        }
        self.shifts.restart(shifts);
        self.factors.restart(factors);
        Ok(())
    }

    /// Returns `A_n` of x, one for each shift.
    pub(crate) fn bits(&self, engine: &Engine, x: &Matrix) -> Result<Vec<BitTensor>> {
        let (rows, cols) = x.shape();
        let ascending = BitTensor::zeros(1, cols);
        let pack =
            |v: &f32| pack_at_least(engine, rows, cols, x.values(), &vec![0.5 - v; cols], ascending.view());
        Ok(self.shifts.values().iter().map(pack).collect::<Result<_, _>>()?)
    }

    /// Turns `grad`, the gradient of `sum beta_n A_n`, into dx and returns the slopes, summed in f64 row by
    /// row.
    pub(crate) fn backward(&self, cx: &Context, x: &Matrix, grad: &mut Matrix) -> Result<Slopes> {
        let cols = x.cols().max(1);
        let engine = &cx.engine;
        let mut slopes = Slopes::default();
        for (v, beta) in self.shifts.values().iter().zip(self.factors.values()) {
            let mut rows = vec![[0.0; 2]; x.rows()];
            engine.chunks(&mut rows[..], (4096 / cols).max(1), |first, rows| {
                let inputs = x.iter_rows().skip(first).zip(grad.iter_rows().skip(first));
                for ([shift, factor], (x, grad)) in rows.iter_mut().zip(inputs) {
                    for (x, g) in x.iter().zip(grad) {
                        *shift += f64::from(if gate(*x, *v) { *g } else { 0.0 });
                        *factor += f64::from(if *x >= 0.5 - v { *g } else { -g });
                    }
                }
            })?;
            let total = |which: usize| rows.iter().map(|row| row[which]).sum::<f64>();
            slopes.shifts.push((f64::from(*beta) * total(0)) as f32);
            slopes.factors.push(total(1) as f32);
        }
        let (shifts, factors) = (self.shifts.values(), self.factors.values());
        engine.chunks((grad.values_mut(), x.values()), 4096, |_, (grad, x)| {
            for (g, x) in grad.iter_mut().zip(x) {
                let mut open = 0.0;
                for (v, beta) in shifts.iter().zip(factors) {
                    open += if gate(*x, *v) { *beta } else { 0.0 };
                }
                *g *= open;
            }
        })?;
        Ok(slopes)
    }

    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.within("shifts", |state| self.shifts.state(state))?;
        state.within("factors", |state| self.factors.state(state))
    }
}

#[inline(always)]
fn gate(x: f32, v: f32) -> bool {
    (0.0..=1.0).contains(&(x + v))
}
