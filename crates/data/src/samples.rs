//! The numbers of a data set, row by row: `values[row * cols + col]`.

/// The samples of a data set, `(b, i)`, row-major.
///
/// ```
/// use onebit_data::Samples;
///
/// let pixels = Samples::Bytes { cols: 3, values: vec![0, 128, 255, 1, 2, 3] }; // (2, 3)
/// assert_eq!(pixels.cols(), 3);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// Finite real numbers.
    Real {
        /// Numbers per row, `i`.
        cols: usize,
        /// The numbers, `(b, i)`.
        values: Vec<f32>,
    },
    /// Bytes, such as pixels. A batch of them is read as real numbers from 0 to 255.
    Bytes {
        /// Bytes per row, `i`.
        cols: usize,
        /// The bytes, `(b, i)`.
        values: Vec<u8>,
    },
}

impl Samples {
    /// The number of columns, `i`.
    pub fn cols(&self) -> usize {
        match self {
            Samples::Real { cols, .. } | Samples::Bytes { cols, .. } => *cols,
        }
    }

    /// The number of values, `b * i`.
    pub(crate) fn len(&self) -> usize {
        match self {
            Samples::Real { values, .. } => values.len(),
            Samples::Bytes { values, .. } => values.len(),
        }
    }

    /// The given rows, in this order.
    pub(crate) fn select(&self, rows: &[usize]) -> Samples {
        fn take<T: Copy>(values: &[T], cols: usize, rows: &[usize]) -> Vec<T> {
            rows.iter().flat_map(|&row| values[row * cols..][..cols].iter().copied()).collect()
        }
        match self {
            Samples::Real { cols, values } => {
                Samples::Real { cols: *cols, values: take(values, *cols, rows) }
            }
            Samples::Bytes { cols, values } => {
                Samples::Bytes { cols: *cols, values: take(values, *cols, rows) }
            }
        }
    }
}
