//! Published data sets: the catalogue, the folder that holds them, their download, and the two built-in sets.

mod builtin;
mod catalogue;
mod data_folder;
#[cfg(feature = "download")]
pub mod download;

pub use builtin::{BUILTIN, builtin, digits, iris};
pub use catalogue::{PUBLISHED, PublishedFile, PublishedSet, published};
pub use data_folder::DataFolder;
