//! Thresholds that divide the values of a feature into groups of equal size.

use crate::{dataset::Dataset, prepare::standardize::Standardize, samples::Samples};

/// The number of real values that are examined per channel, if it has more.
const EXAMINED: usize = 100_000;

/// A value and the number of times that it occurs.
type Count = (f32, u64);

/// The quantiles `k / (levels + 1)`, `k = 1..=levels`, of each standardized feature over `training`:
/// `(levels, x)`, row-major and ascending in `k`. For images, `x` is the number of channels, each with the
/// values of all pixels; otherwise it is the number of features.
///
/// If the most common value makes up more than half of the values, it is left out: the background of an image
/// carries no information, and four fifths of MNIST is background. A threshold lies midway between two
/// neighbouring values that occur, chosen so that the share of values below comes nearest to the quantile. So
/// `value > threshold` always separates some values. With fewer gaps between values than levels, some levels
/// are equal. All thresholds of a constant feature are its value.
///
/// All bytes are counted. Of more than 100 000 reals, every n-th is.
///
/// ```
/// use onebit_data::{Dataset, Samples, Standardize, quantiles};
///
/// let samples = Samples::Real { cols: 1, values: vec![0.0, 1.0, 2.0, 3.0] };
/// let training = Dataset::new(samples, vec![0; 4], vec!["a".into()], vec![])?;
/// let unchanged = Standardize::uniform(0.0, 1.0, 1);
/// assert_eq!(quantiles(&training, &unchanged, 3), [0.5, 1.5, 2.5]);
/// assert_eq!(quantiles(&training, &unchanged, 1), [1.5]);
/// # Ok::<(), onebit_data::DataError>(())
/// ```
pub fn quantiles(training: &Dataset, standardize: &Standardize, levels: usize) -> Vec<f32> {
    let channels = training.image().map_or(training.features(), |image| image.channels);
    let mut table = vec![0.0; levels * channels];
    for channel in 0..channels {
        let counts = counts(training, standardize, (channel, channels));
        for (level, threshold) in cuts(&counts, levels).enumerate() {
            table[level * channels + channel] = threshold;
        }
    }
    table
}

/// The distinct values of a channel, ascending, with their counts.
fn counts(training: &Dataset, standardize: &Standardize, (channel, channels): (usize, usize)) -> Vec<Count> {
    let pixels = training.features() / channels;
    match (training.samples(), standardize.byte_scale()) {
        (Samples::Bytes { values, .. }, Some(numbers)) => {
            let mut histogram = [0; 256];
            values.iter().skip(channel).step_by(channels).for_each(|&byte| histogram[usize::from(byte)] += 1);
            let standardized = |byte: u8| (f32::from(byte) - numbers.mean()) * numbers.scale();
            let some = (0..=255u8).zip(histogram).filter(|(_, count)| *count > 0);
            merged(some.map(|(byte, count)| (standardized(byte), count)).collect())
        }
        (samples, _) => {
            let n = training.len() * pixels;
            let one = |at: usize| {
                let raw = match samples {
                    Samples::Real { values, .. } => values[at],
                    Samples::Bytes { values, .. } => f32::from(values[at]),
                };
                let feature = at % training.features();
                (raw - standardize.mean()[feature]) * standardize.scale()[feature]
            };
            let some = (0..n).step_by(stride(n, pixels));
            merged(some.map(|pixel| (one(pixel * channels + channel), 1)).collect())
        }
    }
}

/// The distance between examined values. It is coprime to the number of pixels, so it meets every pixel of an
/// image.
fn stride(n: usize, pixels: usize) -> usize {
    let coprime = |step: &usize| {
        let (mut a, mut b) = (*step, pixels);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a == 1
    };
    (n.div_ceil(EXAMINED).max(1)..).find(coprime).expect("some prime is larger than the number of pixels")
}

/// Sorts the values and merges equal ones.
fn merged(mut counts: Vec<Count>) -> Vec<Count> {
    counts.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    counts.dedup_by(|(next, count), (value, sum)| {
        let same = next == value;
        *sum += if same { *count } else { 0 };
        same
    });
    counts
}

/// The thresholds of one channel, `(levels)`.
fn cuts(counts: &[Count], levels: usize) -> impl Iterator<Item = f32> {
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let of = |count: u64| if 2 * count > all { 0 } else { count }; // the background does not count
    // The number of values below each gap.
    let below: Vec<u64> = counts
        .iter()
        .scan(0, |sum, (_, count)| {
            *sum += of(*count);
            Some(*sum)
        })
        .collect();
    let (total, gaps) = (below.last().copied().unwrap_or(0), counts.len().saturating_sub(1));
    let groups = levels as u64 + 1;
    (1..groups).map(move |level| {
        // Counts are multiplied by `groups`, so that the comparison is exact.
        let (wanted, of_gap) = (level * total, |gap: usize| below[gap] * groups);
        let above = below[..gaps].partition_point(|below| below * groups < wanted);
        let gap = match above {
            _ if gaps == 0 => return counts.first().map_or(0.0, |(value, _)| *value),
            0 => 0,
            gap if gap < gaps && of_gap(gap) - wanted <= wanted - of_gap(gap - 1) => gap,
            gap => gap - 1,
        };
        midway(counts[gap].0, counts[gap + 1].0)
    })
}

/// The midpoint, or `low` where rounding would reach `high`.
fn midway(low: f32, high: f32) -> f32 {
    let middle = ((f64::from(low) + f64::from(high)) / 2.0) as f32;
    if middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageShape;

    fn reals(cols: usize, values: &[f32]) -> Dataset {
        let labels = vec![0; values.len() / cols];
        let samples = Samples::Real { cols, values: values.to_vec() };
        Dataset::new(samples, labels, vec!["a".into()], vec![]).unwrap()
    }

    fn bytes(cols: usize, values: Vec<u8>) -> Dataset {
        let labels = vec![0; values.len() / cols];
        Dataset::new(Samples::Bytes { cols, values }, labels, vec!["a".into()], vec![]).unwrap()
    }

    /// Quantiles of a single feature that is not standardized.
    fn of(values: &[f32], levels: usize) -> Vec<f32> {
        quantiles(&reals(1, values), &Standardize::uniform(0.0, 1.0, 1), levels)
    }

    #[test]
    fn equal_parts() {
        assert_eq!(of(&[3.0, 1.0, 4.0, 2.0], 1), [2.5]);
        assert_eq!(of(&[3.0, 1.0, 4.0, 2.0], 3), [1.5, 2.5, 3.5]);
        // Half of five values: both gaps are equally near, and the middle value goes up.
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0, 5.0], 1), [3.5]);
        let many: Vec<f32> = (0..1000).map(|at| (at * 377 % 1000) as f32).collect();
        assert_eq!(of(&many, 4), [199.5, 399.5, 599.5, 799.5]);
    }

    #[test]
    fn few_values_share_their_gaps() {
        assert_eq!(of(&[0.0, 0.0, 1.0, 1.0], 3), [0.5; 3]);
        assert_eq!(of(&[0.0, 1.0, 2.0, 2.0], 2), [0.5, 1.5]);
        // A step spans the quantile: its nearer end is taken.
        assert_eq!(of(&[0.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0], 1), [1.5]);
        assert_eq!(of(&[0.0, 0.5, 1.0, 1.0, 1.0, 2.0], 1), [0.75]);
    }

    #[test]
    fn a_background_is_left_out_and_still_told_from_the_rest() {
        let mut values = vec![0.0; 80];
        values.extend((1..=20).map(|at| at as f32));
        assert_eq!(of(&values, 3), [5.5, 10.5, 15.5]);
        // Without the background, one value remains.
        assert_eq!(of(&[0.0, 0.0, 0.0, 1.0], 2), [0.5; 2]);
        // The background lies in the middle: one threshold on either side.
        assert_eq!(of(&[-1.0, 0.0, 0.0, 0.0, 1.0], 2), [-0.5, 0.5]);
        // Half is not more than half.
        assert_eq!(of(&[0.0, 0.0, 1.0, 2.0], 3), [0.5, 0.5, 1.5]);
    }

    #[test]
    fn constant_features_and_zeros_of_two_signs() {
        assert_eq!(of(&[7.0; 5], 3), [7.0; 3]);
        assert_eq!(of(&[0.0, -0.0, 0.0, -0.0], 1), [0.0]);
        assert_eq!(of(&[0.0, -0.0, -0.0, 1.0, 2.0], 1), [0.5 + 1.0]);
        assert_eq!(of(&[1.0], 2), [1.0; 2]);
        // Neighbouring floats: their midpoint is one of them.
        let next = 1.0f32.next_up();
        assert_eq!(of(&[1.0, next], 1), [1.0]);
        assert_eq!(of(&[f32::MIN, f32::MAX], 1), [0.0]);
        assert!(of(&[1.0, 2.0], 0).is_empty());
    }

    #[test]
    fn in_the_units_of_the_layers_by_feature_or_by_channel() {
        // Features 0 and 1 alternate.
        let values = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0];
        let standardize = Standardize::new(vec![1.0, 0.0], vec![1.0, 0.1]).unwrap();
        let set = reals(2, &values);
        assert_eq!(quantiles(&set, &standardize, 3), [0.5, 1.5, 1.5, 2.5, 2.5, 3.5]);
        let shape = |height, channels| ImageShape { height, width: 1, channels };
        // Two pixels: 0, 1, 2, 3 and 1, 2, 3, 4
        let pixels = set.clone().with_image(shape(2, 1)).unwrap();
        assert_eq!(quantiles(&pixels, &standardize, 1), [2.5]);
        // One pixel of two channels.
        let channels = set.with_image(shape(1, 2)).unwrap();
        assert_eq!(quantiles(&channels, &standardize, 3), [0.5, 1.5, 1.5, 2.5, 2.5, 3.5]);
    }

    #[test]
    fn bytes_are_counted_as_the_numbers_they_stand_for() {
        let values: Vec<u8> = (0..600u32).map(|at| (at * at * 37 % 251) as u8).collect();
        let set = bytes(6, values.clone());
        let same = reals(6, &values.iter().map(|&byte| f32::from(byte)).collect::<Vec<_>>());
        let image = ImageShape { height: 2, width: 1, channels: 3 };
        for standardize in [
            Standardize::uniform(127.5, 1.0 / 127.5, 6),
            Standardize::uniform(127.5, -1.0, 6),
            Standardize::uniform(3.0, 0.0, 6),
            Standardize::new(vec![0.0; 6], vec![1.0, 0.5, 2.0, 1.0, 1.0, 3.0]).unwrap(),
        ] {
            assert_eq!(quantiles(&set, &standardize, 7), quantiles(&same, &standardize, 7));
            let [set, same] = [&set, &same].map(|set| set.clone().with_image(image).unwrap());
            assert_eq!(quantiles(&set, &standardize, 7), quantiles(&same, &standardize, 7));
        }
    }

    #[test]
    fn of_many_values_some_of_every_pixel_are_taken() {
        assert_eq!((stride(100_000, 1), stride(100_001, 1)), (1, 2));
        assert_eq!((stride(102_400, 1024), stride(60_000 * 784, 784)), (3, 471));
        assert_eq!(stride(50_000 * 1024, 1024), 513);
        // 300 000 numbers; every second pixel is higher by 1.
        let values: Vec<f32> =
            (0..300_000).map(|at| (at / 2 % 1000) as f32 + 1000.0 * (at % 2) as f32).collect();
        let set = reals(2, &values).with_image(ImageShape { height: 2, width: 1, channels: 1 }).unwrap();
        let [quarter, half, _] = quantiles(&set, &Standardize::uniform(0.0, 1.0, 2), 3)[..] else { panic!() };
        assert!((quarter - 500.0).abs() < 10.0 && (half - 999.5).abs() < 10.0, "{quarter} {half}");
    }
}
