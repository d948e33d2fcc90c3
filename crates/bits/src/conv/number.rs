//! The two kinds of gradients of a convolution: f32 and bytes.

use core::ops::AddAssign;

use crate::{
    error::Result,
    machine::{Engine, Plain},
    numbers_x_bits::{Bytes, Numbers, Reals},
    panels::Panels,
};

/// An element of a gradient.
pub(super) trait Number: Plain + Sync {
    /// The type of its sums.
    type Sum: Plain + Default + AddAssign + From<Self> + Send + Sync;
    type Numbers<'a>: Numbers<Out = Self::Sum>
    where
        Self: 'a;

    /// The left operand of a product. a: (m, k), b: n rows of k bits.
    fn left<'a>(
        op: &'static str,
        engine: &Engine,
        shape: (usize, usize),
        a: &'a [Self],
        b: &Panels,
    ) -> Result<Self::Numbers<'a>>;

    fn real(sum: Self::Sum) -> f32;
}

impl Number for f32 {
    type Sum = f32;
    type Numbers<'a> = Reals<'a>;

    fn left<'a>(
        op: &'static str,
        engine: &Engine,
        shape: (usize, usize),
        a: &'a [f32],
        b: &Panels,
    ) -> Result<Reals<'a>> {
        Reals::of(op, engine, shape.0, a, b)
    }

    #[inline(always)]
    fn real(sum: f32) -> f32 {
        sum
    }
}

impl Number for i8 {
    type Sum = i32;
    type Numbers<'a> = Bytes<'a, i8>;

    fn left<'a>(
        op: &'static str,
        engine: &Engine,
        shape: (usize, usize),
        a: &'a [i8],
        b: &Panels,
    ) -> Result<Bytes<'a, i8>> {
        Bytes::of(op, engine, shape, a, &[b])
    }

    #[inline(always)]
    fn real(sum: i32) -> f32 {
        sum as f32
    }
}
