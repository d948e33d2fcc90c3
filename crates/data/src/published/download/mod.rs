//! Downloads [published sets](crate::PUBLISHED) from their mirrors; behind the feature `download`.
//!
//! ```text
//! FOLDER/mnist/NAME.part   the bytes received so far; a later call requests the rest (HTTP Range)
//! FOLDER/mnist/NAME        the complete file, with the published size and SHA-256
//! FOLDER/.mnist.lock       held while a process downloads the set; other processes wait
//! ```
//!
//! A file gets its name only once its SHA-256 matches. So a file under its name is complete, and a mirror, or
//! anyone on the network, can withhold a file but not change it. No more bytes are written than the published
//! size. A mirror that fails is tried again after a pause, if that can help; then the next mirror is tried.
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
