//! The error type of this crate.

use onebit_data::{DataError, Remedy};
use thiserror::Error as ThisError;

mod checkpoint;

pub use checkpoint::CheckpointError;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error while a network is described, trained or exported.
///
/// ```
/// use onebit_train::Matrix;
///
/// let error = Matrix::new(2, 2, vec![1.0; 3]).unwrap_err();
/// assert_eq!(error.to_string(), "matrix: expected 2 x 2 values, got 3");
/// ```
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    // === shapes and kinds ===
    /// An operand has the wrong shape.
    #[error("{op}: expected {expected}, got {got}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// The expected shape.
        expected: String,
        /// The given shape.
        got: String,
    },
    /// A layer or a rule got a kind of value or signal that it does not take.
    #[error("{layer} takes {expected}, got {got}")]
    Kind {
        /// The layer or rule.
        layer: &'static str,
        /// The kind that it takes.
        expected: &'static str,
        /// The kind that it got.
        got: &'static str,
    },
    /// A verb of a layer was called before the verb that must precede it.
    #[error("{layer}: {verb} needs a {needs} before it")]
    Sequence {
        /// The layer.
        layer: &'static str,
        /// The verb that was called.
        verb: &'static str,
        /// The verb that must precede it.
        needs: &'static str,
    },

    // === settings ===
    /// A hyper-parameter is outside its range.
    #[error("{name}: expected {expected}, got {got}")]
    Setting {
        /// The hyper-parameter.
        name: String,
        /// Its range, in words.
        expected: String,
        /// The given value.
        got: String,
    },
    /// A configuration text does not parse, or has an unknown key or one of the wrong type.
    #[error("{source_name}: {message}")]
    Config {
        /// The file, preset or flag that was read.
        source_name: String,
        /// The problem, in one line.
        message: String,
    },
    /// A configuration does not say where its data are.
    #[error("data: expected {expected}, got no path")]
    NoData {
        /// The kind of data that its source means.
        expected: &'static str,
    },
    /// A class that is to be learned has no sample in the training part.
    #[error("class `{0}` has no sample in the training part, and every class needs one")]
    EmptyClass(String),
    /// A layer has no counterpart in a deployed model.
    #[error("layer {index} ({layer}) cannot be exported: {reason}")]
    Export {
        /// The position in the network, from 0.
        index: usize,
        /// The layer's name.
        layer: String,
        /// The reason.
        reason: String,
    },
    /// The loss became infinite or NaN.
    #[error("the loss became {loss} in epoch {epoch}; lower the learning rate")]
    Diverged {
        /// The loss.
        loss: f64,
        /// The epoch, from 1.
        epoch: usize,
    },

    /// The listener stopped the run. Its checkpoint, if it has one, resumes from here.
    #[error("stopped in epoch {epoch} after batch {batch}")]
    Stopped {
        /// The epoch, from 1.
        epoch: usize,
        /// The number of finished batches of that epoch.
        batch: usize,
    },

    // === around ===
    /// A checkpoint cannot be written or read, or belongs to another run.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The folder of a run cannot be written or read.
    #[error("{path}: {reason}")]
    Run {
        /// The folder, or the file in it.
        path: String,
        /// The problem.
        reason: String,
    },
    /// An error of the data readers.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A published data set cannot be downloaded.
    #[cfg(feature = "download")]
    #[error(transparent)]
    Download(#[from] onebit_data::download::DownloadError),
    /// An error of the kernels.
    #[error(transparent)]
    Bits(#[from] onebit_bits::Error),
    /// An error of the inference runtime or of the model file.
    #[error(transparent)]
    Model(#[from] onebit_model::Error),
}

impl Error {
    /// What a user can do about the error, if there is a single obvious thing.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Error::Data(error) => error.remedy(),
            Error::NoData { .. } => Some(Remedy::NamePath),
            _ => None,
        }
    }

    /// A shape error in words.
    pub fn shape(op: &'static str, expected: impl ToString, got: impl ToString) -> Self {
        Error::Shape { op, expected: expected.to_string(), got: got.to_string() }
    }

    /// An error for a hyper-parameter outside its range.
    pub fn setting(name: impl ToString, expected: impl ToString, got: impl ToString) -> Self {
        Error::Setting { name: name.to_string(), expected: expected.to_string(), got: got.to_string() }
    }
}
