//! ZCA whitening: uncorrelated features of variance 1, as near to the original ones as possible.
//!
//! ```text
//! y = (x - mean) W        W = U (S + eps)^(-1/2) U^T        U S U^T = 1/b sum (x - mean)^T (x - mean)
//! ```
//!
//! Mean and covariance are those of the training set, computed in f64. The larger `eps` is, the less are weak
//! directions amplified, which are mostly noise. The definition is that of pylearn2, which uses an `eps` of
//! 0.1 for CIFAR-10 after [`Gcn`](crate::Gcn) with scale 55.

use onebit_bits::{Columns, Engine, RealView, product};

use crate::{
    dataset::Dataset,
    error::DataError,
    prepare::eigen::{Eigen, add_outer, mirror},
};

/// The largest number of features; more would take gigabytes and hours.
const MOST_FEATURES: usize = 1 << 13;
/// Rows per block of work.
const BLOCK: usize = 512;

/// A fitted whitening.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_data::{Dataset, Samples, Whiten};
///
/// // Two uncorrelated features of variance 1 and 4.
/// let samples = Samples::Real { cols: 2, values: vec![1.0, 2.0, -1.0, 2.0, 1.0, -2.0, -1.0, -2.0] };
/// let training = Dataset::new(samples, vec![0; 4], vec!["a".into()], vec![])?;
/// let engine = Engine::single();
/// let whiten = Whiten::fit(&engine, &training, 1e-9)?;
/// let x = whiten.apply(&engine, &training)?.gather(&[0]);
/// assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-6), "{x:?}"); // (1, 2) becomes (1, 1)
/// # Ok::<(), onebit_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Whiten {
    mean: Vec<f32>,
    matrix: Vec<f32>,
}

impl Whiten {
    /// Fits mean and matrix to the training set.
    ///
    /// # Errors
    /// [`DataError::Setting`] unless `eps` is finite and above 0 and there are at most 8192 features;
    /// [`DataError::Eigenvalues`] if the eigenvalues do not converge.
    pub fn fit(engine: &Engine, training: &Dataset, eps: f64) -> Result<Self, DataError> {
        if !(eps > 0.0 && eps.is_finite()) {
            return Err(DataError::setting("whiten.eps", "a finite number above 0", eps));
        }
        let n = training.features();
        if n > MOST_FEATURES {
            return Err(DataError::setting("features to whiten", format!("at most {MOST_FEATURES}"), n));
        }
        let mean = mean(training);
        let eigen =
            Eigen::new(engine, n, covariance(engine, training, &mean)?)?.ok_or(DataError::Eigenvalues)?;
        // W, too, is a sum of outer products: of the eigenvectors, each over the fourth root of
        // `value + eps`.
        let mut matrix = vec![0.0; n * n];
        let mut block = vec![0.0; BLOCK.min(n) * n];
        for (first, values) in eigen.values.chunks(BLOCK).enumerate() {
            let block = &mut block[..values.len() * n];
            for (at, (u, value)) in block.chunks_exact_mut(n).zip(values).enumerate() {
                eigen.vector(first * BLOCK + at, u);
                let root = (value.max(0.0) + eps).sqrt().sqrt();
                u.iter_mut().for_each(|u| *u /= root);
            }
            add_outer(engine, n, block, &mut matrix)?;
        }
        mirror(n, &mut matrix);
        let single = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
        Ok(Self { mean: single(mean), matrix: single(matrix) })
    }

    /// The data set with every sample whitened, as real numbers.
    ///
    /// # Errors
    /// [`DataError::Shape`] if the number of features differs from that of the training set;
    /// [`DataError::NotFinite`] if a number overflows f32.
    pub fn apply(&self, engine: &Engine, data: &Dataset) -> Result<Dataset, DataError> {
        let n = self.mean.len();
        if data.features() != n {
            return Err(DataError::shape("whiten", format!("{n} features"), data.features()));
        }
        let rows: Vec<usize> = (0..data.len()).collect();
        let mut x = vec![0.0; BLOCK.min(rows.len()) * n];
        let mut y = vec![0.0; rows.len() * n];
        for (rows, y) in rows.chunks(BLOCK).zip(y.chunks_mut(BLOCK * n)) {
            let x = &mut x[..rows.len() * n];
            data.gather_into(rows, x);
            for x in x.chunks_exact_mut(n) {
                x.iter_mut().zip(&self.mean).for_each(|(x, mean)| *x -= mean);
            }
            let matrix = RealView { rows: n, cols: n, values: &self.matrix[..] };
            product(engine, &*x, Columns(matrix), y)?;
        }
        data.with_values(y)
    }

    /// The mean that is subtracted, `(i)`.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The matrix `W`, `(i, i)`, symmetric.
    pub fn matrix(&self) -> &[f32] {
        &self.matrix
    }
}

/// The mean of each feature, `(i)`.
fn mean(data: &Dataset) -> Vec<f64> {
    let mut x = vec![0.0f32; data.features()];
    let mut mean = vec![0.0f64; data.features()];
    for row in 0..data.len() {
        data.read_row(row, &mut x);
        mean.iter_mut().zip(&x).for_each(|(mean, &x)| *mean += f64::from(x));
    }
    mean.iter_mut().for_each(|mean| *mean /= data.len() as f64);
    mean
}

/// The covariance of the features, `(i, i)`.
fn covariance(engine: &Engine, data: &Dataset, mean: &[f64]) -> Result<Vec<f64>, DataError> {
    let n = mean.len();
    let mut covariance = vec![0.0; n * n];
    let mut x = vec![0.0f32; n];
    let mut centred = Vec::new();
    for first in (0..data.len()).step_by(BLOCK) {
        centred.clear();
        for row in first..data.len().min(first + BLOCK) {
            data.read_row(row, &mut x);
            centred.extend(x.iter().zip(mean).map(|(&x, mean)| f64::from(x) - mean));
        }
        add_outer(engine, n, &centred, &mut covariance)?;
    }
    mirror(n, &mut covariance);
    covariance.iter_mut().for_each(|sum| *sum /= data.len() as f64);
    Ok(covariance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Samples, digits, iris};

    #[test]
    fn the_covariance_becomes_the_identity() {
        let engine = Engine::single();
        // Digits have features that are constant, or nearly so: these stay below 1.
        for (data, eps) in [(iris(), 1e-6), (digits(), 1e-3)] {
            let n = data.features();
            let before = covariance(&engine, &data, &mean(&data)).unwrap();
            let white = Whiten::fit(&engine, &data, eps).unwrap().apply(&engine, &data).unwrap();
            assert_eq!((white.labels(), white.image()), (data.labels(), data.image()));
            let after = covariance(&engine, &white, &mean(&white)).unwrap();
            // U S / (S + eps) U^T, which is I - eps (C + eps I)^-1: times C + eps I it is C.
            for row in 0..n {
                for col in 0..n {
                    let with_eps = |k: usize| before[k * n + col] + if k == col { eps } else { 0.0 };
                    let product: f64 = (0..n).map(|k| after[row * n + k] * with_eps(k)).sum();
                    let expected = before[row * n + col];
                    assert!((product - expected).abs() < 2e-4, "{row} {col}: {product} {expected}");
                    let identity = if row == col { 1.0 } else { 0.0 };
                    let off = (after[row * n + col] - identity).abs();
                    assert!(off < 1e-3 || n == 64, "{row} {col}: {off}");
                }
            }
        }
    }

    #[test]
    fn threads_do_not_matter() {
        let fit = |engine: &Engine| Whiten::fit(engine, &digits(), 0.1).unwrap();
        let whiten = fit(&Engine::single());
        for isa in onebit_bits::Isa::available() {
            let engine = Engine::new(2).unwrap().with_isa(isa);
            assert_eq!(fit(&engine), whiten);
            let both = [&engine, &Engine::single()].map(|engine| whiten.apply(engine, &digits()).unwrap());
            assert_eq!(both[0], both[1]);
        }
    }

    #[test]
    fn what_is_refused() {
        let engine = Engine::single();
        let fit = |data: &Dataset, eps| Whiten::fit(&engine, data, eps).unwrap_err().to_string();
        for eps in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(fit(&iris(), eps), format!("whiten.eps: expected a finite number above 0, got {eps}"));
        }
        let real = |values: Vec<f32>| {
            let samples = Samples::Real { cols: values.len(), values };
            Dataset::new(samples, vec![0], vec!["a".into()], vec![]).unwrap()
        };
        assert_eq!(fit(&real(vec![0.0; 8193]), 1.0), "features to whiten: expected at most 8192, got 8193");
        let whiten = Whiten::fit(&engine, &iris(), 0.1).unwrap();
        let error = whiten.apply(&engine, &digits()).unwrap_err().to_string();
        assert_eq!(error, "whiten: expected 4 features, got 64");
        let error = whiten.apply(&engine, &real(vec![f32::MAX; 4])).unwrap_err().to_string();
        assert!(
            error.starts_with("row 0, feature ") && error.contains("expected a finite number"),
            "{error}"
        );
        let none = DataError::Eigenvalues.to_string();
        assert_eq!(none, "cannot whiten: the eigenvalues of the covariance do not converge");
    }
}
