//! Products that are computed in blocks of whole rows, for sinks that take results run by run.

use crate::{
    error::{Result, check_len},
    machine::{Engine, Isa, Kernel, Slices, scratch},
    product::{Open, Put, Update, Updating},
    tensor::BitTensor,
};

/// Elements of a block, which stays in the L2 cache.
const ELEMENTS: usize = 1 << 16;
/// Least rows of a block: the right operand is read once for each block.
const ROWS: usize = 60;

/// Hands a gradient in memory to an [`Update`]. gradient: (m, n), states: slices of m * n elements,
/// weights: (m, n).
///
/// # Errors
/// [`Error::Length`](crate::Error::Length) unless the gradient and the states have m * n elements each.
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
    let sink = Updating { states, weights, update }.open(OP, (m, n))?;
    let height = (ELEMENTS / 4 / n.max(1)).max(1);
    engine.each_index(m.div_ceil(height), |job| {
        let rows = job * height..m.min((job + 1) * height);
        put_rows(engine.isa(), &sink, rows.start, n, &gradient[rows.start * n..rows.end * n]);
    });
    Ok(())
}

/// Calls `product(first row, rows, block)`, which writes whole rows, for all (m, n) results: once if the sink
/// only stores them, otherwise for a block of rows at a time.
pub(crate) fn by_blocks(
    engine: &Engine,
    (m, n): (usize, usize),
    sink: &mut impl Put<f32>,
    product: impl Fn(usize, usize, &mut [f32]) -> Result<()> + Sync,
) -> Result<()> {
    if let Some(out) = sink.whole() {
        return product(0, m, out);
    }
    let (height, sink) = ((ELEMENTS / n.max(1)).max(ROWS), &*sink);
    engine.each_index(m.div_ceil(height), |job| {
        let row = job * height;
        let rows = height.min(m - row);
        let mut block = scratch(rows * n);
        // within a job, a product runs on its own thread
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

/// Hands whole rows to the sink. rows: (.., n), from row `first` of the product on.
fn put_rows<K: Put<f32>>(isa: Isa, sink: &K, first: usize, n: usize, rows: &[f32]) {
    if n > 0 {
        isa.run(PutRows { sink, first, n, rows });
    }
}

impl<K: Put<f32>> Kernel for PutRows<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (row, run) in (self.first..).zip(self.rows.chunks_exact(self.n)) {
            self.sink.put(row, 0, run);
        }
    }
}
