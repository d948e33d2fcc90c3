//! `mean_of_bits`: how often the bits of a feature are 1.

use onebit_bits::BitTensor;
use serde::{Deserialize, Serialize};

use crate::rules::even_sample;

/// Features whose means are kept, at most.
const FEATURES: usize = 64;

/// Rows that the means run over, at most.
const ROWS: usize = 1 << 9;

/// Means of bits over a batch. A bit that is always the same says nothing about the input; one near 1/2 says most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BitMeans {
    /// Share of ones in all bits.
    pub mean: f64,
    /// Share of the columns whose bit is the same for every sample of the batch.
    pub constant: f64,
    /// The mean of each feature over samples and thresholds, `b d x -> x`; of an even sample of 64 if there are more.
    pub features: Vec<f32>,
}

impl BitMeans {
    /// Of bits `(b, d x)` with `depth` thresholds a feature.
    pub fn of(bits: &BitTensor, depth: usize) -> Self {
        let (rows, cols) = bits.shape();
        if rows * cols == 0 {
            return Self::default();
        }
        let rows: Vec<usize> = (0..rows).collect();
        let rows: Vec<usize> = even_sample(&rows, ROWS).copied().collect();
        let (words, n) = (bits.words_per_row(), rows.len() as f64);
        let (mut any, mut all) = (vec![0; words], vec![!0; words]);
        let mut ones = 0;
        for &row in &rows {
            for ((any, all), &word) in any.iter_mut().zip(&mut all).zip(bits.row(row)) {
                *any |= word;
                *all &= word;
                ones += u64::from(word.count_ones());
            }
        }
        // padding is 0, so it is among neither
        let varying: u32 =
            any.iter().zip(&all).map(|(any, all): (&u64, &u64)| (any & !all).count_ones()).sum();
        let features = cols / depth.max(1);
        let each: Vec<usize> = (0..features).collect();
        let mean = |&x: &usize| {
            let of_row = |&row: &usize| (0..depth).filter(|k| bits.get(row, k * features + x)).count();
            rows.iter().map(of_row).sum::<usize>() as f32 / (n as f32 * depth as f32)
        };
        Self {
            mean: ones as f64 / (n * cols as f64),
            constant: 1.0 - f64::from(varying) / cols as f64,
            features: even_sample(&each, FEATURES).map(mean).collect(),
        }
    }
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
    fn many_features_are_sampled() {
        let bits = BitTensor::from_fn(3, 1000, |_, column| column % 2 == 0);
        let means = BitMeans::of(&bits, 1);
        assert_eq!(means.features.len(), 63);
        assert_eq!((means.mean, means.constant), (0.5, 1.0));
        assert_eq!(BitMeans::of(&BitTensor::zeros(0, 3), 1), BitMeans::default());
    }
}
