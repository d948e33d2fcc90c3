//! Conversion of any value to real numbers, for layers that do not compute on bits.

use onebit_bits::{BitTensor, vectorized};

use crate::{
    contract::{context::Context, value::Value},
    error::Result,
    numeric::{jobs::job_of_rows, matrix::Matrix},
};

/// Returns the real numbers: bytes become the numbers they stand for, bits +-1, and ternary numbers -scale, 0
/// or +scale.
pub(crate) fn reals(cx: &Context, x: Value) -> Result<Matrix> {
    if let Value::Real(x) = x {
        return Ok(x);
    }
    let cols = x.cols();
    let mut y = cx.matrix(x.rows(), cols);
    let mut write = |sign: &BitTensor, nonzero: Option<&BitTensor>, scale| {
        cx.engine.chunks(y.values_mut(), job_of_rows(cols), |first, rows| {
            write_rows(cx.engine.isa(), rows, sign, nonzero, scale, first / cols);
        })
    };
    match &x {
        Value::Bits(bits) => write(bits, None, 1.0)?,
        Value::Ternary(ternary, scale) => write(ternary.sign(), Some(ternary.nonzero()), *scale)?,
        Value::Bytes(bytes) => bytes.write_real(y.values_mut()),
        Value::Real(_) => {}
    }
    cx.recycle([x]);
    Ok(y)
}

vectorized! {
    /// Writes whole rows y, starting at row `first`.
    fn write_rows<'a>(
        y: &'a mut [f32], sign: &'a BitTensor, nonzero: Option<&'a BitTensor>, scale: f32, first: usize,
    ) {
        for (row, y) in (first..).zip(y.chunks_exact_mut(sign.cols())) {
            for (word, (sign, y)) in sign.row(row).iter().zip(y.chunks_mut(64)).enumerate() {
                let there = nonzero.map_or(!0, |nonzero| nonzero.row(row)[word]);
                for (bit, y) in y.iter_mut().enumerate() {
                    let minus = (!sign >> bit & 1) as u32;
                    let all = 0u32.wrapping_sub((there >> bit & 1) as u32); // ones or zeros
                    *y = f32::from_bits((scale.to_bits() ^ minus << 31) & all);
                }
            }
        }
    }
}
