//! `mean_of_bits`: the share of ones among the bits of a feature.

use onebit_bits::BitTensor;
use serde::{Deserialize, Serialize};

use crate::contract::rule::even_sample;

/// Maximum number of features in a report.
const FEATURES: usize = 64;

/// Maximum number of samples that the means run over.
const ROWS: usize = 1 << 10;

/// Means of bits over a batch. A constant bit carries no information about the input; a mean near 1/2 carries
/// the most.
///
/// ```
/// use onebit_bits::BitTensor;
/// use onebit_train::inspect::BitMeans;
///
/// // 4 samples of 2 features: the first is always 1, the second in one sample
/// let bits = BitTensor::from_fn(4, 2, |sample, feature| feature == 0 || sample == 0);
/// let means = BitMeans::of(&bits, 1);
/// assert_eq!(means.features, [1.0, 0.25]);
/// assert_eq!((means.mean, means.constant), (0.625, 0.5));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BitMeans {
    /// Share of ones among all bits.
    pub mean: f64,
    /// Share of the columns that are constant over the batch.
    pub constant: f64,
    /// Mean of each feature over samples and thresholds, `b d x -> x`; for an evenly spaced sample of 64
    /// features if there are more.
    pub features: Vec<f32>,
}

impl BitMeans {
    /// Computes the means of `bits`, `(b, d x)`, with `depth` thresholds per feature.
    pub fn of(bits: &BitTensor, depth: usize) -> Self {
        let (rows, cols) = bits.shape();
        if rows * cols == 0 {
            return Self::default();
        }
        let rows: Vec<usize> = (0..rows).collect();
        let rows: Vec<usize> = even_sample(&rows, ROWS).copied().collect();
        let (n, ones) = (rows.len() as u32, ones_of_columns(bits, &rows));
        let features: Vec<usize> = (0..cols / depth.max(1)).collect();
        let of_feature = |&x: &usize| ones.iter().skip(x).step_by(features.len()).sum::<u32>();
        Self {
            mean: ones.iter().map(|&ones| f64::from(ones)).sum::<f64>() / (f64::from(n) * cols as f64),
            constant: ones.iter().filter(|&&ones| ones == 0 || ones == n).count() as f64 / cols as f64,
            features: even_sample(&features, FEATURES)
                .map(|x| of_feature(x) as f32 / (n as f32 * depth as f32))
                .collect(),
        }
    }
}

/// Counts the ones in each column of the given rows. It counts 64 columns at once: bit `c` of `planes[k]` is
/// binary digit `k` of the count of column `c`.
fn ones_of_columns(bits: &BitTensor, rows: &[usize]) -> Vec<u32> {
    let digits = usize::BITS - rows.len().leading_zeros();
    let mut planes = vec![vec![0; bits.words_per_row()]; digits as usize];
    let mut carry = vec![0; bits.words_per_row()];
    for &row in rows {
        carry.copy_from_slice(bits.row(row));
        for plane in &mut planes {
            for (digit, carry) in plane.iter_mut().zip(&mut carry) {
                (*digit, *carry) = (*digit ^ *carry, *digit & *carry);
            }
        }
    }
    let digit = |plane: &[u64], column: usize| (plane[column / 64] >> (column % 64) & 1) as u32;
    let count = |column| planes.iter().rev().fold(0, |count, plane| 2 * count + digit(plane, column));
    (0..bits.cols()).map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_means_over_samples_and_thresholds() {
        // 4 samples, 2 features at 2 thresholds: column k * 2 + x
        let bits = BitTensor::from_fn(4, 4, |row, column| match column {
            0 => true,
            1 => row < 2,
            2 => row == 0,
            _ => false,
        });
        let means = BitMeans::of(&bits, 2);
        assert_eq!(means.features, [0.625, 0.25]);
        assert_eq!((means.mean, means.constant), (7.0 / 16.0, 0.5));
    }

    #[test]
    fn columns_are_counted_as_one_by_one() {
        for (rows, cols) in [(1, 1), (2, 63), (3, 64), (7, 65), (8, 130), (255, 3), (256, 70)] {
            let bits = BitTensor::from_fn(rows, cols, |row, column| {
                (row * 31 + column * 17) % 5 < 2 || column % 7 == 0
            });
            let rows: Vec<usize> = (0..rows).step_by(1 + cols % 2).collect();
            let expected: Vec<u32> =
                (0..cols).map(|c| rows.iter().map(|&r| u32::from(bits.get(r, c))).sum()).collect();
            assert_eq!(ones_of_columns(&bits, &rows), expected, "{cols} columns");
        }
    }

    #[test]
    fn many_features_are_sampled() {
        let bits = BitTensor::from_fn(3, 1000, |_, column| column % 2 == 0);
        let means = BitMeans::of(&bits, 1);
        assert_eq!(means.features.len(), 63);
        assert_eq!((means.mean, means.constant), (0.5, 1.0));
        assert_eq!(BitMeans::of(&BitTensor::zeros(0, 3), 1), BitMeans::default());
    }
}
