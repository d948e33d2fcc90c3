//! An `.npy` array read one row at a time: it may be larger than memory, or come from a pipe.

use std::io::{BufReader, Read};

use crate::{
    arrays::npy::{Header, dims},
    error::DataError,
    files::{read_at_most, wrong_array},
};

/// An iterator over the rows of an array `(b, ...)`, in constant memory.
///
/// ```
/// use onebit_data::NpyRows;
///
/// let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n";
/// let length = (header.len() as u16).to_le_bytes();
/// let file = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &[1, 2, 3, 4, 5, 6]].concat();
/// let rows: Vec<Vec<f32>> = NpyRows::new(&file[..], "x.npy", 3)?.collect::<Result<_, _>>()?; // any `Read`
/// assert_eq!(rows, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// # Ok::<(), onebit_data::DataError>(())
/// ```
pub struct NpyRows<R: Read> {
    reader: BufReader<R>,
    name: String,
    header: Header,
    features: usize,
    /// The number of remaining rows; `None` after the end or an error of the reader.
    left: Option<usize>,
}

impl<R: Read> NpyRows<R> {
    /// Reads the header; messages call the file `name`. The first axis is the row; the product of the others
    /// must be `features`. Numbers are bytes, bools, or 32- or 64-bit integers or floats, little-endian.
    ///
    /// # Errors
    /// [`DataError::Array`] for a header that is invalid, not supported, or of another shape;
    /// [`DataError::Truncated`], [`DataError::Read`]; [`DataError::NoFeatures`] if `features` is 0.
    ///
    /// A row can be an error, too: [`DataError::NotFinite`], after which the iterator continues, or
    /// [`DataError::Truncated`], [`DataError::Trailing`] or [`DataError::Read`], which end it.
    pub fn new(reader: R, name: &str, features: usize) -> Result<Self, DataError> {
        if features == 0 {
            return Err(DataError::NoFeatures { name: name.to_string() });
        }
        let mut reader = BufReader::new(reader);
        let header = Header::read(&mut reader, name)?;
        let rows = header.shape.split_first().and_then(|(&rows, row)| {
            let numbers = row.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
            (numbers == Some(features)).then_some(rows)
        });
        match rows {
            Some(_) => Ok(Self { reader, name: name.to_string(), header, features, left: rows }),
            None => {
                let expected = format!("(b, {features}), or more axes with {features} numbers in a row");
                Err(wrong_array(name, "shape", expected, dims(&header.shape)))
            }
        }
    }

    /// Reads the next of `left` rows; returns `None` after the last.
    fn read(&mut self, left: usize) -> Result<Option<Vec<f32>>, DataError> {
        let row_bytes = self.header.size.saturating_mul(self.features as u64);
        let row = self.header.shape[0] - left;
        let bytes = read_at_most(&mut self.reader, if left == 0 { 1 } else { row_bytes });
        let bytes = bytes.map_err(|reason| DataError::Read { file: self.name.clone(), reason })?;
        let up_to = |rows: usize| row_bytes.saturating_mul(rows as u64).saturating_add(self.header.bytes);
        let (file, expected) = (|| self.name.clone(), up_to(self.header.shape[0]));
        if left == 0 {
            return if bytes.is_empty() {
                Ok(None)
            } else {
                Err(DataError::Trailing { file: file(), expected })
            };
        }
        let read = bytes.len() as u64;
        if read < row_bytes {
            return Err(DataError::Truncated {
                file: file(),
                expected,
                got: up_to(row).saturating_add(read),
            });
        }
        self.left = Some(left - 1);
        let values = self.header.kind.reals(&bytes);
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(Some(values)),
            Some(at) => {
                let place = format!("{}, row {row}, feature {at}", self.name);
                Err(DataError::NotFinite { place, value: values[at].to_string() })
            }
        }
    }
}

impl<R: Read> Iterator for NpyRows<R> {
    type Item = Result<Vec<f32>, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let left = self.left.take()?;
        self.read(left).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::npy::npy, *};

    /// All rows, with errors as messages.
    fn rows(bytes: &[u8], features: usize) -> Vec<Result<Vec<f32>, String>> {
        match NpyRows::new(bytes, "x", features) {
            Ok(rows) => rows.map(|row| row.map_err(|error| error.to_string())).collect(),
            Err(error) => vec![Err(error.to_string())],
        }
    }

    #[test]
    fn the_first_axis_is_the_row() {
        let pairs = vec![Ok(vec![1.0, 2.0]), Ok(vec![3.0, 4.0])];
        for shape in ["(2, 2)", "(2, 1, 2)", "(2, 2, 1, 1)"] {
            assert_eq!(rows(&npy("|u1", shape, &[1, 2, 3, 4]), 2), pairs, "{shape}");
        }
        assert_eq!(rows(&npy("|u1", "(2,)", &[1, 2]), 1), [Ok(vec![1.0]), Ok(vec![2.0])]);
        let doubles = [1.0f64, 2.0, 3.0, 4.0].map(f64::to_le_bytes).concat();
        assert_eq!(rows(&npy("<f8", "(2, 2)", &doubles), 2), pairs);
        let integers = [1i64, 2, 3, 4].map(i64::to_le_bytes).concat();
        assert_eq!(rows(&npy("<i8", "(2, 2)", &integers), 2), pairs);
        assert_eq!(rows(&npy("|u1", "(0, 2)", &[]), 2), []);
    }

    #[test]
    fn shapes_that_do_not_fit() {
        for shape in ["()", "(2,)", "(2, 3)", "(2, 0)", "(18446744073709551615, 4294967296, 4294967296)"] {
            let expected = "x: shape: expected (b, 2), or more axes with 2 numbers in a row, got";
            assert_eq!(rows(&npy("|u1", shape, &[]), 2), [Err(format!("{expected} {shape}"))]);
        }
        let none = "x: expected at least one feature column, got none";
        assert_eq!(rows(&npy("|u1", "(2, 0)", &[]), 0), [Err(none.to_string())]);
    }

    #[test]
    fn what_came_before_the_end_is_there() {
        let whole = npy("|u1", "(2, 2)", &[1, 2, 3, 4]);
        let length = whole.len();
        let cut = format!("x: truncated: expected {length} bytes, got {}", length - 1);
        assert_eq!(rows(&whole[..length - 1], 2), [Ok(vec![1.0, 2.0]), Err(cut)]);
        let more = format!("x: trailing bytes: expected {length} bytes, got more");
        let longer = [&whole[..], b"\n"].concat();
        assert_eq!(rows(&longer, 2), [Ok(vec![1.0, 2.0]), Ok(vec![3.0, 4.0]), Err(more)]);
        let endless = npy("<f8", "(18446744073709551615, 1)", &[0; 8]);
        assert_eq!(rows(&endless, 1).len(), 2, "what a header promises is not allocated");
    }

    #[test]
    fn numbers_are_finite() {
        let numbers = [1.0f32, 2.0, 3.0, f32::NAN, 5.0, 6.0].map(f32::to_le_bytes).concat();
        let error = "x, row 1, feature 1: expected a finite number, got `NaN`".to_string();
        assert_eq!(
            rows(&npy("<f4", "(3, 2)", &numbers), 2),
            [Ok(vec![1.0, 2.0]), Err(error), Ok(vec![5.0, 6.0])]
        );
    }
}
