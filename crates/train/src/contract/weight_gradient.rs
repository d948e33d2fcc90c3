//! The gradient of binary weights, `dw = dy^T x`, before it is multiplied out.
//!
//! The matrix would be as large as the latent weights, and to write and read it would take as long as the
//! product. So a rule can take it run by run, while each run is in the cache.

use onebit_bits::{
    BitTensor, BitView, Columns, Engine, Geometry, Images, Left, Panels, Patches, RealView, Sink, Slices,
    Ternary, TernaryPanels, Update, Updating, product, vectorized,
};

use crate::{
    contract::{
        context::Context,
        rounding::{self, Rounding, turned},
        value::Value,
    },
    error::Result,
    numeric::{jobs::JOB, matrix::Matrix},
};

/// `dL/dw = dy^T x`, `(o, i)`, for dy `(b, o)` and x `(b, i)`, or, for a convolution, x the patches of its
/// images.
pub struct WeightGradient<'a> {
    dy: &'a Matrix,
    x: Operand<'a>,
    rounding: Rounding,
    memory: &'a mut Memory,
}

/// The input that the weights are multiplied by.
#[derive(Clone, Copy)]
pub(crate) enum Operand<'a> {
    /// (b, i)
    Whole(&'a Value),
    /// (b h' w', i): the patches of real pixels.
    Patches(&'a Matrix),
    /// (b h w, c_in) bits, under kernels that walk.
    Walked(&'a BitTensor, Geometry, Images),
}

/// Buffers of the product's operands, reused from step to step.
#[derive(Default)]
pub(crate) struct Memory {
    dy: rounding::Memory,           // (o, b)
    x: Option<Panels>,              // of (b, i), by columns
    dropped: Option<TernaryPanels>, // the same with zeros
}

impl<'a> WeightGradient<'a> {
    pub(crate) fn new(dy: &'a Matrix, x: Operand<'a>, rounding: Rounding, memory: &'a mut Memory) -> Self {
        Self { dy, x, rounding, memory }
    }

    /// (o, i)
    pub fn shape(&self) -> (usize, usize) {
        let inputs = match self.x {
            Operand::Whole(x) => x.cols(),
            Operand::Patches(x) => x.cols(),
            Operand::Walked(_, conv, _) => conv.kernel.0 * conv.kernel.1 * (conv.c_in / conv.groups.max(1)),
        };
        (self.dy.cols(), inputs)
    }

    /// Computes the whole matrix, `(o, i)`.
    ///
    /// # Errors
    /// Returns the errors of the kernels.
    pub fn matrix(&mut self, cx: &Context) -> Result<Matrix> {
        let (o, i) = self.shape();
        let mut dw = cx.matrix(o, i);
        self.multiply(cx, dw.values_mut())?;
        Ok(dw)
    }

    /// Passes the gradient to `update` run by run, with the same elements of `states`, which have `o * i`
    /// each, and of the weights, (o, i).
    ///
    /// # Errors
    /// Returns the errors of the kernels.
    pub fn each_run<S: Slices>(
        &mut self,
        cx: &Context,
        states: S,
        weights: &mut BitTensor,
        update: &impl Update<S>,
    ) -> Result<()> {
        self.multiply(cx, Updating { states, weights, update })
    }

    fn multiply<K: Sink<f32>>(&mut self, cx: &Context, sink: K) -> Result<()> {
        let (dy, rounding, engine) = (self.dy, self.rounding, &cx.engine);
        let Memory { dy: memory, x: panels, dropped } = &mut *self.memory;
        match self.x {
            Operand::Patches(x) | Operand::Whole(Value::Real(x)) => reals(cx, dy, x, sink),
            Operand::Whole(Value::Bytes(bytes)) => {
                let mut x = cx.matrix(bytes.rows(), bytes.cols());
                bytes.write_real(x.values_mut());
                reals(cx, dy, &x, sink)?;
                cx.recycle([x]);
                Ok(())
            }
            Operand::Whole(Value::Bits(x)) => {
                let dy_t = rounding.columns(cx, dy, memory)?;
                let pack = if dy_t.counts() { Panels::of_columns } else { Panels::of_columns_for_reals };
                dy_t.multiply(engine, columns(panels, engine, x, pack), sink)?;
                dy_t.recycle(cx);
                Ok(())
            }
            Operand::Whole(Value::Ternary(x, scale)) => {
                let mut scaled = cx.matrix(dy.rows(), dy.cols());
                scaled.values_mut().copy_from_slice(dy.values());
                multiply(engine, scaled.values_mut(), *scale)?;
                match rounding.bytes() {
                    Some(bytes) => {
                        let dy_t = memory.columns(engine, &scaled, bytes)?;
                        product(engine, dy_t, ternary_columns(dropped, engine, x), sink)?;
                    }
                    None => by_reals(cx, &scaled, Columns(x), sink)?,
                }
                cx.recycle([scaled]);
                Ok(())
            }
            Operand::Walked(x, geometry, images) => {
                let patches = Patches { geometry, images, x: x.view() };
                match rounding.bytes() {
                    Some(bytes) => Ok(product(engine, memory.columns(engine, dy, bytes)?, patches, sink)?),
                    None => by_reals(cx, dy, patches, sink),
                }
            }
        }
    }
}

/// `dy^T x` for a right operand that takes reals.
fn by_reals<R, K>(cx: &Context, dy: &Matrix, x: R, sink: K) -> Result<()>
where
    for<'a> &'a [f32]: Left<R, K>,
{
    let dy_t = turned(cx, dy)?;
    product(&cx.engine, dy_t.values(), x, sink)?;
    cx.recycle([dy_t]);
    Ok(())
}

/// `dy^T x` for x: (b, i) reals.
fn reals<K: Sink<f32>>(cx: &Context, dy: &Matrix, x: &Matrix, sink: K) -> Result<()> {
    by_reals(cx, dy, Columns(RealView { rows: x.rows(), cols: x.cols(), values: x.values() }), sink)
}

/// Packs the columns of x, `(b, i)`, anew.
fn columns<'a>(
    panels: &'a mut Option<Panels>,
    engine: &Engine,
    x: &BitTensor,
    pack: impl Fn(&Engine, BitView) -> Panels,
) -> &'a Panels {
    if let Some(panels) = panels {
        panels.repack(engine, x.view());
    }
    panels.get_or_insert_with(|| pack(engine, x.view()))
}

/// Packs the columns of ternaries anew.
fn ternary_columns<'a>(
    panels: &'a mut Option<TernaryPanels>,
    engine: &Engine,
    x: &Ternary,
) -> &'a TernaryPanels {
    if let Some(panels) = panels {
        panels.repack(engine, x);
    }
    panels.get_or_insert_with(|| TernaryPanels::of_columns_for_reals(engine, x))
}

fn multiply(engine: &Engine, values: &mut [f32], by: f32) -> Result<()> {
    Ok(engine.chunks(values, JOB, |_, values| multiply_part(engine.isa(), values, by))?)
}

vectorized! {
    fn multiply_part<'a>(values: &'a mut [f32], by: f32) {
        for value in values {
            *value *= by;
        }
    }
}
