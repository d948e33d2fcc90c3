//! The gradients of the smooth parts against central differences in f64, `(f(x + h) - f(x - h)) / 2h`, of
//! formulas written here again, on random shapes; and Adam against the paper's loop in f64.
//!
//! Inputs are f32, hence exact in f64. Tolerances count roundings of f32, [`U`] each; the differences
//! themselves err by about `h^2 f'''` and `1e-16 f / h`, which with `h = 1e-6` is less.

use onebit_bits::Ternary;
use onebit_train::{
    Matrix, Signal, Value,
    layer::Layer,
    layers::{BatchNorm, Dense},
    losses::{Loss, SoftmaxCrossEntropy, SquaredHinge},
    optimizers::Adam,
    real_tensor::RealTensor,
    rules::Latent,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::{close::assert_close, matrix, signs, training};

/// Unit roundoff of f32: one operation errs by at most this share of its result.
const U: f64 = f32::EPSILON as f64 / 2.0;

/// `df/dx` at `x`, entry by entry.
fn slopes(x: &[f64], mut f: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    const H: f64 = 1e-6;
    let (count, mut x) = (x.len(), x.to_vec());
    let slope = |index: usize| {
        let middle = x[index];
        let [above, below] = [middle + H, middle - H].map(|moved| {
            x[index] = moved;
            f(&x)
        });
        x[index] = middle;
        (above - below) / (2.0 * H)
    };
    (0..count).map(slope).collect()
}

fn random(rng: &mut ChaCha8Rng, rows: usize, cols: usize, size: f32) -> Matrix {
    matrix(rows, cols, (0..rows * cols).map(|_| rng.random_range(-size..size)))
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |top, x| top.max(x.abs()))
}

// === losses ===

/// Scores, labels and number of classes to the mean over the batch.
type Formula = fn(&[f64], &[u32], usize) -> f64;

fn squared_hinge(scores: &[f64], labels: &[u32], classes: usize) -> f64 {
    let sum_of = |(row, &label): (&[f64], &u32)| -> f64 {
        let slack = |(class, s): (usize, &f64)| {
            let margin = if class == label as usize { *s } else { -s };
            (1.0 - margin).max(0.0).powi(2)
        };
        row.iter().enumerate().map(slack).sum()
    };
    scores.chunks(classes).zip(labels).map(sum_of).sum::<f64>() / scores.len() as f64
}

fn softmax_cross_entropy(scores: &[f64], labels: &[u32], classes: usize) -> f64 {
    let of = |(row, &label): (&[f64], &u32)| {
        let sum: f64 = row.iter().map(|s| s.exp()).sum();
        sum.ln() - row[label as usize]
    };
    scores.chunks(classes).zip(labels).map(of).sum::<f64>() / labels.len() as f64
}

fn check_loss(loss: &dyn Loss, formula: Formula, batch: usize, classes: usize, seed: u64) {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let scores = random(rng, batch, classes, 6.0);
    let labels: Vec<u32> = (0..batch).map(|_| rng.random_range(0..classes as u32)).collect();
    let (value, gradient) = loss.evaluate(scores.clone(), &labels).unwrap();
    let scores = wide(scores.values());
    // One sample's loss is below 7^2 or 12 + ln 8 and errs by a few U, of its terms as of their sum.
    assert_close("loss", &[value as f32], &[formula(&scores, &labels, classes)], |_, loss| {
        8.0 * U * (12.0 + loss)
    });
    // Before the mean: slack up to 7, errs by U of itself; a probability by U times its exponent, up to 12.
    let slopes = slopes(&scores, |scores| formula(scores, &labels, classes));
    assert_close("gradient", gradient.values(), &slopes, |_, slope| {
        32.0 * U * (1.0 + slope.abs()) / batch as f64 + 1e-8
    });
}

// === batch norm ===

/// `sum dy (gamma x_hat + beta)` over one feature of a batch.
fn normalized(x: &[f64], gamma: f64, beta: f64, dy: &[f64]) -> f64 {
    let (mean, inv_std) = statistics(x);
    x.iter().zip(dy).map(|(x, dy)| dy * (gamma * (x - mean) * inv_std + beta)).sum()
}

fn statistics(x: &[f64]) -> (f64, f64) {
    let rows = x.len() as f64;
    let mean = x.iter().sum::<f64>() / rows;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / rows;
    (mean, 1.0 / (variance + 1e-4).sqrt())
}

fn check_batch_norm(batch: usize, features: usize, seed: u64) {
    let (cx, rng) = (training(), &mut ChaCha8Rng::seed_from_u64(seed));
    let [x, dy] = [3.0, 1.0].map(|size| random(rng, batch, features, size));
    let [gamma, beta] = [2.0, 1.0].map(|size| random(rng, 1, features, size).values().to_vec());
    let mut norm = BatchNorm::with_affine(gamma.clone(), beta.clone());
    let y = norm.forward(&cx, Value::Real(x.clone())).unwrap().into_real("test").unwrap();
    norm.receive(&cx, Signal::Grad(dy.clone())).unwrap();
    let dx = norm.send(&cx).unwrap().into_grad("test").unwrap();
    let gradients = norm.gradients().unwrap();

    let [x, dy, y, dx] = [&x, &dy, &y, &dx].map(Matrix::transpose); // (x, b): a feature is a row
    for (j, ((x, dy), (y, dx))) in
        x.iter_rows().zip(dy.iter_rows()).zip(y.iter_rows().zip(dx.iter_rows())).enumerate()
    {
        let (x, dy, gamma, beta) = (wide(x), wide(dy), f64::from(gamma[j]), f64::from(beta[j]));
        let (mean, inv_std) = statistics(&x);
        let expected: Vec<f64> = x.iter().map(|x| gamma * (x - mean) * inv_std + beta).collect();
        // x - mean cancels: its error, U of x, grows by inv_std. x_hat itself is at most sqrt(b) <= 3.
        let x_hat_error = 4.0 * U * (largest(&x) * inv_std + 3.0);
        assert_close("y", y, &expected, |_, _| x_hat_error * gamma.abs() + 2.0 * U);
        let sum: f64 = dy.iter().map(|dy| dy.abs()).sum();
        let dgamma = slopes(&[gamma], |gamma| normalized(&x, gamma[0], beta, &dy));
        assert_close("dgamma", &gradients.dgamma[j..=j], &dgamma, |_, _| 2.0 * x_hat_error * sum + 1e-8);
        let dbeta = slopes(&[beta], |beta| normalized(&x, gamma, beta[0], &dy));
        assert_close("dbeta", &gradients.dbeta[j..=j], &dbeta, |_, _| 8.0 * U * sum + 1e-8);
        // x_hat meets dgamma, which holds x_hat again; both are shared by the batch. The last term is h^2
        // f'''.
        let dx_error = gamma.abs() * inv_std * sum * (8.0 * x_hat_error + 1e-12 * inv_std.powi(2));
        let expected = slopes(&x, |x| normalized(x, gamma, beta, &dy));
        assert_close("dx", dx, &expected, |_, _| dx_error + 1e-8);
    }
}

// === dense ===

/// `sum dy (x w^T)`, over x (b, i), w (o, i), dy (b, o).
fn product(x: &[f64], w: &[f64], dy: &[f64], inputs: usize) -> f64 {
    let outputs = w.len() / inputs;
    let dot = |x: &[f64], w: &[f64]| x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
    let row = |(x, dy): (&[f64], &[f64])| {
        dy.iter().zip(w.chunks(inputs)).map(|(dy, w)| dy * dot(x, w)).sum::<f64>()
    };
    x.chunks(inputs).zip(dy.chunks(outputs)).map(row).sum()
}

/// Real inputs, bits, and bits under dropout, each with its numbers.
fn inputs_of_each_kind(rng: &mut ChaCha8Rng, batch: usize, inputs: usize) -> [(Value, Vec<f64>); 3] {
    let real = random(rng, batch, inputs, 2.0);
    let (bits, mask) = (signs(&real), signs(&random(rng, batch, inputs, 1.0)));
    let silenced = Ternary::new(bits.and(mask.view()).unwrap(), mask).unwrap();
    let each = |number: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
        (0..batch).flat_map(|r| (0..inputs).map(move |c| (r, c))).map(|(r, c)| number(r, c)).collect()
    };
    let of_bits = each(&|r, c| sign(bits.get(r, c)));
    let of_silenced = each(&|r, c| 1.25 * f64::from(silenced.get(r, c)));
    let of_real = wide(real.values());
    [
        (Value::Real(real), of_real),
        (Value::Bits(bits), of_bits),
        (Value::Ternary(silenced, 1.25), of_silenced),
    ]
}

fn sign(bit: bool) -> f64 {
    if bit { 1.0 } else { -1.0 }
}

fn check_dense([batch, inputs, outputs]: [usize; 3], seed: u64) {
    let (cx, rng) = (training(), &mut ChaCha8Rng::seed_from_u64(seed));
    let rule = Box::new(Latent::new(Adam::new()));
    let mut dense = Dense::new(inputs, outputs, rule, seed).unwrap();
    let bits = dense.weights().clone();
    let w: Vec<f64> = (0..outputs * inputs).map(|at| sign(bits.get(at / inputs, at % inputs))).collect();
    for (value, x) in inputs_of_each_kind(rng, batch, inputs) {
        let dy = random(rng, batch, outputs, 1.0);
        let y = dense.forward(&cx, value).unwrap().into_real("test").unwrap();
        dense.receive(&cx, Signal::Grad(dy.clone())).unwrap();
        let dx = dense.send(&cx).unwrap().into_grad("test").unwrap();
        let dw = dense.weight_gradient(&cx).unwrap();

        // A sum of n terms takes n roundings of a partial sum, which is about sqrt(n) <= 8 terms and doubled
        // where a kernel adds only the terms of set bits; 1e-6 is the noise of the differences.
        let error = |terms: usize, term: f64| move |_: usize, _: f64| 16.0 * U * terms as f64 * term + 1e-6;
        let dy = wide(dy.values());
        // y is the slope of the product along dy.
        let expected_y = slopes(&dy, |dy| product(&x, &w, dy, inputs));
        assert_close("y", y.values(), &expected_y, error(inputs, 2.0));
        let expected_dx = slopes(&x, |x| product(x, &w, &dy, inputs));
        assert_close("dx", dx.values(), &expected_dx, error(outputs, 1.0));
        let expected_dw = slopes(&w, |w| product(&x, w, &dy, inputs));
        assert_close("dw", dw.values(), &expected_dw, error(batch, 2.0));
    }
}

// === Adam ===

/// The paper's algorithm 1, line by line, over gradients (t, p).
fn adam(mut w: Vec<f64>, gradients: &[Vec<f32>], [beta1, beta2, rate]: [f64; 3]) -> Vec<f64> {
    let (mut m, mut v) = (vec![0.0; w.len()], vec![0.0; w.len()]);
    for (t, gradient) in (1..).zip(gradients) {
        for (j, g) in wide(gradient).into_iter().enumerate() {
            m[j] = beta1 * m[j] + (1.0 - beta1) * g;
            v[j] = beta2 * v[j] + (1.0 - beta2) * g * g;
            let (m_hat, v_hat) = (m[j] / (1.0 - beta1.powi(t)), v[j] / (1.0 - beta2.powi(t)));
            w[j] -= rate * m_hat / (v_hat.sqrt() + 1e-8);
        }
    }
    w
}

fn check_adam(parameters: usize, steps: usize, betas: [f32; 2], seed: u64) {
    const RATE: f32 = 0.01;
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let w = random(rng, 1, parameters, 1.0).into_values();
    // Sizes from far below eps = 1e-8 to far above 1: both terms of the denominator count.
    let sizes: Vec<f32> = (0..parameters).map(|_| 10f32.powf(rng.random_range(-11.0..3.0))).collect();
    let gradients: Vec<Vec<f32>> = (0..steps)
        .map(|_| sizes.iter().map(|size| size * rng.random_range(-1.0..1.0f32)).collect())
        .collect();
    let expected = adam(wide(&w), &gradients, [betas[0], betas[1], RATE].map(f64::from));

    let mut w = RealTensor::new(w, Adam::with_betas(betas[0], betas[1]).unwrap());
    gradients.iter().for_each(|gradient| w.step(&training().engine, gradient, RATE).unwrap());
    // 1 - beta^t is known to U / (1 - beta); so are the moments, which hold about 1 / (1 - beta) terms.
    let memory = betas.map(|beta| 1.0 / (1.0 - f64::from(beta)));
    let step_error = f64::from(RATE) * U * (memory[0] + memory[1]);
    assert_close("w", w.values(), &expected, |_, w| steps as f64 * (step_error + U * w.abs().max(1.0)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn squared_hinge_slopes(batch in 1usize..6, classes in 1usize..9, seed: u64) {
        check_loss(&SquaredHinge::default(), squared_hinge, batch, classes, seed);
    }

    #[test]
    fn softmax_cross_entropy_slopes(batch in 1usize..6, classes in 1usize..9, seed: u64) {
        check_loss(&SoftmaxCrossEntropy, softmax_cross_entropy, batch, classes, seed);
    }

    #[test]
    fn batch_norm_slopes(batch in 1usize..9, features in 1usize..6, seed: u64) {
        check_batch_norm(batch, features, seed);
    }

    // Up to 70 inputs: a row of bits ends within its first word, at its end, or in its second.
    #[test]
    fn dense_slopes(batch in 1usize..5, inputs in 1usize..70, outputs in 1usize..6, seed: u64) {
        check_dense([batch, inputs, outputs], seed);
    }

    #[test]
    fn adam_steps(
        parameters in 1usize..20,
        steps in 1usize..60,
        beta1 in prop::sample::select(vec![0.0f32, 0.5, 0.9]),
        beta2 in prop::sample::select(vec![0.5f32, 0.99, 0.999]),
        seed: u64,
    ) {
        check_adam(parameters, steps, [beta1, beta2], seed);
    }
}

#[test]
fn adam_without_gradient_does_not_move() {
    let start = [0.5, -2.0, 0.0];
    let mut w = RealTensor::new(start.to_vec(), Adam::new());
    (0..10).for_each(|_| w.step(&training().engine, &[0.0; 3], 0.1).unwrap());
    assert_eq!(w.values(), start);
    let error = w.step(&training().engine, &[0.0; 2], 0.1).unwrap_err();
    assert_eq!(error.to_string(), "step: expected 3 slopes, got 2");
}
