//! Augmentation of training images: a random crop of the padded image, mirrored half of the time.
//!
//! ```text
//! out[y, x] = x'[y + dy - pad, x + dx - pad], fill outside      dy, dx uniform in 0..=2 pad
//! x'[y, x] = x[y, x] or x[y, w - 1 - x], each with probability 1/2
//! ```
//!
//! For CIFAR-10: `pad` 4 and `flip` (arXiv:1409.5185, arXiv:1512.03385). Evaluation does not augment. The
//! view of an image depends only on the seed, the epoch and its row in the data set, not on the batch.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{error::DataError, image_shape::ImageShape, permutation::below};

/// The augmentation of the images of a batch.
///
/// ```
/// use onebit_data::{Augment, ImageShape};
///
/// let image = ImageShape { height: 2, width: 2, channels: 1 };
/// let mut values = [1, 2, 3, 4, 1, 2, 3, 4]; // rows 7 and 5 of the data set
/// Augment { pad: 0, flip: true }.apply(image, 42, 1, &[7, 5], &mut values, 0);
/// assert!(values.chunks(4).all(|image| [[1, 2, 3, 4], [2, 1, 4, 3]].iter().any(|view| view == image)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Pixels added on each side before a crop of the original size; 0 means no crop.
    pub pad: usize,
    /// Whether images are mirrored left to right with probability 1/2.
    pub flip: bool,
}

impl Augment {
    /// Checks that images of this shape can be augmented.
    ///
    /// # Errors
    /// [`DataError::Setting`] unless `pad` is 0 or less than both sides; otherwise a crop could miss the
    /// image.
    pub fn check(&self, image: ImageShape) -> Result<(), DataError> {
        let side = image.height.min(image.width);
        if self.pad > 0 && self.pad >= side {
            let expected = format!("below {side}, the shorter side of the images");
            return Err(DataError::setting("data.augment.pad", expected, self.pad));
        }
        Ok(())
    }

    /// Augments a batch in place: `values`, `(rows.len(), h, w, c)`, are the images of `rows` in the data
    /// set. `fill` is the value of the padding; use the value that becomes 0 when standardized.
    ///
    /// # Panics
    /// If the number of values is not `rows.len() * h * w * c`.
    pub fn apply<T: Copy>(
        &self,
        image: ImageShape,
        seed: u64,
        epoch: usize,
        rows: &[usize],
        values: &mut [T],
        fill: T,
    ) {
        let features = image.height * image.width * image.channels;
        assert_eq!(values.len(), rows.len() * features, "{} images of {image}", rows.len());
        if features == 0 {
            return;
        }
        for (values, &row) in values.chunks_exact_mut(features).zip(rows) {
            let mut rng = generator(seed, epoch, row);
            let offset = |rng: &mut ChaCha8Rng| below(rng, 2 * self.pad + 1) as isize - self.pad as isize;
            let (down, right) = (offset(&mut rng), offset(&mut rng));
            if self.flip && rng.next_u64() >> 63 == 1 {
                mirror(image, values);
            }
            shift(image, values, (down, right), fill);
        }
    }
}

/// The random generator of an image in an epoch, keyed by the three numbers.
fn generator(seed: u64, epoch: usize, row: usize) -> ChaCha8Rng {
    let words = [seed, epoch as u64, row as u64, u64::from_le_bytes(*b"augment\0")];
    let mut key = [0; 32];
    key.as_chunks_mut().0.iter_mut().zip(words).for_each(|(bytes, word)| *bytes = word.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// Swaps left and right.
fn mirror<T: Copy>(image: ImageShape, values: &mut [T]) {
    for line in values.chunks_exact_mut(image.width * image.channels) {
        line.reverse(); // reverses the pixels and the channels within them
        line.chunks_exact_mut(image.channels).for_each(<[T]>::reverse); // restores the order of the channels
    }
}

/// Sets `values[y, x] = values[y + down, x + right]`, with `fill` outside.
fn shift<T: Copy>(image: ImageShape, values: &mut [T], (down, right): (isize, isize), fill: T) {
    let (height, line) = (image.height, image.width * image.channels);
    let skip = right.unsigned_abs().min(image.width) * image.channels;
    for y in 0..height {
        // The order of the lines makes sure that none is overwritten before it has been moved.
        let y = if down >= 0 { y } else { height - 1 - y };
        let to = y * line;
        match y.checked_add_signed(down).filter(|&from| from < height) {
            None => values[to..][..line].fill(fill),
            Some(from) if right >= 0 => {
                let from = from * line;
                values.copy_within(from + skip..from + line, to);
                values[to + line - skip..][..skip].fill(fill);
            }
            Some(from) => {
                let from = from * line;
                values.copy_within(from..from + line - skip, to + skip);
                values[to..][..skip].fill(fill);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `values[y, x]` of the padded image, by the formula.
    fn view(image: ImageShape, values: &[u32], (down, right, flip): (isize, isize, bool)) -> Vec<u32> {
        let (h, w, c) = (image.height as isize, image.width as isize, image.channels);
        let mut view = Vec::new();
        for y in 0..h {
            for x in 0..w {
                let (y, x) = (y + down, x + right);
                let inside = (0..h).contains(&y) && (0..w).contains(&x);
                let x = if flip { w - 1 - x } else { x };
                let at = |k| ((y * w + x) as usize) * c + k;
                view.extend((0..c).map(|k| if inside { values[at(k)] } else { 0 }));
            }
        }
        view
    }

    fn numbered(image: ImageShape, rows: usize) -> Vec<u32> {
        (1..=(rows * image.features().unwrap()) as u32).collect()
    }

    proptest! {
        #[test]
        fn every_view_is_a_crop_of_the_padded_image(
            (height, width, channels) in (1usize..6, 1usize..6, 1usize..4),
            (pad, flip) in (0usize..4, any::<bool>()),
            (seed, epoch, row) in (any::<u64>(), 0usize..100, 0usize..1000),
        ) {
            let image = ImageShape { height, width, channels };
            let values = numbered(image, 1);
            let mut out = values.clone();
            Augment { pad, flip }.apply(image, seed, epoch, &[row], &mut out, 0);
            let reach = -(pad as isize)..=pad as isize;
            let views = reach.clone().flat_map(|down| reach.clone().map(move |right| (down, right)));
            let views = views.flat_map(|(down, right)| [false, flip].map(|flip| (down, right, flip)));
            prop_assert!(views.into_iter().any(|choice| view(image, &values, choice) == out), "{out:?}");
        }

        #[test]
        fn neither_batch_nor_order_matter(seed in any::<u64>(), epoch in 0usize..100) {
            let image = ImageShape { height: 3, width: 4, channels: 2 };
            let augment = Augment { pad: 2, flip: true };
            let (values, rows) = (numbered(image, 3), [11, 0, 500]);
            let mut together = values.clone();
            augment.apply(image, seed, epoch, &rows, &mut together, 0);
            for (at, (alone, view)) in values.chunks(24).zip(together.chunks(24)).enumerate() {
                let mut alone = alone.to_vec();
                augment.apply(image, seed, epoch, &rows[at..=at], &mut alone, 0);
                prop_assert_eq!(alone, view);
            }
        }
    }

    #[test]
    fn without_pad_and_flip_nothing_happens() {
        let image = ImageShape { height: 3, width: 2, channels: 3 };
        let mut values = numbered(image, 2);
        Augment::default().apply(image, 1, 2, &[3, 4], &mut values, 0);
        assert_eq!(values, numbered(image, 2));
    }

    /// Each of the 2 * 3 * 3 views of an image is about equally frequent, over rows, epochs or seeds.
    #[test]
    fn all_views_are_equally_frequent() {
        let image = ImageShape { height: 2, width: 2, channels: 1 };
        let augment = Augment { pad: 1, flip: true };
        let draws = 18 * 500;
        for count_over in ["row", "epoch", "seed"] {
            let mut counts = std::collections::HashMap::new();
            for n in 0..draws {
                let of = |what| if what == count_over { n } else { 5 };
                let mut values = [1.0f32, 2.0, 3.0, 4.0];
                augment.apply(image, of("seed") as u64, of("epoch"), &[of("row")], &mut values, 0.5);
                *counts.entry(values.map(f32::to_bits)).or_insert(0) += 1;
            }
            // The values of a view and their positions tell which of the 3 * 3 crops it is, and whether mirrored.
            assert_eq!(counts.values().sum::<usize>(), draws);
            assert!(counts.values().all(|&count| (400..600).contains(&count)), "{count_over}: {counts:?}");
            assert_eq!(counts.len(), 18, "{count_over}");
        }
    }

    #[test]
    fn a_pad_is_smaller_than_the_image() {
        let image = ImageShape { height: 4, width: 3, channels: 1 };
        let check = |pad| Augment { pad, flip: true }.check(image).map_err(|error| error.to_string());
        assert_eq!((check(0), check(2)), (Ok(()), Ok(())));
        let error = "data.augment.pad: expected below 3, the shorter side of the images, got 3";
        assert_eq!(check(3), Err(error.to_string()));
    }
}
