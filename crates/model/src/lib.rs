//! Run binarized networks: load a `.onebit` file, classify, nothing else to set up.
//!
//! Conventions: bit 1 is +1, bit 0 is -1; `sgn(0) = +1`; padding bits are zero, always. Letters: `b` batch,
//! `d` depth (thresholds), `i` inputs, `o` outputs. A tensor with a depth axis is depth-major: output `j`
//! at threshold `k` is column `k * outputs + j`.
//!
//! ```
//! use onebit_bits::{BitTensor, Engine};
//! use onebit_model::{Affine, Dense, Layer, Model, Output};
//!
//! // One binary layer over two real features: the score of class 0 is x0 + x1, of class 1 is x0 - x1.
//! let weights = BitTensor::from_fn(2, 2, |o, i| (o, i) != (1, 1));
//! let layer = Layer::Dense(Dense { weights, output: Output::Scores(Affine::identity(2)) });
//! let model = Model::new(2, vec![layer], vec!["sum".into(), "difference".into()])?;
//!
//! let bytes = model.to_bytes();
//! let model = Model::from_bytes(&bytes)?;
//! assert_eq!(model.classify(&Engine::single(), &[3.0, -1.0])?, [1]);
//! # Ok::<(), onebit_model::Error>(())
//! ```
//!
//! There are two ways to run a model, with the same scores, bit for bit. A [`Session`] is for many samples: it packs the
//! weights for the processor's vectors, and takes as many threads as it is given. An [`Interpreter`] is for small memory: it
//! leaves the weights where [`Model::in_place`] found them, and allocates nothing once it is made.
//!
//! The crate is `no_std` + `alloc` without its feature `std`, which adds files. It has no clock, starts no
//! threads (the [`Engine`](onebit_bits::Engine) that is handed in brings them) and no `unsafe`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod c;
mod columns;
#[cfg(feature = "std")]
mod disk;
mod error;
mod file;
mod format;
mod geometry;
mod interpreter;
mod layer;
mod model;
mod pack;
mod rank;
mod run;
mod size;

pub use c::CSource;
pub use columns::{Column, ColumnKind, Columns, Field};
#[cfg(feature = "std")]
pub use disk::{read, replace};
pub use error::{Error, Result};
pub use format::{Kind, MAGIC, TensorInfo, VERSION};
pub use interpreter::Interpreter;
pub use layer::{Affine, Binarize, Conv, Dense, Layer, Limits, Output, Thermometer, Thresholds};
pub use model::{MOST_BYTES, Model, ModelView, Standardize};
pub use rank::{best, top};
pub use run::Session;
pub use size::{LayerSize, Size};
