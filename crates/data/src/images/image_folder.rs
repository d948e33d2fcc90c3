//! Images in folders, one folder per class: `cat/1.png`, `cat/2.jpg`, `dog/1.png`; with a test set also
//! `train/cat/1.png` and `test/cat/2.png`.
//!
//! All images have one size. If all are grey they have one channel, otherwise three: red, green and blue.
//! Transparent pixels become opaque, and 16-bit channels become 8-bit. Classes and images are sorted by the
//! bytes of their names, so that the same folder gives the same data set on every machine. Other files, and
//! names that start with a dot, are ignored.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use image::DynamicImage;

use crate::{
    dataset::Dataset,
    error::{DataError, ImageError, listed},
    files::open,
    image_shape::ImageShape,
    images::image_file::decode,
    samples::Samples,
};

/// The largest total size of the decoded images: 1 GiB.
const LIMIT: u64 = 1 << 30;
/// The largest size of a decoded image: each of its bytes has a feature name in memory.
const IMAGE_LIMIT: u64 = 1 << 20;

/// Reads a folder with one sub-folder per class, or with sub-folders `train` and optionally `test` that
/// contain those. Returns the training set and the test set, if there is one. The classes are those of the
/// training set.
///
/// ```no_run
/// let (train, test) = onebit_data::read_image_folder("pets")?; // pets/train/cat/1.png, ..
/// println!("{:?}: {} images to learn from", train.label_names(), train.len());
/// # Ok::<(), onebit_data::DataError>(())
/// ```
///
/// # Errors
/// [`ImageError::TooFewClasses`], [`ImageError::UnknownClass`]; [`DataError::NoFile`] for a class without an
/// image; [`DataError::Open`], [`DataError::Read`], [`DataError::Image`]; [`ImageError::Size`] for images
/// of different sizes; [`DataError::Oversize`] if an image, or all images together, are too large.
pub fn read_image_folder(dir: impl AsRef<Path>) -> Result<(Dataset, Option<Dataset>), DataError> {
    let dir = dir.as_ref();
    let found = entries(dir, Path::is_dir)?;
    let (train, test) = (dir.join("train"), dir.join("test"));
    // A class may be named "train", too; then it stands beside other classes.
    let split = found.contains(&train) && found.iter().all(|folder| *folder == train || *folder == test);
    let classes = if split { entries(&train, Path::is_dir)? } else { found.clone() };
    if classes.len() < 2 {
        let dir = if split { &train } else { dir };
        return Err(ImageError::TooFewClasses { dir: dir.display().to_string(), got: classes.len() }.into());
    }
    let names: Vec<String> = classes.iter().map(|class| name(class)).collect();
    let mut images = Images::default();
    images.read(&classes, &names)?;
    let learned = images.labels.len();
    if split && found.contains(&test) {
        images.read(&entries(&test, Path::is_dir)?, &names)?;
    }
    let tested = images.labels.len() - learned;
    let all = images.into_dataset(names)?;
    if tested == 0 {
        return Ok((all, None));
    }
    let (train, test) = all.split_last(tested)?;
    Ok((train, Some(test)))
}

/// The entries of a folder that are of a kind, sorted.
fn entries(dir: &Path, kind: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, DataError> {
    let read = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let read = read.map_err(|reason| DataError::Read { file: dir.display().to_string(), reason })?;
    let paths = read.iter().map(fs::DirEntry::path);
    let mut paths: Vec<PathBuf> = paths.filter(|path| !name(path).starts_with('.') && kind(path)).collect();
    paths.sort();
    Ok(paths)
}

/// The last component of a path.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_image(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    path.is_file() && ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The images read so far. They are grey until the first coloured one, which converts all to three channels.
#[derive(Default)]
struct Images {
    /// The path of the first image, and its width and height.
    first: Option<(PathBuf, [u32; 2])>,
    colour: bool,
    values: Vec<u8>,
    labels: Vec<u32>,
}

impl Images {
    /// Reads the images in the folders of these classes.
    fn read(&mut self, classes: &[PathBuf], names: &[String]) -> Result<(), DataError> {
        for class in classes {
            let dir = || class.display().to_string();
            let Some(label) = names.iter().position(|known| *known == name(class)) else {
                return Err(ImageError::UnknownClass { dir: dir(), known: listed(names.iter()) }.into());
            };
            let files = entries(class, is_image)?;
            if files.is_empty() {
                return Err(DataError::NoFile { dir: dir(), tried: "*.png, *.jpg, *.jpeg".to_string() });
            }
            for file in files {
                self.add(&file)?;
                self.labels.push(label as u32);
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path) -> Result<(), DataError> {
        let image = read(path)?;
        let size = [image.width(), image.height()];
        let (first, expected) = self.first.get_or_insert_with(|| (path.to_path_buf(), size));
        if *expected != size {
            let [expected, got] = [*expected, size].map(|[width, height]| format!("{width}x{height}"));
            let (file, first) = (path.display().to_string(), first.display().to_string());
            return Err(ImageError::Size { file, expected, first, got }.into());
        }
        if image.color().has_color() && !self.colour {
            self.colour = true;
            self.values = self.values.iter().flat_map(|&grey| [grey; 3]).collect();
        }
        let pixels = if self.colour { image.into_rgb8().into_raw() } else { image.into_luma8().into_raw() };
        self.values.extend(pixels);
        check(path, self.values.len() as u64, LIMIT)
    }

    fn into_dataset(self, label_names: Vec<String>) -> Result<Dataset, DataError> {
        let [width, height] = self.first.map_or([0, 0], |(_, size)| size.map(|side| side as usize));
        let shape = ImageShape { height, width, channels: if self.colour { 3 } else { 1 } };
        let samples = Samples::Bytes { cols: width * height * shape.channels, values: self.values };
        Dataset::new(samples, self.labels, label_names, shape.feature_names())?.with_image(shape)
    }
}

/// Reads an image and checks its decoded size.
fn read(path: &Path) -> Result<DynamicImage, DataError> {
    let (reader, file) = open(path)?;
    let image = decode(reader, &file, |_| Ok(()))?;
    let channels = if image.color().has_color() { 3 } else { 1 };
    check(path, u64::from(image.width()) * u64::from(image.height()) * channels, IMAGE_LIMIT)?;
    Ok(image)
}

fn check(path: &Path, bytes: u64, limit: u64) -> Result<(), DataError> {
    if bytes > limit {
        return Err(DataError::Oversize { file: path.display().to_string(), limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};

    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        }

        /// An image of 2x1 grey pixels: `value`, 200.
        fn grey(&self, name: &str, value: u8) -> &Self {
            let image = GrayImage::from_fn(2, 1, |x, _| Luma([if x == 0 { value } else { 200 }]));
            image.save_with_format(self.path(name), ImageFormat::Png).unwrap();
            self
        }

        fn write(&self, name: &str, bytes: &[u8]) -> &Self {
            fs::write(self.path(name), bytes).unwrap();
            self
        }

        fn read(&self) -> Result<(Dataset, Option<Dataset>), String> {
            let place = self.0.path().display().to_string();
            read_image_folder(self.0.path()).map_err(|error| error.to_string().replace(&place, "DIR"))
        }
    }

    #[test]
    fn one_folder_a_class() {
        let folder = Folder::new();
        folder.grey("b/2.png", 3).grey("b/10.PNG", 2).grey("a/x.png", 1).grey(".hidden/x.png", 9);
        folder.grey("b/.x.png", 8).write("b/notes.txt", b"").write("README", b"");
        let (set, test) = folder.read().unwrap();
        assert_eq!((set.label_names().concat(), set.labels(), test), ("ab".into(), &[0, 1, 1][..], None));
        assert_eq!(set.image(), Some(ImageShape { height: 1, width: 2, channels: 1 }));
        assert_eq!(set.gather(&[0, 1, 2]), [1.0, 200.0, 2.0, 200.0, 3.0, 200.0]);
    }

    #[test]
    fn one_image_in_colour_makes_all_of_them_have_three_channels() {
        let folder = Folder::new();
        folder.grey("train/a/1.png", 1).grey("train/train/1.png", 2).grey("test/train/1.png", 4);
        let (train, test) = folder.read().unwrap();
        assert_eq!((train.features(), test.unwrap().features()), (2, 2));

        let image = RgbImage::from_fn(2, 1, |x, _| Rgb([10, 20, 30 + x as u8]));
        image.save_with_format(folder.path("test/a/1.png"), ImageFormat::Png).unwrap();
        let (train, test) = folder.read().unwrap();
        let test = test.unwrap();
        assert_eq!(
            (train.label_names(), train.labels(), test.labels()),
            (test.label_names(), &[0, 1][..], &[0, 1][..])
        );
        assert_eq!(train.gather(&[1]), [2.0, 2.0, 2.0, 200.0, 200.0, 200.0]);
        assert_eq!(test.gather(&[0]), [10.0, 20.0, 30.0, 10.0, 20.0, 31.0]);
        assert_eq!(test.image(), Some(ImageShape { height: 1, width: 2, channels: 3 }));
    }

    #[test]
    fn jpeg_whatever_its_name_says() {
        let folder = Folder::new();
        let image = RgbImage::from_pixel(8, 8, Rgb([250, 0, 0]));
        image.save_with_format(folder.path("a/1.jpg"), ImageFormat::Jpeg).unwrap();
        image.save_with_format(folder.path("b/1.png"), ImageFormat::Jpeg).unwrap();
        let (set, _) = folder.read().unwrap();
        assert_eq!(set.features(), 192);
        let near = |(&value, x): (&f32, f32)| (value - x).abs() < 10.0;
        assert!(set.gather(&[1]).iter().zip([250.0, 0.0, 0.0].into_iter().cycle()).all(near));
    }

    #[test]
    fn folders_that_are_refused() {
        let few = |dir: &str, got| {
            Err(format!("{dir}: expected a sub-folder for each of at least two classes, got {got}"))
        };
        let folder = Folder::new();
        assert_eq!(folder.read(), few("DIR", 0));
        assert_eq!(folder.grey("test/1.png", 1).read(), few("DIR", 1));
        assert_eq!(folder.grey("train/a/1.png", 1).read(), few("DIR/train", 1));
        folder.grey("train/b/1.png", 1).grey("test/c/1.png", 1);
        assert_eq!(folder.read().unwrap_err(), "DIR/test/c: expected one of the classes to learn, a, b");
        // With other folders beside them, `train` and `test` are classes.
        folder.grey("other/1.png", 1);
        assert_eq!(folder.read().unwrap_err(), "DIR/train: none of the files *.png, *.jpg, *.jpeg");
        let missing = read_image_folder("no/such").unwrap_err().to_string();
        assert!(missing.starts_with("cannot read no/such: "), "{missing}");
    }

    #[test]
    fn images_that_are_refused() {
        let folder = Folder::new();
        folder.grey("a/1.png", 1);
        let whole = fs::read(folder.path("a/1.png")).unwrap();
        for bytes in [&b""[..], b"GIF89a..........", &whole[..whole.len() - 20]] {
            let error = folder.write("b/1.png", bytes).read().unwrap_err();
            assert!(error.starts_with("DIR/b/1.png: cannot decode the image: "), "{error}");
        }
        GrayImage::new(1, 2).save(folder.path("b/1.png")).unwrap();
        assert_eq!(folder.read().unwrap_err(), "DIR/b/1.png: expected 2x1 pixels as in DIR/a/1.png, got 1x2");
    }

    #[test]
    fn sizes_have_limits() {
        let folder = Folder::new();
        GrayImage::new(1025, 1024).save(folder.path("a/1.png")).unwrap();
        let limit = "DIR/a/1.png: expected at most 1048576 bytes, got more";
        assert_eq!(folder.grey("b/1.png", 1).read().unwrap_err(), limit);
        // The header of a PNG promises 65000x65000 pixels; nothing so large is allocated.
        let mut bytes = fs::read(folder.path("b/1.png")).unwrap();
        let side = 65000u32.to_be_bytes();
        bytes[16..24].copy_from_slice(&[side, side].concat());
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        let error = folder.write("a/1.png", &bytes).read().unwrap_err();
        assert!(error.starts_with("DIR/a/1.png: cannot decode the image: "), "{error}");
        assert!(error.to_lowercase().contains("limit"), "{error}");
    }
}
