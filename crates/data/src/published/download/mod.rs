//! Fetches [published sets](crate::PUBLISHED) from their mirrors; behind the feature `download`.
//!
//! ```text
//! FOLDER/mnist/NAME.part   what has come so far; a later call asks for the rest (HTTP Range)
//! FOLDER/mnist/NAME        whole: size and SHA-256 are the published ones
//! FOLDER/.mnist.lock       held while a process fetches the set; another one waits
//! ```
//!
//! A file is renamed to its name only when its SHA-256 is right, so whoever finds it finds it whole, and a mirror, or
//! whoever sits between, can withhold a file but not change it. No more is written than the published size. A mirror that
//! fails is asked again after a pause, if that can help, and then the next one is.
//!
//! ```no_run
//! use onebit_data::{DataFolder, download::Downloader, published};
//!
//! let mnist = published("mnist").expect("it is in the list");
//! let dir = Downloader::default().get(mnist, &DataFolder::of_user()?, &mut |event| println!("{event:?}"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod digest;
mod downloader;
mod error;
mod events;
mod fetch;
mod settings;
mod unpack;

pub use downloader::check_mirror;
pub use error::{DownloadError, Tried};
pub use events::{DownloadEvent, Listen};
pub use settings::Downloader;
