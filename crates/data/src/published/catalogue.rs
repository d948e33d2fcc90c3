//! The catalogue of published image sets: their contents, files, sizes and addresses.
//!
//! | name | contents | training images | test images | size |
//! |---|---|---|---|---|
//! | `mnist` | handwritten digits | 60000 | 10000 | 28x28x1 |
//! | `fashion-mnist` | photographs of clothes | 60000 | 10000 | 28x28x1 |
//! | `cifar10` | photographs of animals and vehicles | 50000 | 10000 | 32x32x3 |
//! | `svhn` | house numbers, one digit each | 73257 | 26032 | 32x32x3 |
//!
//! Sizes and SHA-256 are those of TensorFlow Datasets (`tensorflow_datasets/url_checksums`).
//! `docs/reference/data.md` says which of them were checked against real files.

use crate::image_shape::ImageShape;

/// A data set on public servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedSet {
    /// The name in configurations and flags.
    pub name: &'static str,
    /// The contents in a few words.
    pub about: &'static str,
    /// The numbers of training and test images.
    pub samples: [usize; 2],
    /// The number of classes.
    pub classes: usize,
    /// The shape of the images.
    pub image: ImageShape,
    /// The files to download.
    pub files: &'static [PublishedFile],
    /// The base addresses of the files, in the order in which they are tried.
    pub mirrors: &'static [&'static str],
}

/// A file of a published set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedFile {
    /// The name below a mirror's address and in the folder of the set.
    pub name: &'static str,
    /// The size in bytes.
    pub bytes: u64,
    /// The SHA-256 in hexadecimal digits.
    pub sha256: &'static str,
    /// For a gzipped tar archive, the path and size of each wanted file; these files replace the archive.
    pub unpacked: &'static [(&'static str, u64)],
}

impl PublishedFile {
    const fn new(name: &'static str, bytes: u64, sha256: &'static str) -> Self {
        Self { name, bytes, sha256, unpacked: &[] }
    }
}

impl PublishedSet {
    /// The number of bytes to download.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The paths of the files that the reader needs, relative to the folder of the set.
    pub fn wanted(&self) -> impl Iterator<Item = &'static str> {
        self.files.iter().flat_map(|file| {
            let whole = file.unpacked.is_empty().then_some(file.name);
            whole.into_iter().chain(file.unpacked.iter().map(|(path, _)| *path))
        })
    }
}

/// The published set of this name; `None` for an unknown name.
///
/// ```
/// let mnist = onebit_data::published("mnist").expect("it is in the catalogue");
/// assert_eq!((mnist.samples, mnist.image.to_string()), ([60_000, 10_000], "28x28x1".into()));
/// ```
pub fn published(name: &str) -> Option<&'static PublishedSet> {
    PUBLISHED.iter().find(|set| set.name == name)
}

const GREY: ImageShape = ImageShape { height: 28, width: 28, channels: 1 };
const COLOUR: ImageShape = ImageShape { height: 32, width: 32, channels: 3 };
/// The size of a batch of CIFAR-10: 10000 labels and images.
const BATCH: u64 = 10_000 * (1 + 3 * 32 * 32);

/// The published sets that can be downloaded.
pub const PUBLISHED: [PublishedSet; 4] = [
    PublishedSet {
        name: "mnist",
        about: "handwritten digits",
        samples: [60_000, 10_000],
        classes: 10,
        image: GREY,
        files: &[
            PublishedFile::new(
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            PublishedFile::new(
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            PublishedFile::new(
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            PublishedFile::new(
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ],
        mirrors: &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ],
    },
    PublishedSet {
        name: "fashion-mnist",
        about: "photographs of clothes",
        samples: [60_000, 10_000],
        classes: 10,
        image: GREY,
        files: &[
            PublishedFile::new(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            PublishedFile::new(
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            PublishedFile::new(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            PublishedFile::new(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ],
        mirrors: &[
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ],
    },
    PublishedSet {
        name: "cifar10",
        about: "photographs of animals and vehicles",
        samples: [50_000, 10_000],
        classes: 10,
        image: COLOUR,
        files: &[PublishedFile {
            name: "cifar-10-binary.tar.gz",
            bytes: 170_052_171,
            sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            unpacked: &[
                ("cifar-10-batches-bin/data_batch_1.bin", BATCH),
                ("cifar-10-batches-bin/data_batch_2.bin", BATCH),
                ("cifar-10-batches-bin/data_batch_3.bin", BATCH),
                ("cifar-10-batches-bin/data_batch_4.bin", BATCH),
                ("cifar-10-batches-bin/data_batch_5.bin", BATCH),
                ("cifar-10-batches-bin/test_batch.bin", BATCH),
            ],
        }],
        mirrors: &[
            "https://www.cs.toronto.edu/~kriz/",
            "https://cave.cs.toronto.edu/kriz/",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
        ],
    },
    PublishedSet {
        name: "svhn",
        about: "house numbers, one digit each",
        samples: [73_257, 26_032],
        classes: 10,
        image: COLOUR,
        files: &[
            PublishedFile::new(
                "train_32x32.mat",
                182_040_794,
                "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
            ),
            PublishedFile::new(
                "test_32x32.mat",
                64_275_384,
                "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
            ),
        ],
        mirrors: &["http://ufldl.stanford.edu/housenumbers/"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_well_formed() {
        for set in PUBLISHED {
            assert_eq!(published(set.name), Some(&set));
            assert!(
                set.mirrors.iter().all(|url| url.starts_with("http") && url.ends_with('/')),
                "{}",
                set.name
            );
            for file in set.files {
                assert_eq!(file.sha256.len(), 64, "{}", file.name);
                assert!(file.sha256.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
                assert!(!file.name.contains(['/', '\\']) && file.bytes > 0);
            }
        }
        assert!(published("imagenet").is_none());
        let wanted: Vec<_> = PUBLISHED[2].wanted().collect();
        assert_eq!((wanted.len(), wanted[5]), (6, "cifar-10-batches-bin/test_batch.bin"));
        assert_eq!(PUBLISHED[3].wanted().collect::<Vec<_>>(), ["train_32x32.mat", "test_32x32.mat"]);
        assert_eq!(PUBLISHED[0].bytes(), 11_594_722);
    }
}
