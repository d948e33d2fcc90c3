//! What a gradient is made of.

use core::ops::AddAssign;

use crate::{
    error::Result,
    machine::{Engine, Plain},
    numbers_x_bits::{Bytes, Left, Reals},
    panels::Panels,
};

/// What a gradient is made of.
pub(super) trait Number: Plain + Sync {
    /// What it is summed up in.
    type Sum: Plain + Default + AddAssign + From<Self> + Send + Sync;
    type Left<'a>: Left<Out = Self::Sum>
    where
        Self: 'a;

    /// a: (m, k), b: n rows of k bits.
    fn left<'a>(
        op: &'static str,
        engine: &Engine,
        shape: (usize, usize),
        a: &'a [Self],
        b: &Panels,
    ) -> Result<Self::Left<'a>>;

    fn real(sum: Self::Sum) -> f32;
}

impl Number for f32 {
    type Sum = f32;
    type Left<'a> = Reals<'a>;

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
    type Left<'a> = Bytes<'a, i8>;

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
