//! Multiplication of sums and gradients by a factor for each output, for weights that stand for
//! `scale * bit`.

use onebit_bits::vectorized;

use crate::{
    contract::{check::check_cols, context::Context},
    error::Result,
    numeric::{jobs::job_of_rows, matrix::Matrix},
};

/// `y_bo <- y_bo scale_o`, or nothing without scales. y: (b, o).
pub(crate) fn multiply(cx: &Context, y: &mut Matrix, scales: Option<&[f32]>) -> Result<()> {
    let Some(scales) = scales else { return Ok(()) };
    check_cols("scales", y.cols(), scales.len())?;
    let part = job_of_rows(y.cols());
    Ok(cx.engine.chunks(y.values_mut(), part, |_, y| multiply_rows(cx.engine.isa(), y, scales))?)
}

/// Returns `y_bo scale_o`, or `None` without scales. y: (b, o).
pub(crate) fn scaled(cx: &Context, y: &Matrix, scales: Option<&[f32]>) -> Result<Option<Matrix>> {
    if scales.is_none() {
        return Ok(None);
    }
    let mut copy = cx.copy(y);
    multiply(cx, &mut copy, scales)?;
    Ok(Some(copy))
}

vectorized! {
    /// y: whole rows.
    fn multiply_rows<'a>(y: &'a mut [f32], scales: &'a [f32]) {
        for y in y.chunks_exact_mut(scales.len()) {
            for (y, scale) in y.iter_mut().zip(scales) {
                *y *= scale;
            }
        }
    }
}
