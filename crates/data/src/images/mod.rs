//! Image data sets: idx files, CIFAR-10, SVHN, and folders of PNG and JPEG files.
//!
//! `mat` reads MATLAB's files for SVHN; `image_file` decodes one PNG or JPEG image within limits.

mod cifar10;
mod idx;
mod image_file;
mod image_folder;
mod mat;
mod svhn;

pub use cifar10::read_cifar10_folder;
pub use idx::{
    Images, read_idx_folder, read_idx_images, read_idx_images_from, read_idx_labels, read_idx_labels_from,
};
pub use image_file::read_image;
pub use image_folder::read_image_folder;
pub use svhn::read_svhn_folder;
