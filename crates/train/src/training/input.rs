//! Turns samples of a data set into the input of a network.

use onebit_data::{Dataset, Samples, Standardize};

use crate::{
    contract::{
        context::Context,
        value::{Bytes, Value},
    },
    error::Result,
};

/// Returns the samples `rows` of `data`, `(b, i)`, standardized. Bytes with a common mean and scale stay
/// bytes.
pub(crate) fn input(
    cx: &Context,
    data: &Dataset,
    standardize: &Standardize,
    rows: &[usize],
) -> Result<Value> {
    let (b, i) = (rows.len(), data.features());
    if let (Samples::Bytes { .. }, Some(scale)) = (data.samples(), standardize.byte_scale()) {
        let mut bytes = cx.bytes(b * i);
        assert!(data.gather_bytes(rows, &mut bytes), "the samples are bytes");
        return Ok(Value::Bytes(Bytes::new(b, i, bytes, scale)?));
    }
    let mut x = cx.matrix(b, i);
    data.gather_into(rows, x.values_mut());
    standardize.apply(x.values_mut());
    Ok(Value::Real(x))
}
