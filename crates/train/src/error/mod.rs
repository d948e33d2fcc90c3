//! The one error type of this crate.

use onebit_data::{DataError, Remedy};
use thiserror::Error as ThisError;

mod checkpoint;

pub use checkpoint::CheckpointError;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while a network is described, trained or exported.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    // === shapes and kinds ===
    /// Operands do not fit together.
    #[error("{op}: expected {expected}, got {got}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// What would have fitted.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A layer or a rule was given a kind of value or signal that it does not take.
    #[error("{layer} takes {expected}, got {got}")]
    Kind {
        /// The layer or rule.
        layer: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What it got.
        got: &'static str,
    },
    /// A verb of a layer was called before the one that it needs.
    #[error("{layer}: {verb} needs a {needs} before it")]
    Sequence {
        /// The layer.
        layer: &'static str,
        /// The verb that was called.
        verb: &'static str,
        /// The verb that must come first.
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
        /// What was given.
        got: String,
    },
    /// A configuration text does not parse or has an unknown or ill-typed key.
    #[error("{source_name}: {message}")]
    Config {
        /// The file, preset or flag that was read.
        source_name: String,
        /// What is wrong with it, in one line.
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
    /// A layer has no counterpart at run time.
    #[error("layer {index} ({layer}) cannot be exported: {reason}")]
    Export {
        /// Position in the network, from 0.
        index: usize,
        /// The layer's name.
        layer: String,
        /// Why not.
        reason: String,
    },
    /// The loss left the real numbers.
    #[error("the loss became {loss} in epoch {epoch}; lower the learning rate")]
    Diverged {
        /// The loss.
        loss: f64,
        /// Epoch, from 1.
        epoch: usize,
    },

    /// Whoever listens stopped the run; its checkpoint, if it has one, goes on from here.
    #[error("stopped in epoch {epoch} after batch {batch}")]
    Stopped {
        /// Epoch, from 1.
        epoch: usize,
        /// Batches of that epoch that are done.
        batch: usize,
    },

    // === around ===
    /// A checkpoint cannot be written or read, or is one of another run.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The folder of a run cannot be written or read.
    #[error("{path}: {reason}")]
    Run {
        /// The folder, or the file in it.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// An error of the data readers.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A published set cannot be fetched.
    #[cfg(feature = "download")]
    #[error(transparent)]
    Download(#[from] onebit_data::download::DownloadError),
    /// An error of the kernels.
    #[error(transparent)]
    Bits(#[from] onebit_bits::Error),
    /// An error of the runtime or of the model file.
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

    /// A hyper-parameter outside its range.
    pub fn setting(name: impl ToString, expected: impl ToString, got: impl ToString) -> Self {
        Error::Setting { name: name.to_string(), expected: expected.to_string(), got: got.to_string() }
    }
}
