//! Run binarized networks: load a `.onebit` file and classify.
//!
//! Conventions: bit 1 is +1, bit 0 is -1; `sgn(0) = +1`; padding bits are always zero. Letters: `b` batch,
//! `d` depth (number of thresholds), `i` inputs, `o` outputs. A tensor with a depth axis is depth-major:
//! output `j` at threshold `k` is column `k * outputs + j`.
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
//! A model runs in one of three ways, all with the same scores, bit for bit:
//!
//! - A [`Session`] runs many samples: it packs the weights for vector instructions, and uses the threads of
//!   an [`Engine`].
//! - An [`Interpreter`] needs little memory: it reads the weights where [`Model::in_place`] found them, and
//!   allocates only when it is made.
//! - A [`CSource`], made by [`Model::to_c`], is C99 source without dependencies, for microcontrollers and
//!   other programs in C.
//!
//! Without its default feature `std`, which adds files, the crate is `no_std` + `alloc`. It starts no threads
//! (the [`Engine`] brings them), reads no clock, and has no `unsafe`.
//!
//! [`Engine`]: onebit_bits::Engine

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod c;
mod columns;
mod error;
mod file;
mod interpreter;
mod layer;
mod model;
mod packed;
mod rank;
mod session;
mod size;

pub use c::CSource;
pub use columns::{Column, ColumnKind, Columns, Field};
pub use error::{Error, Result};
pub use file::{Kind, MAGIC, TensorInfo, VERSION};
#[cfg(feature = "std")]
pub use file::{read, replace};
pub use interpreter::Interpreter;
pub use layer::{Affine, Binarize, Conv, Dense, Layer, Limits, Output, Thermometer, Thresholds};
pub use model::{MOST_BYTES, Model, ModelView, Standardize};
pub use rank::{best, top};
pub use session::Session;
pub use size::{LayerSize, Size};
