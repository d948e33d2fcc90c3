//! Errors, and the checks that return them.

use alloc::{string::String, vec::Vec};

/// The errors of this crate. Shapes are (rows, columns).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operand's shape does not fit the operation.
    #[error("{op}: {operand} must be {} x {}, got {} x {}", expected.0, expected.1, got.0, got.1)]
    Shape {
        /// The operation that refused.
        op: &'static str,
        /// The operand at fault.
        operand: &'static str,
        /// The shape that fits.
        expected: (usize, usize),
        /// The shape of the operand.
        got: (usize, usize),
    },
    /// A slice's length does not fit the operation.
    #[error("{op}: {operand} must have length {expected}, got {got}")]
    Length {
        /// The operation that refused.
        op: &'static str,
        /// The slice at fault.
        operand: &'static str,
        /// The length that fits.
        expected: usize,
        /// The length of the slice.
        got: usize,
    },
    /// A shape whose number of elements, or whose sums, exceed their integer type.
    #[error("{op}: {rows} x {cols} is too large")]
    TooLarge {
        /// The operation that refused.
        op: &'static str,
        /// The number of rows.
        rows: usize,
        /// The number of columns.
        cols: usize,
    },
    /// A bit beyond the last column is one.
    #[error("row {row} has a one in its padding bits, which must be zero")]
    Padding {
        /// The first row at fault.
        row: usize,
    },
    /// A ternary zero whose sign bit is one.
    #[error("row {row} has a sign bit where the value is zero")]
    SignOfZero {
        /// The first row at fault.
        row: usize,
    },
    /// A row index beyond the end.
    #[error("row {row} asked of {rows} rows")]
    Row {
        /// The index.
        row: usize,
        /// The number of rows.
        rows: usize,
    },
    /// An instruction set that is unknown, or that this machine lacks.
    #[error("no instruction set {name:?} here, only {}", available.join(", "))]
    Isa {
        /// The name.
        name: String,
        /// The names of this machine's instruction sets.
        available: Vec<&'static str>,
    },
    /// Panels packed for another instruction set or another use.
    #[error("{op}: the panels are packed for {got}, expected {expected}")]
    Packed {
        /// The operation that refused.
        op: &'static str,
        /// The use and instruction set that the operation needs.
        expected: String,
        /// The use and instruction set that the panels are packed for.
        got: String,
    },
    /// A kernel or a stride without rows or columns.
    #[error("{op}: {operand} must be at least 1 x 1, got {} x {}", got.0, got.1)]
    Empty {
        /// The operation that refused.
        op: &'static str,
        /// The operand at fault.
        operand: &'static str,
        /// The size of the operand.
        got: (usize, usize),
    },
    /// A kernel larger than the image with its padding.
    #[error(
        "{op}: a kernel of {} x {} does not fit into an image of {} x {}",
        kernel.0, kernel.1, image.0, image.1
    )]
    Kernel {
        /// The operation that refused.
        op: &'static str,
        /// The size of the kernel.
        kernel: (usize, usize),
        /// The size of the image with its padding.
        image: (usize, usize),
    },
    /// Groups that do not divide the channels of a convolution.
    #[error(
        "conv: groups must divide the {c_in} channels of the input and {c_out} of the output, got {groups}"
    )]
    Groups {
        /// The number of groups.
        groups: usize,
        /// Channels of the input.
        c_in: usize,
        /// Channels of the output.
        c_out: usize,
    },
    /// A number that is not a probability.
    #[error("probability must be in 0..=1, got {0}")]
    Probability(f64),
    /// A number of threads that is not possible.
    #[error("cannot run on {got} threads: {reason}")]
    Threads {
        /// The number of threads.
        got: usize,
        /// Why it is not possible.
        reason: &'static str,
    },
}

/// `Result` with this crate's [`Error`].
pub type Result<T> = core::result::Result<T, Error>;

/// Ok if `got` is the expected shape.
pub(crate) fn check_shape(
    op: &'static str,
    operand: &'static str,
    expected: (usize, usize),
    got: (usize, usize),
) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::Shape { op, operand, expected, got }) }
}

/// Ok if `got` is the length of a `rows` x `cols` matrix.
pub(crate) fn check_len(
    op: &'static str,
    operand: &'static str,
    (rows, cols): (usize, usize),
    got: usize,
) -> Result<()> {
    let expected = rows.checked_mul(cols).ok_or(Error::TooLarge { op, rows, cols })?;
    if expected == got { Ok(()) } else { Err(Error::Length { op, operand, expected, got }) }
}
