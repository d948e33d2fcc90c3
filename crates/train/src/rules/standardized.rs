//! Rules whose bits are the signs of standardized weights, `sgn(w_hat)`: filters stay balanced wherever their
//! weights drift.
//!
//! | [`Standardization`] | `w_hat` of an output | weights represent | `dL/dw_hat`, with `g = dL/dbit` |
//! |---|---|---|---|
//! | `Centred` | `w - mean` | bits | `g` |
//! | `Libra` | deviation 1 | `2^round(log2 mean \|w_hat\|)` times bits | `g k t (1 - tanh^2(t w_hat))` |
//! | `ReCu` | deviation `2 sqrt(2)` | bits | `g [\|w_hat\| <= Q]` |
//!
//! `Libra` is Libra-PB with the error decay estimator of IR-Net (arXiv:1909.10788): `t` from 1e-3 to 10 over
//! the run, `k = max(1 / t, 1)`. `ReCu` revives dead weights (arXiv:2103.12369): weights beyond
//! `Q = -mean |w_hat| ln(2 - 2 tau)` count as Q. The mean is over the whole layer, and `tau` grows from 0.85
//! to 0.99 over the run as `a e^progress + b`. From `w_hat` to `w` the gradient passes through mean and
//! deviation.

use std::borrow::Cow;

use onebit_bits::{BitTensor, BitView, Engine, pack_signs, vectorized};

use crate::{
    contract::{
        context::{Clock, Context},
        rule::Rule,
        state::State,
        value::Signal,
    },
    error::{Error, Result},
    numeric::{jobs::JOB, matrix::Matrix},
    optimizers::Optimizer,
    rules::{
        derivative::Sharpness,
        latent_weights::{Domain, LatentWeights, each_row, flips_to, mean_magnitude},
        weight_standardization::WeightStandardization,
    },
};

/// How latent weights are transformed before their signs are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standardization {
    /// Subtracts the mean. Latent weights stay within `[-1, 1]` and take Glorot-scaled steps.
    Centred,
    /// IR-Net's Libra parameter binarization.
    Libra,
    /// ReCU's rectified clamp.
    ReCu,
}

/// Latent weights whose standardized values give the bits.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{Matrix, Signal, layer::Context, optimizers::Sgd};
/// use onebit_train::rules::{Rule, Standardization, Standardized};
///
/// let mut rule = Standardized::new(Standardization::Centred, Sgd::new(0.0, 0.0)?);
/// rule = rule.with_scale(1.0)?.with_latent(vec![0.75, 0.25, 0.5, 1.0]); // mean 0.625
/// let weights = rule.start(1, 4, 42)?;
/// assert_eq!([0, 1, 2, 3].map(|i| weights.get(0, i)), [true, false, false, true]);
///
/// // dL/dw = g - mean(g) = (3, -1, -1, -1)
/// let signal = Signal::Grad(Matrix::new(1, 4, vec![4.0, 0.0, 0.0, 0.0])?);
/// let flips = rule.flips(&Context::train(&Engine::single()), weights.view(), &signal, 0.25)?;
/// assert_eq!(rule.latent(), [0.0, 0.5, 0.75, 1.0]); // the last is clipped to 1; mean 0.5625
/// assert_eq!([0, 1, 2, 3].map(|i| flips.get(0, i)), [true, false, true, false]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Standardized {
    how: Standardization,
    latents: LatentWeights,
    scales: Vec<f32>, // (o), for Libra only
}

impl Standardized {
    /// Creates the rule with `optimizer`. Weights start uniform in `+-1 / sqrt(i)`, for `Centred` in `+-1`.
    pub fn new(how: Standardization, optimizer: impl Optimizer + 'static) -> Self {
        let domain = match how {
            Standardization::Centred => Domain::Unit,
            Standardization::Libra | Standardization::ReCu => Domain::Free,
        };
        Self { how, latents: LatentWeights::new(how.name(), domain, optimizer), scales: Vec::new() }
    }

    /// Sets a fixed scale on the optimizer's step. The default is the Glorot scale for `Centred`, and
    /// otherwise 1.
    ///
    /// # Errors
    /// [`Error::Setting`] unless `scale` is positive and finite.
    pub fn with_scale(mut self, scale: f32) -> Result<Self> {
        self.latents.set_scale(scale)?;
        Ok(self)
    }

    /// Sets the latent weights, `(o, i)`. Building the layer fails if their number differs from that of the
    /// weights.
    #[must_use]
    pub fn with_latent(mut self, latent: Vec<f32>) -> Self {
        self.latents.set(latent);
        self
    }

    /// The latent weights, `(o, i)`, row-major.
    pub fn latent(&self) -> &[f32] {
        self.latents.values()
    }

    /// Writes `w_hat`, `(o, i)`.
    fn write_w_hat(&self, engine: &Engine, w_hat: &mut [f32]) -> Result<()> {
        self.how.weights().forward(engine, self.latent(), self.latents.shape().1, w_hat)
    }

    /// Computes the scales of Libra.
    fn measure(&mut self, engine: &Engine, w_hat: &[f32]) -> Result<()> {
        if self.how == Standardization::Libra {
            let (rows, cols) = self.latents.shape();
            self.scales.resize(rows, 0.0);
            each_row(engine, w_hat, cols, &mut self.scales, |w_hat| {
                libm::exp2(libm::rint(libm::log2(mean_magnitude(w_hat)))) as f32
            })?;
        }
        Ok(())
    }

    /// `dL/dw_hat`, `(o, i)`, from the gradient `grad` with respect to the numbers that the weights
    /// represent.
    fn through_sign(&self, cx: &Context, grad: &Matrix, w_hat: &Matrix) -> Result<Matrix> {
        let (rows, cols) = self.latents.shape();
        let (engine, mut to) = (&cx.engine, cx.matrix(rows, cols));
        let (values, w_hat) = ((to.values_mut(), grad.values()), w_hat.values());
        match self.how {
            Standardization::Centred => values.0.copy_from_slice(values.1),
            Standardization::Libra => {
                let sharpness = Sharpness::at(cx.clock.progress(), (-3.0, 1.0));
                engine.chunks((values.0, values.1, w_hat), cols, |first, (to, grad, w_hat)| {
                    let scale = self.scales[first / cols];
                    for ((to, g), w_hat) in to.iter_mut().zip(grad).zip(w_hat) {
                        *to = g * scale * sharpness.tanh(*w_hat);
                    }
                })?;
            }
            Standardization::ReCu => {
                let bound = (mean_magnitude(w_hat) * -libm::log(2.0 - 2.0 * tau(cx.clock))) as f32;
                engine.chunks((values.0, values.1, w_hat), JOB, |_, (to, grad, w_hat)| {
                    within(engine.isa(), to, grad, w_hat, bound);
                })?;
            }
        }
        Ok(to)
    }
}

vectorized! {
    fn within<'a>(to: &'a mut [f32], grad: &'a [f32], w_hat: &'a [f32], bound: f32) {
        for ((to, g), w_hat) in to.iter_mut().zip(grad).zip(w_hat) {
            *to = if w_hat.abs() <= bound { *g } else { 0.0 };
        }
    }
}

/// `tau = a e^progress + b`, from 0.85 to 0.99.
fn tau(clock: Clock) -> f64 {
    const ENDS: [f64; 2] = [0.85, 0.99];
    let a = (ENDS[1] - ENDS[0]) / (std::f64::consts::E - 1.0);
    a * libm::exp(clock.progress()) + ENDS[0] - a
}

impl Standardization {
    fn name(self) -> &'static str {
        match self {
            Self::Centred => "centred",
            Self::Libra => "libra",
            Self::ReCu => "recu",
        }
    }

    fn weights(self) -> WeightStandardization {
        match self {
            Self::Centred => WeightStandardization::Centred,
            // The authors add nothing; the eps keeps rows of equal weights finite.
            Self::Libra => WeightStandardization::Deviation { size: 1.0, eps: 1e-12 },
            Self::ReCu => WeightStandardization::Deviation { size: 8f64.sqrt(), eps: 1e-5 },
        }
    }
}

impl Rule for Standardized {
    fn set_taps(&mut self, taps: usize) {
        self.latents.taps = taps;
    }

    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        if cols < 2 {
            return Err(Error::setting(format!("{} inputs", self.how.name()), "at least 2", cols));
        }
        let engine = Engine::single();
        self.latents.start(rows, cols, seed)?;
        let mut w_hat = vec![0.0; rows * cols];
        self.write_w_hat(&engine, &mut w_hat)?;
        self.measure(&engine, &w_hat)?;
        Ok(pack_signs(&engine, rows, cols, &w_hat)?)
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor> {
        let grad = self.latents.gradient(weights, signal)?;
        let ((rows, cols), engine) = (self.latents.shape(), &cx.engine);
        let mut w_hat = cx.matrix(rows, cols);
        self.write_w_hat(engine, w_hat.values_mut())?;
        let mut dw = self.through_sign(cx, grad, &w_hat)?;
        self.how.weights().backward(engine, self.latent(), cols, dw.values_mut())?;
        self.latents.step(cx, dw.values(), rate)?;
        self.write_w_hat(engine, w_hat.values_mut())?;
        self.measure(engine, w_hat.values())?;
        let flips = flips_to(engine, weights, w_hat.values())?;
        cx.recycle([dw, w_hat]);
        Ok(flips)
    }

    fn scales(&self) -> Option<&[f32]> {
        (self.how == Standardization::Libra).then_some(&self.scales)
    }

    fn reals(&self) -> Option<Cow<'_, [f32]>> {
        let mut w_hat = vec![0.0; self.latent().len()];
        self.write_w_hat(&Engine::single(), &mut w_hat).ok()?;
        Some(w_hat.into())
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        if self.how == Standardization::Libra {
            state.reals("scales", &mut self.scales)?;
        }
        self.latents.state(state)
    }
}
