//! Rounding of gradients to fewer bits, before they are multiplied by the bits of weights or inputs.
//!
//! A new precision is a variant of [`Precision`], an arm of [`Precision::rounding`], and a variant of
//! `Rounded` with its product.

use std::borrow::Cow;

use onebit_bits::{Bf16, Engine, Int8, Noise, Panels, ScaledTernary, Sink, product};
use serde::{Deserialize, Serialize};

use crate::{contract::context::Context, error::Result, numeric::matrix::Matrix};

/// The numbers that a gradient is rounded to before it is multiplied by bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Full f32.
    #[default]
    F32,
    /// Each sum of four values to the nearest bf16. Where inputs are dropped, and in convolutions, this is
    /// f32.
    Bf16,
    /// To -127..=127 in units of the largest magnitude of its row over 127, up or down at random, so that the
    /// expectation stays. The sums are exact. Nothing is clipped, because the rare large errors belong to
    /// samples that are wrong.
    Int8,
    /// To -7..=7, otherwise as `Int8`.
    Int4,
    /// To -1, 0 and 1, otherwise as `Int8`.
    Ternary,
}

impl Precision {
    /// One rounding to this precision.
    pub(crate) fn rounding(self, noise: Noise) -> Rounding {
        match self {
            Self::F32 => Rounding::None,
            Self::Bf16 => Rounding::Bf16,
            Self::Int8 => Rounding::Bytes(noise, 127),
            Self::Int4 => Rounding::Bytes(noise, 7),
            Self::Ternary => Rounding::Ternary(noise),
        }
    }
}

/// One rounding of a gradient.
#[derive(Clone, Copy)]
pub(crate) enum Rounding {
    None,
    Bf16,
    /// Rounds to integers up to a limit.
    Bytes(Noise, u8),
    Ternary(Noise),
}

impl Rounding {
    /// The noise and limit for products that take only f32 and bytes: ternaries are bytes up to 1, bf16 is
    /// f32.
    pub(crate) fn bytes(self) -> Option<(Noise, u8)> {
        match self {
            Self::None | Self::Bf16 => None,
            Self::Bytes(noise, limit) => Some((noise, limit)),
            Self::Ternary(noise) => Some((noise, 1)),
        }
    }

    /// A gradient, `(b, o)`, rounded row by row.
    pub(crate) fn rows<'a>(
        self,
        engine: &Engine,
        dy: &'a Matrix,
        memory: &'a mut Memory,
    ) -> Result<Rounded<'a>> {
        let (rows, cols) = dy.shape();
        Ok(match self {
            Self::None => Rounded::F32(Cow::Borrowed(dy)),
            Self::Bf16 => Rounded::Bf16(Cow::Borrowed(dy)),
            Self::Bytes(noise, limit) => Rounded::Bytes(memory.rows(engine, dy, (noise, limit))?),
            Self::Ternary(noise) => {
                memory.ternary.round(engine, rows, cols, dy.values(), noise)?;
                Rounded::Ternary(&memory.ternary)
            }
        })
    }

    /// The transpose of a gradient, `(b, o)` to `(o, b)`, rounded row by row.
    pub(crate) fn columns<'a>(
        self,
        cx: &Context,
        dy: &Matrix,
        memory: &'a mut Memory,
    ) -> Result<Rounded<'a>> {
        let ((rows, cols), engine) = (dy.shape(), &cx.engine);
        Ok(match self {
            Self::None => Rounded::F32(Cow::Owned(turned(cx, dy)?)),
            Self::Bf16 => Rounded::Bf16(Cow::Owned(turned(cx, dy)?)),
            Self::Bytes(noise, limit) => Rounded::Bytes(memory.columns(engine, dy, (noise, limit))?),
            Self::Ternary(noise) => {
                memory.ternary.round_transposed(engine, rows, cols, dy.values(), noise)?;
                Rounded::Ternary(&memory.ternary)
            }
        })
    }
}

/// Returns the transpose, in a buffer of the context.
pub(crate) fn turned(cx: &Context, dy: &Matrix) -> Result<Matrix> {
    let mut dy_t = cx.matrix(dy.cols(), dy.rows());
    dy.transpose_into(&cx.engine, &mut dy_t)?;
    Ok(dy_t)
}

/// Buffers of rounded gradients, reused from step to step.
#[derive(Default)]
pub(crate) struct Memory {
    bytes: Int8,
    ternary: ScaledTernary,
}

impl Memory {
    /// A gradient in bytes, with a scale for each row.
    pub(crate) fn rows(
        &mut self,
        engine: &Engine,
        dy: &Matrix,
        (noise, limit): (Noise, u8),
    ) -> Result<&Int8> {
        self.bytes.set_limit(limit);
        self.bytes.round(engine, dy.rows(), dy.cols(), dy.values(), noise)?;
        Ok(&self.bytes)
    }

    /// Its transpose in bytes, with a scale for each row of the transpose.
    pub(crate) fn columns(
        &mut self,
        engine: &Engine,
        dy: &Matrix,
        (noise, limit): (Noise, u8),
    ) -> Result<&Int8> {
        self.bytes.set_limit(limit);
        self.bytes.round_transposed(engine, dy.rows(), dy.cols(), dy.values(), noise)?;
        Ok(&self.bytes)
    }
}

/// A rounded gradient, as a left operand of products.
pub(crate) enum Rounded<'a> {
    F32(Cow<'a, Matrix>),
    Bf16(Cow<'a, Matrix>),
    Bytes(&'a Int8),
    Ternary(&'a ScaledTernary),
}

impl Rounded<'_> {
    /// Whether products with bits count ones, and so take panels for bits instead of panels for reals.
    pub(crate) fn counts(&self) -> bool {
        matches!(self, Self::Ternary(_))
    }

    /// Multiplies by bits, which are packed as [`counts`](Self::counts) says.
    pub(crate) fn multiply<K: Sink<f32>>(&self, engine: &Engine, bits: &Panels, sink: K) -> Result<()> {
        match self {
            Self::F32(dy) => product(engine, dy.values(), bits, sink)?,
            Self::Bf16(dy) => product(engine, Bf16(dy.values()), bits, sink)?,
            Self::Bytes(dy) => product(engine, *dy, bits, sink)?,
            Self::Ternary(dy) => product(engine, *dy, bits, sink)?,
        }
        Ok(())
    }

    /// Returns its buffer to the context.
    pub(crate) fn recycle(self, cx: &Context) {
        if let Self::F32(Cow::Owned(dy)) | Self::Bf16(Cow::Owned(dy)) = self {
            cx.recycle([dy]);
        }
    }
}
