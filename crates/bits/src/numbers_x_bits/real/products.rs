//! Reals x bits by tables of the sums of four values; x ternaries and x reals one product after the other.
//!
//! With `y = x w^T` over (b, o), (b, i), (o, i), the gradients are `dx = dy w` and `dw = dy^T x`.

use super::{
    half::Halves,
    micro::{Right, multiply_blocks},
    table::Reals,
};
use crate::{
    error::{Result, check_len},
    machine::{Engine, has_bf16},
    numbers_x_bits::multiply,
    panels::Panels,
    product::{Bf16, Columns, Multiply, PRODUCT, RealView, Sink, rows_of},
    tensor::{BitView, Ternary},
};

impl<K: Sink<f32>> Multiply<&Panels, K> for &[f32] {
    fn multiply(self, engine: &Engine, right: &Panels, sink: K) -> Result<()> {
        let m = rows_of(self.len(), (right.k(), right.n()), &sink)?;
        let left = Reals::of(PRODUCT, engine, m, self, right)?;
        multiply(engine, &left, &[right], &sink.open(PRODUCT, (m, right.n()))?);
        Ok(())
    }
}

/// Packs the rows of the right operand first.
impl<K: Sink<f32>> Multiply<BitView<'_>, K> for &[f32] {
    fn multiply(self, engine: &Engine, right: BitView<'_>, sink: K) -> Result<()> {
        rows_of(self.len(), (right.cols(), right.rows()), &sink)?;
        self.multiply(engine, &Panels::of_rows_for_reals(engine, right), sink)
    }
}

/// Packs the columns of the right operand first.
impl<K: Sink<f32>> Multiply<Columns<BitView<'_>>, K> for &[f32] {
    fn multiply(self, engine: &Engine, Columns(right): Columns<BitView<'_>>, sink: K) -> Result<()> {
        rows_of(self.len(), right.shape(), &sink)?;
        self.multiply(engine, &Panels::of_columns_for_reals(engine, right), sink)
    }
}

/// By the processor's instruction, or by what stands in for it.
impl<K: Sink<f32>> Multiply<&Panels, K> for Bf16<'_> {
    fn multiply(self, engine: &Engine, right: &Panels, sink: K) -> Result<()> {
        let Bf16(values) = self;
        let m = rows_of(values.len(), (right.k(), right.n()), &sink)?;
        if has_bf16() {
            let left = Halves::<true>::of(PRODUCT, engine, m, values, right)?;
            multiply(engine, &left, &[right], &sink.open(PRODUCT, (m, right.n()))?);
        } else {
            let left = Halves::<false>::of(PRODUCT, engine, m, values, right)?;
            multiply(engine, &left, &[right], &sink.open(PRODUCT, (m, right.n()))?);
        }
        Ok(())
    }
}

impl<K: Sink<f32>> Multiply<Columns<&Ternary>, K> for &[f32] {
    fn multiply(self, engine: &Engine, Columns(right): Columns<&Ternary>, sink: K) -> Result<()> {
        multiply_blocks(engine, self, right.shape(), Right::Ternary(right), sink)
    }
}

impl<K: Sink<f32>> Multiply<Columns<RealView<'_>>, K> for &[f32] {
    fn multiply(self, engine: &Engine, Columns(right): Columns<RealView<'_>>, sink: K) -> Result<()> {
        let RealView { rows, cols, values } = right;
        check_len(PRODUCT, "right", (rows, cols), values.len())?;
        multiply_blocks(engine, self, (rows, cols), Right::Real(values, cols), sink)
    }
}
