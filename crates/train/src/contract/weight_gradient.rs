//! The gradient of binary weights, `dw = dy^T x`, before it is multiplied out.
//!
//! As a matrix it would be as large as the latent weights, and writing and reading it would cost as much time as
//! the product. So a rule can take it run by run, while each run is in the cache.

use std::borrow::Cow;

use onebit_bits::{
    BitTensor, BitView, Engine, Geometry, Images, Int8, Noise, Panels, ScaledTernary, Slices, Ternary,
    TernaryPanels, Update, bf16_gemm_packed, bf16_gemm_with, conv_dw_f32, conv_dw_f32_with, conv_dw_int8,
    conv_dw_int8_with, int8_gemm_packed, int8_gemm_with, int8_ternary_gemm_packed, int8_ternary_gemm_with,
    real_gemm_packed, real_gemm_with, real_real, real_real_with, real_ternary, real_ternary_with,
    scaled_ternary_gemm, scaled_ternary_gemm_with, vectorized,
};
use serde::{Deserialize, Serialize};

use crate::{
    contract::{context::Context, value::Value},
    error::Result,
    numeric::{jobs::JOB, matrix::Matrix},
};

/// What a gradient is rounded to before it meets bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Not at all.
    #[default]
    F32,
    /// Each sum of four of them to the nearest bf16; not where inputs are dropped.
    Bf16,
    /// To -127..=127, up or down at random, so that the expectation stays, in units of the largest of its row over 127;
    /// the sums are exact. Nothing is clipped: the rare large errors are those of samples that are wrong.
    Int8,
    /// The same to -7..=7.
    Int4,
    /// The same to -1, 0 and 1.
    Ternary,
}

impl Precision {
    /// The largest integer, for those who round to integers.
    pub(crate) fn limit(self) -> Option<u8> {
        match self {
            Self::F32 | Self::Bf16 => None,
            Self::Int8 => Some(127),
            Self::Int4 => Some(7),
            Self::Ternary => Some(1),
        }
    }
}

/// One rounding of a gradient.
#[derive(Clone, Copy)]
pub(crate) enum Rounding {
    None,
    Bf16,
    Int8(Noise, u8),
}

/// `dL/dw = dy^T x`, `(o, i)`, for dy `(b, o)` and x `(b, i)`, or x the patches that a convolution's kernels meet.
pub struct WeightGradient<'a> {
    dy: &'a Matrix,
    x: Operand<'a>,
    rounding: Rounding,
    memory: &'a mut Memory,
}

/// What weights are multiplied by.
#[derive(Clone, Copy)]
pub(crate) enum Operand<'a> {
    /// (b, i)
    Whole(&'a Value),
    /// (b h' w', i): the patches of real pixels.
    Patches(&'a Matrix),
    /// (b h w, c_in) bits, under kernels that walk.
    Walked(&'a BitTensor, Geometry, Images),
}

/// What the product is computed from; kept from step to step.
#[derive(Default)]
pub(crate) struct Memory {
    rounded: Int8,                  // (o, b)
    planes: ScaledTernary,          // the same, rounded to ternaries
    x: Option<Panels>,              // of (b, i), by columns
    dropped: Option<TernaryPanels>, // the same
}

/// The operands, ready for a kernel.
enum Product<'a> {
    RealReal(Matrix, Cow<'a, Matrix>),
    RealBits(Matrix, &'a Panels),
    Bf16Bits(Matrix, &'a Panels),
    ByteBits(&'a Int8, &'a Panels),
    TernaryBits(&'a ScaledTernary, &'a Panels),
    RealTernary(Matrix, &'a Ternary),
    ByteTernary(&'a Int8, &'a TernaryPanels),
    RealWalk(Matrix, &'a BitTensor, Geometry, Images),
    ByteWalk(&'a Int8, &'a BitTensor, Geometry, Images),
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

    /// The whole of it, `(o, i)`.
    ///
    /// # Errors
    /// Those of the kernels.
    pub fn matrix(&mut self, cx: &Context) -> Result<Matrix> {
        let (o, i) = self.shape();
        let mut dw = cx.matrix(o, i);
        let product = self.product(cx)?;
        let (engine, out) = (&cx.engine, dw.values_mut());
        match &product {
            Product::RealReal(dy_t, x) => {
                real_real(engine, (o, x.rows(), i), dy_t.values(), x.values(), out)?
            }
            Product::RealBits(dy_t, x) => real_gemm_packed(engine, dy_t.values(), x, out)?,
            Product::Bf16Bits(dy_t, x) => bf16_gemm_packed(engine, dy_t.values(), x, out)?,
            Product::ByteBits(dy_t, x) => int8_gemm_packed(engine, dy_t, x, out)?,
            Product::TernaryBits(dy_t, x) => scaled_ternary_gemm(engine, dy_t, x, out)?,
            Product::RealTernary(dy_t, x) => real_ternary(engine, dy_t.values(), x, out)?,
            Product::ByteTernary(dy_t, x) => int8_ternary_gemm_packed(engine, dy_t, x, out)?,
            Product::RealWalk(dy_t, x, conv, images) => {
                conv_dw_f32(engine, *conv, dy_t.values(), x.view(), *images, out)?;
            }
            Product::ByteWalk(dy_t, x, conv, images) => {
                conv_dw_int8(engine, *conv, dy_t, x.view(), *images, out)?;
            }
        }
        product.recycle(cx);
        Ok(dw)
    }

    /// Hands it to `update` run by run, with the same elements of `states`: `o * i` each, and of the weights: (o, i).
    ///
    /// # Errors
    /// Those of the kernels.
    pub fn each_run<S: Slices>(
        &mut self,
        cx: &Context,
        states: S,
        weights: &mut BitTensor,
        update: &impl Update<S>,
    ) -> Result<()> {
        let ((o, i), engine) = (self.shape(), &cx.engine);
        let product = self.product(cx)?;
        match &product {
            Product::RealReal(dy_t, x) => {
                let (sizes, dy_t) = ((o, x.rows(), i), dy_t.values());
                real_real_with(engine, sizes, dy_t, x.values(), states, weights, update)?;
            }
            Product::RealBits(dy_t, x) => {
                real_gemm_with(engine, dy_t.values(), x, states, weights, update)?;
            }
            Product::Bf16Bits(dy_t, x) => {
                bf16_gemm_with(engine, dy_t.values(), x, states, weights, update)?;
            }
            Product::ByteBits(dy_t, x) => int8_gemm_with(engine, dy_t, x, states, weights, update)?,
            Product::TernaryBits(dy_t, x) => {
                scaled_ternary_gemm_with(engine, dy_t, x, states, weights, update)?;
            }
            Product::RealTernary(dy_t, x) => {
                real_ternary_with(engine, dy_t.values(), x, states, weights, update)?;
            }
            Product::ByteTernary(dy_t, x) => {
                int8_ternary_gemm_with(engine, dy_t, x, states, weights, update)?;
            }
            Product::RealWalk(dy_t, x, conv, images) => {
                let (walk, dy_t) = ((*conv, *images), dy_t.values());
                conv_dw_f32_with(engine, walk, dy_t, x.view(), states, weights, update)?;
            }
            Product::ByteWalk(dy_t, x, conv, images) => {
                let walk = (*conv, *images);
                conv_dw_int8_with(engine, walk, dy_t, x.view(), states, weights, update)?;
            }
        }
        product.recycle(cx);
        Ok(())
    }

    fn product(&mut self, cx: &Context) -> Result<Product<'_>> {
        let (dy, x, engine) = (self.dy, self.x, &cx.engine);
        let Memory { rounded, planes, x: panels, dropped } = &mut *self.memory;
        let turned = || -> Result<Matrix> {
            let mut dy_t = cx.matrix(dy.cols(), dy.rows());
            dy.transpose_into(engine, &mut dy_t)?;
            Ok(dy_t)
        };
        let mut round = |dy: &Matrix, noise, limit| {
            rounded.set_limit(limit);
            rounded.round_transposed(engine, dy.rows(), dy.cols(), dy.values(), noise)
        };
        let x = match x {
            Operand::Whole(x) => x,
            Operand::Patches(x) => return Ok(Product::RealReal(turned()?, Cow::Borrowed(x))),
            Operand::Walked(x, conv, images) => {
                let Rounding::Int8(noise, limit) = self.rounding else {
                    return Ok(Product::RealWalk(turned()?, x, conv, images));
                };
                round(dy, noise, limit)?;
                return Ok(Product::ByteWalk(rounded, x, conv, images));
            }
        };
        Ok(match (x, self.rounding) {
            (Value::Real(x), _) => Product::RealReal(turned()?, Cow::Borrowed(x)),
            (Value::Bytes(bytes), _) => {
                let mut x = cx.matrix(bytes.rows(), bytes.cols());
                bytes.write_real(x.values_mut());
                Product::RealReal(turned()?, Cow::Owned(x))
            }
            (Value::Bits(x), Rounding::None) => Product::RealBits(turned()?, for_reals(panels, engine, x)),
            (Value::Bits(x), Rounding::Bf16) => Product::Bf16Bits(turned()?, for_reals(panels, engine, x)),
            (Value::Bits(x), Rounding::Int8(noise, 1)) => {
                planes.round_transposed(engine, dy.rows(), dy.cols(), dy.values(), noise)?;
                Product::TernaryBits(planes, columns(panels, engine, x, Panels::of_columns))
            }
            (Value::Bits(x), Rounding::Int8(noise, limit)) => {
                round(dy, noise, limit)?;
                Product::ByteBits(rounded, for_reals(panels, engine, x))
            }
            (Value::Ternary(x, scale), Rounding::None | Rounding::Bf16) => {
                let mut dy_t = turned()?;
                multiply(engine, dy_t.values_mut(), *scale)?;
                Product::RealTernary(dy_t, x)
            }
            (Value::Ternary(x, scale), Rounding::Int8(noise, limit)) => {
                let mut scaled = cx.matrix(dy.rows(), dy.cols());
                scaled.values_mut().copy_from_slice(dy.values());
                multiply(engine, scaled.values_mut(), *scale)?;
                round(&scaled, noise, limit)?;
                cx.recycle([scaled]);
                Product::ByteTernary(rounded, ternary_columns(dropped, engine, x))
            }
        })
    }
}

impl Product<'_> {
    fn recycle(self, cx: &Context) {
        match self {
            Self::RealReal(dy_t, Cow::Owned(x)) => cx.recycle([dy_t, x]),
            Self::RealReal(dy_t, _)
            | Self::RealBits(dy_t, _)
            | Self::Bf16Bits(dy_t, _)
            | Self::RealTernary(dy_t, _)
            | Self::RealWalk(dy_t, ..) => cx.recycle([dy_t]),
            Self::ByteBits(..) | Self::TernaryBits(..) | Self::ByteTernary(..) | Self::ByteWalk(..) => {}
        }
    }
}

/// The columns of x, `(b, i)`, packed again for reals and bytes.
fn for_reals<'a>(panels: &'a mut Option<Panels>, engine: &Engine, x: &BitTensor) -> &'a Panels {
    columns(panels, engine, x, Panels::of_columns_for_reals)
}

/// The columns of x, `(b, i)`, packed again; always the same way.
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

/// The same with zeros among the bits.
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
