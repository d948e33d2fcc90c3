//! What can go wrong, and the checks that say so.

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
        /// The shape that would have fitted.
        expected: (usize, usize),
        /// The shape it has.
        got: (usize, usize),
    },
    /// A slice's length does not fit the operation.
    #[error("{op}: {operand} must have length {expected}, got {got}")]
    Length {
        /// The operation that refused.
        op: &'static str,
        /// The slice at fault.
        operand: &'static str,
        /// The length that would have fitted.
        expected: usize,
        /// The length it has.
        got: usize,
    },
    /// A shape whose number of elements, or whose sums, exceed the integers that hold them.
    #[error("{op}: {rows} x {cols} is too large")]
    TooLarge {
        /// The operation that refused.
        op: &'static str,
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
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
        /// The index asked for.
        row: usize,
        /// How many there are.
        rows: usize,
    },
    /// An instruction set that is unknown, or that this machine does not have.
    #[error("no instruction set {name:?} here, only {}", available.join(", "))]
    Isa {
        /// The name asked for.
        name: String,
        /// The names that would have worked.
        available: Vec<&'static str>,
    },
    /// Bits packed for another use.
    #[error("{op}: the panels are packed for {got}, expected {expected}")]
    Packed {
        /// The operation that refused.
        op: &'static str,
        /// The instruction set, and what for.
        expected: String,
        /// The instruction set that they are for, and what for.
        got: String,
    },
    /// A kernel or a stride without rows or columns.
    #[error("{op}: {operand} must be at least 1 x 1, got {} x {}", got.0, got.1)]
    Empty {
        /// The operation that refused.
        op: &'static str,
        /// The operand at fault.
        operand: &'static str,
        /// The size it has.
        got: (usize, usize),
    },
    /// A kernel that is larger than the image and its padding.
    #[error(
        "{op}: a kernel of {} x {} does not fit into an image of {} x {}",
        kernel.0, kernel.1, image.0, image.1
    )]
    Kernel {
        /// The operation that refused.
        op: &'static str,
        /// Its size.
        kernel: (usize, usize),
        /// The size of the image, with its padding.
        image: (usize, usize),
    },
    /// Groups that do not divide the channels of a convolution.
    #[error(
        "conv: groups must divide the {c_in} channels of the input and {c_out} of the output, got {groups}"
    )]
    Groups {
        /// The number of groups asked for.
        groups: usize,
        /// Channels of the input.
        c_in: usize,
        /// Channels of the output.
        c_out: usize,
    },
    /// Not a probability.
    #[error("probability must be in 0..=1, got {0}")]
    Probability(f64),
    /// A number of threads that cannot be had.
    #[error("cannot run on {got} threads: {reason}")]
    Threads {
        /// The number asked for.
        got: usize,
        /// Why not.
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
