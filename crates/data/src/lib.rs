//! Data sets: tables, arrays and images, with a class for every row.
//!
//! ```text
//! samples: (b, i) real numbers or bytes      labels: (b) integers below the number of classes
//! ```
//!
//! | source | reader |
//! |---|---|
//! | any labelled data, by path or name | [`Location`] |
//! | a CSV, Parquet or Arrow IPC table | [`read_table`], for evaluation [`read_table_with_labels`] |
//! | such a table or stdin, to predict from | [`read_features`], row by row [`FeatureRows`] |
//! | an `.npy` array, to predict from row by row | [`NpyRows`] |
//! | a PNG or JPEG image, to predict from | [`read_image`] |
//! | MNIST and its look-alikes | [`read_idx_folder`] |
//! | CIFAR-10 | [`read_cifar10_folder`] |
//! | SVHN | [`read_svhn_folder`] |
//! | PNG and JPEG images, one folder per class | [`read_image_folder`] |
//! | NumPy arrays, in an `.npz` archive or a folder | [`read_numpy`] |
//! | the two sets inside this crate | [`builtin`]: [`iris`], [`digits`] |
//!
//! [`PUBLISHED`] lists data sets on public servers. A [`DataFolder`] holds downloaded sets; the module
//! `download`, behind the feature of that name, downloads them.
//!
//! Rows that are images have an [`ImageShape`]. [`Standardize`], [`Gcn`] and [`Whiten`] transform features,
//! [`quantiles`] computes thresholds for them, and [`Augment`] varies the images of a batch.
//!
//! All input is checked: an error names the file, the line and the column, and has a [`Remedy`] if there is
//! an obvious one.
//!
//! ```
//! use onebit_data::{Standardize, iris};
//!
//! let (training, held_out) = iris().split(0.2, 42)?;
//! let standardize = Standardize::fit(&training);
//! let mut x = held_out.gather(&[0, 1]); // x: (2, 4)
//! standardize.apply(&mut x);
//! assert_eq!((training.len(), held_out.len(), x.len()), (120, 30, 8));
//! # Ok::<(), onebit_data::DataError>(())
//! ```

#![forbid(unsafe_code)]

mod arrays;
mod dataset;
mod error;
mod files;
mod image_shape;
mod images;
mod location;
mod missing;
mod permutation;
mod prepare;
mod published;
mod samples;
mod source;
mod split;
mod tables;

pub use arrays::{NpyRows, read_numpy};
pub use dataset::Dataset;
pub use error::{DataError, ImageError, Remedy, TableError};
pub use files::Subset;
pub use image_shape::ImageShape;
pub use images::{
    Images, read_cifar10_folder, read_idx_folder, read_idx_images, read_idx_images_from, read_idx_labels,
    read_idx_labels_from, read_image, read_image_folder, read_svhn_folder,
};
pub use location::Location;
pub use permutation::permutation;
pub use prepare::{Augment, ByteScale, Gcn, Standardize, Whiten, quantiles};
#[cfg(feature = "download")]
pub use published::download;
pub use published::{
    BUILTIN, DataFolder, PUBLISHED, PublishedFile, PublishedSet, builtin, digits, iris, published,
};
pub use samples::Samples;
pub use source::Source;
pub use split::Split;
pub use tables::{
    EXTENSIONS, FeatureRows, Missing, Table, TableFormat, TableOptions, UnknownCategory, default_target,
    read_features, read_table, read_table_from, read_table_with, read_table_with_labels,
};
