//! Data sets: tables of numbers and folders of images, with a class for every row.
//!
//! ```text
//! samples: (b, i) real numbers or bytes      labels: (b) numbers below the count of classes
//! ```
//!
//! | from | how |
//! |---|---|
//! | a CSV, Parquet or Arrow IPC table | [`read_table`], for evaluation [`read_table_with_labels`] |
//! | such a table or stdin, to predict from | [`read_features`], row by row [`FeatureRows`] |
//! | an `.npy` array, to predict from row by row | [`NpyRows`] |
//! | a PNG or JPEG image, to predict from | [`read_image`] |
//! | MNIST and its look-alikes | [`read_idx_folder`] |
//! | CIFAR-10 | [`read_cifar10_folder`] |
//! | SVHN | [`read_svhn_folder`] |
//! | PNG and JPEG images, a folder a class | [`read_image_folder`] |
//! | arrays of NumPy, in an `.npz` archive or a folder | [`read_numpy`] |
//! | the two sets inside this crate | [`builtin`]: [`iris`], [`digits`] |
//!
//! [`PUBLISHED`] lists the sets that lie on public servers, a [`DataFolder`] is where they lie once fetched; the module
//! `download`, behind the feature of that name, fetches them.
//!
//! Rows that are images know their [`ImageShape`]; [`Augment`] varies the images of a batch, [`Standardize`],
//! [`Gcn`] and [`Whiten`] prepare the features, [`quantiles`] are thresholds for them.
//!
//! Everything that is read is checked: an error names the file, the line and the column.
//!
//! ```
//! use onebit_train::data::{Standardize, iris};
//!
//! let (training, held_out) = iris().split(0.2, 42)?;
//! let standardize = Standardize::fit(&training);
//! let mut x = held_out.gather(&[0, 1]); // x: (2, 4)
//! standardize.apply(&mut x);
//! assert_eq!((training.len(), held_out.len(), x.len()), (120, 30, 8));
//! # Ok::<(), onebit_train::data::DataError>(())
//! ```

#[cfg(feature = "columnar")]
mod arrow_rows;
mod augment;
mod builtin;
mod cell;
mod cifar10;
#[cfg(feature = "columnar")]
mod columnar;
mod csv_rows;
mod data_folder;
mod dataset;
#[cfg(feature = "download")]
pub mod download;
mod encode;
mod error;
mod features;
mod files;
mod gcn;
mod idx;
mod image_file;
mod image_folder;
mod image_shape;
mod labels;
mod mat;
mod npy;
mod npy_rows;
mod numpy;
#[cfg(feature = "columnar")]
mod parquet_rows;
mod permutation;
mod published;
mod quantiles;
mod raw_column;
mod standardize;
mod svhn;
mod symmetric;
mod table;
mod table_format;
mod target;
mod whiten;

pub use augment::Augment;
pub use builtin::{BUILTIN, builtin, digits, iris};
pub use cifar10::read_cifar10_folder;
pub use data_folder::DataFolder;
pub use dataset::{Dataset, Samples};
pub use encode::UnknownCategory;
pub use error::DataError;
pub use features::{FeatureRows, Table, read_features};
pub use files::Part;
pub use gcn::Gcn;
pub use idx::{
    Images, read_idx_folder, read_idx_images, read_idx_images_from, read_idx_labels, read_idx_labels_from,
};
pub use image_file::read_image;
pub use image_folder::read_image_folder;
pub use image_shape::ImageShape;
pub use npy_rows::NpyRows;
pub use numpy::read_numpy;
pub use permutation::permutation;
pub use published::{PUBLISHED, PublishedFile, PublishedSet, published};
pub use quantiles::quantiles;
pub use standardize::Standardize;
pub use svhn::read_svhn_folder;
pub use table::{
    Missing, TableOptions, read_table, read_table_from, read_table_with, read_table_with_labels,
};
pub use table_format::{EXTENSIONS, TableFormat};
pub use target::default_target;
pub use whiten::Whiten;
