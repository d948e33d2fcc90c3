//! Samples of a data set as the input of a network.

use onebit_data::{Dataset, Samples, Standardize};

use crate::{
    contract::{
        context::Context,
        value::{Bytes, Value},
    },
    error::Result,
};

/// The samples `rows` of a part, `(b, i)`, standardized: as bytes where they are bytes.
pub(crate) fn input(
    cx: &Context,
    data: &Dataset,
    standardize: &Standardize,
    rows: &[usize],
) -> Result<Value> {
    let (b, i) = (rows.len(), data.features());
    if let (Samples::Bytes { .. }, Some(scale)) = (data.samples(), standardize.byte_scale()) {
        let mut bytes = cx.bytes(b * i);
        assert!(data.gather_bytes(rows, &mut bytes), "they are bytes");
        return Ok(Value::Bytes(Bytes::new(b, i, bytes, scale)?));
    }
    let mut x = cx.matrix(b, i);
    data.gather_into(rows, x.values_mut());
    standardize.apply(x.values_mut());
    Ok(Value::Real(x))
}
