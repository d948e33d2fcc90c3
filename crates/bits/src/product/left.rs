//! Left operands, and the entry to all products.

use crate::{
    error::{Result, check_len},
    machine::Engine,
    product::Sink,
};

/// The operation that errors of products name.
pub(crate) const PRODUCT: &str = "product";

/// `out = left right^T`, handed to `sink`: see [`product`](mod@crate::product) for the pairs that have a
/// kernel.
///
/// left: (m, k); right: n rows of k values; the sink takes (m, n). A slice as left operand has as many rows
/// as whole rows of k values fit into it.
///
/// ```
/// use onebit_bits::{BitTensor, Engine, Panels, Ternary, product};
///
/// let engine = Engine::single();
/// let x = Ternary::from_i32(1, 3, &[4, 0, 7])?; // +1 0 +1: (b = 1, i = 3)
/// let weights = BitTensor::from_fn(2, 3, |o, _| o == 0); // +1 +1 +1, -1 -1 -1: (o = 2, i = 3)
/// let mut y = [0; 2];
/// product(&engine, &x, weights.view(), &mut y[..])?;
/// assert_eq!(y, [2, -2]);
/// // weights that serve more than once are packed once
/// let panels = Panels::of_rows(&engine, weights.view());
/// product(&engine, &x, &panels, &mut y[..])?;
/// assert_eq!(y, [2, -2]);
/// # Ok::<(), onebit_bits::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) or [`Error::Length`](crate::Error::Length) unless operands and sink
/// fit; [`Error::Packed`](crate::Error::Packed) if panels are for another instruction set or another use;
/// [`Error::TooLarge`](crate::Error::TooLarge) if sums might not fit: above `i32`, or above `i8` for votes in
/// bytes.
pub fn product<L: Left<R, K>, R, K>(engine: &Engine, left: L, right: R, sink: K) -> Result<()> {
    left.multiply(engine, right, sink)
}

/// A left operand that has a product with the right operand `R` into the sink `K`.
pub trait Left<R, K>: Multiply<R, K> {}

impl<L: Multiply<R, K>, R, K> Left<R, K> for L {}

/// How a product is computed; not nameable outside of the crate.
#[diagnostic::on_unimplemented(message = "`{Self}` has no product with `{R}` that goes to `{K}`")]
pub trait Multiply<R, K>: Sized {
    /// Checks the operands, multiplies, and hands the results to the sink.
    fn multiply(self, engine: &Engine, right: R, sink: K) -> Result<()>;
}

/// Reals whose sums of four are rounded to bf16: (m, k), row after row.
#[derive(Clone, Copy, Debug)]
pub struct Bf16<'a>(pub &'a [f32]);

/// A right operand given by columns: (k, n), so that the product is `left right` rather than `left right^T`.
#[derive(Clone, Copy, Debug)]
pub struct Columns<T>(pub T);

/// A matrix of reals, row after row.
#[derive(Clone, Copy, Debug)]
pub struct RealView<'a> {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// `rows * cols` values.
    pub values: &'a [f32],
}

/// Rows of a left operand of `len` values that meets n rows of k. With k = 0 the sink knows.
pub(crate) fn rows_of<T, K: Sink<T>>(len: usize, (k, n): (usize, usize), sink: &K) -> Result<usize> {
    let m = len.checked_div(k).or_else(|| sink.rows(n)).unwrap_or(0);
    check_len(PRODUCT, "left", (m, k), len)?;
    Ok(m)
}
