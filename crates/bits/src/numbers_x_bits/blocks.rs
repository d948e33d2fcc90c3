//! Gradients of weights, block of rows by block of rows, that go to an [`Update`] while they are in the cache.
//!
//! For products that have no run-by-run form of their own: reals x reals, and reals x bits under dropout; and for a
//! gradient that is there already. What an update gets is what the product without `_with` returns, bit for bit.

use super::{
    contract::Sink,
    update::{Update, Updating},
};
use crate::{
    error::{Result, check_len},
    machine::{Engine, Isa, Kernel, Slices, scratch},
    numbers_x_bits::{real_real, real_ternary},
    tensor::{BitTensor, Ternary},
};

/// Elements of a block: they stay in the L2 cache.
const ELEMENTS: usize = 1 << 16;
/// Rows of a block at least, for which the right operand is read once.
const ROWS: usize = 60;

/// [`real_real`], whose results go to an [`Update`] instead of memory.
///
/// a: (m, k), b: (k, n), states: slices of m * n elements, weights: (m, n).
///
/// # Errors
/// [`Error::Length`](crate::Error::Length), [`Error::Shape`](crate::Error::Shape) unless the operands fit.
pub fn real_real_with<S: Slices, U: Update<S>>(
    engine: &Engine,
    (m, k, n): (usize, usize, usize),
    a: &[f32],
    b: &[f32],
    states: S,
    weights: &mut BitTensor,
    update: &U,
) -> Result<()> {
    const OP: &str = "real_real_with";
    check_len(OP, "a", (m, k), a.len())?;
    check_len(OP, "b", (k, n), b.len())?;
    let sink = Updating::new(OP, (m, n), states, weights, update)?;
    by_blocks(engine, (m, n), &sink, |row, rows, block| {
        real_real(engine, (rows, k, n), &a[row * k..][..rows * k], b, block)
    })
}

/// [`real_ternary`], whose results go to an [`Update`] instead of memory.
///
/// a: (m, k), x: (k, n), states: slices of m * n elements, weights: (m, n).
///
/// # Errors
/// As [`real_real_with`].
pub fn real_ternary_with<S: Slices, U: Update<S>>(
    engine: &Engine,
    a: &[f32],
    x: &Ternary,
    states: S,
    weights: &mut BitTensor,
    update: &U,
) -> Result<()> {
    const OP: &str = "real_ternary_with";
    let (m, (k, n)) = (weights.rows(), x.shape());
    check_len(OP, "a", (m, k), a.len())?;
    let sink = Updating::new(OP, (m, n), states, weights, update)?;
    by_blocks(engine, (m, n), &sink, |row, rows, block| {
        real_ternary(engine, &a[row * k..][..rows * k], x, block)
    })
}

/// Hands a gradient to an [`Update`]. gradient: (m, n), states: slices of m * n elements, weights: (m, n).
///
/// # Errors
/// As [`real_real_with`].
pub fn update_with<S: Slices, U: Update<S>>(
    engine: &Engine,
    gradient: &[f32],
    states: S,
    weights: &mut BitTensor,
    update: &U,
) -> Result<()> {
    const OP: &str = "update_with";
    let (m, n) = weights.shape();
    check_len(OP, "gradient", (m, n), gradient.len())?;
    let sink = Updating::new(OP, (m, n), states, weights, update)?;
    let height = (ELEMENTS / 4 / n.max(1)).max(1);
    engine.each_index(m.div_ceil(height), |job| {
        let rows = job * height..m.min((job + 1) * height);
        put_rows(engine.isa(), &sink, rows.start, n, &gradient[rows.start * n..rows.end * n]);
    });
    Ok(())
}

/// `product(first row, rows, block)` writes whole rows.
pub(crate) fn by_blocks(
    engine: &Engine,
    (m, n): (usize, usize),
    sink: &impl Sink<f32>,
    product: impl Fn(usize, usize, &mut [f32]) -> Result<()> + Sync,
) -> Result<()> {
    let height = (ELEMENTS / n.max(1)).max(ROWS);
    engine.each_index(m.div_ceil(height), |job| {
        let row = job * height;
        let rows = height.min(m - row);
        let mut block = scratch(rows * n);
        // within a job it runs on this thread
        product(row, rows, &mut block).expect("the operands were checked");
        put_rows(engine.isa(), sink, row, n, &block);
    });
    Ok(())
}

struct PutRows<'a, K> {
    sink: &'a K,
    first: usize,
    n: usize,
    rows: &'a [f32],
}

/// rows: (.., n), from row `first` of the product on.
fn put_rows<K: Sink<f32>>(isa: Isa, sink: &K, first: usize, n: usize, rows: &[f32]) {
    if n > 0 {
        isa.run(PutRows { sink, first, n, rows });
    }
}

impl<K: Sink<f32>> Kernel for PutRows<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (row, run) in (self.first..).zip(self.rows.chunks_exact(self.n)) {
            self.sink.put(row, 0, run);
        }
    }
}
