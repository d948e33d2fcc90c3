//! Histograms with bins of equal width.

use serde::{Deserialize, Serialize};

use crate::contract::rule::even_sample;

/// Number of bins, small enough to store hundreds of histograms as text.
const BINS: usize = 30;

/// Counts of numbers in bins of equal width from `min` to `max`. A bin excludes its upper end, except for the
/// last.
///
/// ```
/// use onebit_train::inspect::Histogram;
///
/// let histogram = Histogram::of(&[0.0, 0.0, 1.0, 3.0]);
/// assert_eq!((histogram.min, histogram.max, histogram.mean), (0.0, 3.0, 1.0));
/// assert_eq!((histogram.zeros, histogram.total()), (0.5, 4));
/// assert_eq!(histogram.bins().next(), Some((0.0, 0.1, 2)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Smallest number.
    pub min: f32,
    /// Largest number.
    pub max: f32,
    /// Mean.
    pub mean: f32,
    /// Population standard deviation.
    pub deviation: f32,
    /// Share of exact zeros.
    pub zeros: f32,
    /// Count of each bin; one bin if all numbers are equal, none if no number is finite.
    pub counts: Vec<u32>,
}

impl Histogram {
    /// Computes the histogram of an evenly spaced sample of at most `most` of `values`.
    pub fn of_sample(values: &[f32], most: usize) -> Self {
        if values.len() <= most {
            Self::of(values)
        } else {
            Self::of(&even_sample(values, most).copied().collect::<Vec<_>>())
        }
    }

    /// Computes the histogram of the finite `values`.
    pub fn of(values: &[f32]) -> Self {
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let (mut n, mut zeros, mut sum, mut squares) = (0u32, 0u32, 0.0, 0.0);
        let (mut min, mut max) = (f32::INFINITY, f32::NEG_INFINITY);
        for v in finite() {
            n += 1;
            zeros += u32::from(v == 0.0);
            (min, max) = (min.min(v), max.max(v));
            sum += f64::from(v);
            squares += f64::from(v) * f64::from(v);
        }
        if n == 0 {
            return Self::default();
        }
        let mean = sum / f64::from(n);
        let deviation = (squares / f64::from(n) - mean * mean).max(0.0).sqrt();
        let width = f64::from(max) - f64::from(min);
        let mut counts = vec![0; if width > 0.0 { BINS } else { 1 }];
        let scale = counts.len() as f64 / width.max(f64::MIN_POSITIVE);
        let last = counts.len() - 1;
        for v in finite() {
            counts[(((f64::from(v) - f64::from(min)) * scale) as usize).min(last)] += 1;
        }
        let zeros = zeros as f32 / n as f32;
        Self { min, max, mean: mean as f32, deviation: deviation as f32, zeros, counts }
    }

    /// Returns the number of values in all bins.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|&n| u64::from(n)).sum()
    }

    /// Iterates over lower end, upper end and count of each bin.
    pub fn bins(&self) -> impl Iterator<Item = (f64, f64, u32)> + '_ {
        let (min, bins) = (f64::from(self.min), self.counts.len().max(1) as f64);
        let width = (f64::from(self.max) - min) / bins;
        let edge = move |bin: usize| min + width * bin as f64;
        self.counts.iter().enumerate().map(move |(bin, &count)| (edge(bin), edge(bin + 1), count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_number_falls_into_its_bin() {
        let values: Vec<f32> = (0..=300).map(|v| v as f32 / 100.0).chain([f32::NAN, f32::INFINITY]).collect();
        let h = Histogram::of(&values);
        assert_eq!((h.min, h.max, h.total(), h.counts.len()), (0.0, 3.0, 301, BINS));
        assert_eq!(h.zeros, 1.0 / 301.0);
        assert!((h.mean - 1.5).abs() < 1e-6 && (h.deviation - 0.8689).abs() < 1e-3, "{h:?}");
        for (low, high, count) in h.bins() {
            let inside = |v: &&f32| f64::from(**v) >= low - 1e-6 && f64::from(**v) <= high + 1e-6;
            assert!(values.iter().filter(inside).count() >= count as usize, "{low} {high} {count}");
        }
        assert!(h.counts[..29].iter().all(|n| (9..=11).contains(n)), "{h:?}");
    }

    #[test]
    fn the_same_number_is_one_bin_and_no_number_none() {
        assert_eq!(Histogram::of(&[2.5; 7]).counts, [7]);
        assert_eq!(Histogram::of(&[2.5; 7]).bins().collect::<Vec<_>>(), [(2.5, 2.5, 7)]);
        assert_eq!(Histogram::of(&[f32::NAN]), Histogram::default());
        assert_eq!(Histogram::of(&[f32::MIN, f32::MAX]).total(), 2);
    }

    #[test]
    fn a_sample_is_even() {
        let values: Vec<f32> = (0..1000).map(|v| v as f32).collect();
        let h = Histogram::of_sample(&values, 100);
        assert_eq!((h.min, h.max, h.total()), (0.0, 990.0, 100));
    }
}
