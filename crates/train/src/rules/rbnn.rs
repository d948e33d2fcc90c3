//! The rule of the Rotated Binary Neural Network (arXiv:2009.13055): bits are the signs of rotated weights.
//!
//! | step | formula for each output |
//! |---|---|
//! | standardize | `w_hat`, with mean 0 and deviation 1 |
//! | rotate | `R^T w_hat`, by a [rotation](Rbnn::rotation) that all outputs share |
//! | adjust | `w~ = w_hat + alpha (R^T w_hat - w_hat)`, `alpha = \|sin beta\|`, beta learned |
//! | binarize | `sgn(w~)` |
//!
//! Backward, with `g` the gradient with respect to the bit: `h = g F'(w~)`, where
//! `F'(x) = max(k (sqrt(2) t - t^2 |x|), 0)`, `t` grows from 0.01 to 10 over the run and `k = max(1 / t, 1)`.
//! `dL/dbeta = sgn(sin beta) cos beta <h, R^T w_hat - w_hat>` plus a decay, without which beta would never
//! leave its start `pi / 2`. [`GradientPath`] says how `h` reaches `w_hat`.
//!
//! The rotation is fitted in three rounds when training starts and after the first batch of each epoch.
//! (Outside a run, every step counts as a first batch.) The authors scale each channel of the output by a
//! learned factor, which is a separate layer here.

use std::{borrow::Cow, f32::consts::FRAC_PI_2};

use onebit_bits::{BitTensor, BitView, Engine, pack_signs, vectorized};

use crate::{
    contract::{context::Context, rule::Rule, state::State, value::Signal},
    error::{Error, Result},
    numeric::{jobs::JOB, matrix::Matrix, sums::sum},
    optimizers::{Optimizer, real_tensor::RealTensor},
    rules::{
        angle::mean_angle,
        derivative::Sharpness,
        latent_weights::{Domain, LatentWeights, each_row, flips_to},
        rotation::Rotation,
        weight_standardization::WeightStandardization,
    },
};

/// Rounds in which a rotation is fitted.
const ROUNDS: usize = 3;
/// The authors' standardization; the eps keeps rows of equal weights finite.
const STANDARDIZATION: WeightStandardization = WeightStandardization::Deviation { size: 1.0, eps: 1e-12 };

/// The path of the gradient from `w~`, where it is `h`, to `w_hat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GradientPath {
    /// `h`, as if the rotation added a constant.
    #[default]
    Straight,
    /// `(1 - alpha) h + alpha R h`, the derivative for a constant R.
    Rotation,
    /// `(1 - alpha) h`, as in the authors' code, where `R^T w_hat` is a constant. It is 0 while
    /// `beta = pi / 2`.
    Rest,
}

/// Latent weights, their rotation, and an angle for each output that says how far it follows the rotation.
///
/// ```
/// use onebit_train::{optimizers::Sgd, rules::{Rbnn, Rule}};
///
/// let sgd = || Sgd::new(0.0, 0.0);
/// let mut rule = Rbnn::new(sgd()?, sgd()?).with_latent(vec![2.0, 1.0, -3.0]);
/// rule.start(1, 3, 42)?;
/// assert_eq!(rule.beta(), [std::f32::consts::FRAC_PI_2]); // alpha = 1: fully rotated
///
/// // The rotation turns the weights onto their signs: from an angle of 22.2 degrees to 0.
/// let [before, after] = rule.angles()?;
/// assert!((before - 22.208).abs() < 1e-3 && after < 0.1);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Rbnn {
    latents: LatentWeights,
    beta: RealTensor, // (o)
    decay: f32,
    path: GradientPath,
    rotation: Rotation,
    rotated: Option<Vec<f32>>, // R^T w_hat: (o, i), while it is up to date
    fitted: [f32; 2],          // the angles after the last fit
}

impl Rbnn {
    /// Creates the rule with an optimizer for the latent weights and one for the angles beta. Weights start
    /// uniform in `+-1 / sqrt(i)`.
    pub fn new(weights: impl Optimizer + 'static, angles: impl Optimizer + 'static) -> Self {
        Self {
            latents: LatentWeights::new("rbnn", Domain::Free, weights),
            beta: RealTensor::new(Vec::new(), angles),
            decay: 1e-4,
            path: GradientPath::default(),
            rotation: Rotation::default(),
            rotated: None,
            fitted: [0.0; 2],
        }
    }

    /// Sets a fixed scale on the optimizer's step of the weights, 1 by default.
    ///
    /// # Errors
    /// [`Error::Setting`] unless `scale` is positive and finite.
    pub fn with_scale(mut self, scale: f32) -> Result<Self> {
        self.latents.set_scale(scale)?;
        Ok(self)
    }

    /// Sets the decay of beta, 1e-4 by default: `decay * beta` is added to its gradient. With 0, alpha stays
    /// 1.
    ///
    /// # Errors
    /// [`Error::Setting`] unless `decay` is a number from 0 on.
    pub fn with_decay(mut self, decay: f32) -> Result<Self> {
        if !(decay >= 0.0 && decay.is_finite()) {
            return Err(Error::setting("rbnn decay", "a number from 0 on", decay));
        }
        self.decay = decay;
        Ok(self)
    }

    /// Sets the path of the gradient, [`GradientPath::Straight`] by default.
    #[must_use]
    pub fn with_gradient(mut self, path: GradientPath) -> Self {
        self.path = path;
        self
    }

    /// Sets the latent weights, `(o, i)`. Building the layer fails if their number differs from that of the
    /// weights.
    #[must_use]
    pub fn with_latent(mut self, latent: Vec<f32>) -> Self {
        self.latents.set(latent);
        self
    }

    /// Sets the angles beta, `(o)`, `pi / 2` by default. Building the layer fails if their number differs
    /// from that of the outputs.
    #[must_use]
    pub fn with_beta(mut self, beta: Vec<f32>) -> Self {
        self.beta.restart(beta);
        self
    }

    /// The latent weights, `(o, i)`, row-major.
    pub fn latent(&self) -> &[f32] {
        self.latents.values()
    }

    /// The angles beta, `(o)`, in radians.
    pub fn beta(&self) -> &[f32] {
        self.beta.values()
    }

    /// The rotation as `R1`, `(a, a)`, and `R2`, `(b, b)`, row-major: `a b = i`, with `a` the largest divisor
    /// up to `sqrt(i)`.
    pub fn rotation(&self) -> (&[f32], &[f32]) {
        self.rotation.matrices()
    }

    /// The mean angles, in degrees, of the standardized weights and of the adjusted weights `w~` to their
    /// signs.
    ///
    /// # Errors
    /// Returns the errors of the kernels.
    pub fn angles(&self) -> Result<[f64; 2]> {
        let engine = Engine::single();
        let w_hat = self.w_hat(&engine)?;
        let adjusted = self.adjusted(&engine, &w_hat, &self.rotate(&engine, &w_hat)?)?;
        let (rows, cols) = self.latents.shape();
        let signs = |reals| pack_signs(&engine, rows, cols, reals);
        Ok([
            mean_angle(&w_hat, signs(&w_hat[..])?.view()),
            mean_angle(&adjusted, signs(&adjusted[..])?.view()),
        ])
    }

    /// The [`angles`](Self::angles) just after the last fit; between fits the rotation does not follow the
    /// weights.
    pub fn fitted_angles(&self) -> [f64; 2] {
        self.fitted.map(f64::from)
    }

    fn w_hat(&self, engine: &Engine) -> Result<Vec<f32>> {
        let mut w_hat = vec![0.0; self.latent().len()];
        STANDARDIZATION.forward(engine, self.latent(), self.latents.shape().1, &mut w_hat)?;
        Ok(w_hat)
    }

    fn rotate(&self, engine: &Engine, w_hat: &[f32]) -> Result<Vec<f32>> {
        let mut rotated = vec![0.0; w_hat.len()];
        self.rotation.apply(engine, w_hat, &mut rotated)?;
        Ok(rotated)
    }

    fn alpha(&self) -> Vec<f32> {
        self.beta().iter().map(|&beta| libm::sin(f64::from(beta)).abs() as f32).collect()
    }

    /// `w~`.
    fn adjusted(&self, engine: &Engine, w_hat: &[f32], rotated: &[f32]) -> Result<Vec<f32>> {
        let (cols, isa) = (self.latents.shape().1, engine.isa());
        let (alpha, mut adjusted) = (self.alpha(), w_hat.to_vec());
        engine.chunks((&mut adjusted[..], rotated), cols, |first, (w, rotated)| {
            approach(isa, w, rotated, alpha[first / cols]);
        })?;
        Ok(adjusted)
    }

    /// Continues the fit from the current rotation, or from the identity where that is closer to the signs by
    /// now.
    fn fit(&mut self, engine: &Engine, w_hat: &[f32]) -> Result<()> {
        (0..ROUNDS).try_for_each(|_| self.rotation.turn(engine, w_hat))?;
        // The rows have one length, so this is proportional to the sum of their cosines.
        let closeness = |w: &[f32]| sum(w, |w| w.abs());
        if closeness(&self.rotate(engine, w_hat)?) < closeness(w_hat) {
            self.rotation = Rotation::new(self.latents.shape().1)?;
            (0..ROUNDS).try_for_each(|_| self.rotation.turn(engine, w_hat))?;
        }
        Ok(())
    }

    /// `dL/dbeta`, `(o)`, including the decay, from `h = dL/dw~`.
    fn beta_gradient(&self, engine: &Engine, h: &[f32], w_hat: &[f32], rotated: &[f32]) -> Result<Vec<f32>> {
        let cols = self.latents.shape().1;
        let mut products = h.to_vec();
        engine.chunks((&mut products[..], w_hat, rotated), cols, |_, (h, w_hat, rotated)| {
            along(engine.isa(), h, w_hat, rotated);
        })?;
        let mut gradient = vec![0.0; self.beta().len()];
        each_row(engine, &products, cols, &mut gradient, |row| sum(row, |x| x) as f32)?;
        for (gradient, &beta) in gradient.iter_mut().zip(self.beta()) {
            let (sin, cos) = libm::sincos(f64::from(beta));
            *gradient = (f64::from(*gradient) * cos * sin.signum()) as f32 + self.decay * beta;
        }
        Ok(gradient)
    }

    /// Turns `h = dL/dw~` into `dL/dw_hat` in place.
    fn pass_through(&self, engine: &Engine, h: &mut Matrix) -> Result<()> {
        if self.path == GradientPath::Straight {
            return Ok(());
        }
        let mut back = vec![0.0; h.values().len()];
        if self.path == GradientPath::Rotation {
            self.rotation.apply_back(engine, h.values(), &mut back)?;
        }
        let (cols, isa, alpha) = (h.cols(), engine.isa(), self.alpha());
        Ok(engine.chunks((h.values_mut(), &back[..]), cols, |first, (h, back)| {
            approach(isa, h, back, alpha[first / cols]);
        })?)
    }
}

vectorized! {
    /// `w += alpha (to - w)`.
    fn approach<'a>(w: &'a mut [f32], to: &'a [f32], alpha: f32) {
        for (w, to) in w.iter_mut().zip(to) {
            *w += alpha * (to - *w);
        }
    }
}

vectorized! {
    /// `h = g F'(w)`.
    fn through_sign<'a>(h: &'a mut [f32], grad: &'a [f32], w: &'a [f32], sharpness: Sharpness) {
        for ((h, g), w) in h.iter_mut().zip(grad).zip(w) {
            *h = g * sharpness.parabola(*w);
        }
    }
}

vectorized! {
    /// `h *= rotated - w_hat`.
    fn along<'a>(h: &'a mut [f32], w_hat: &'a [f32], rotated: &'a [f32]) {
        for ((h, w_hat), rotated) in h.iter_mut().zip(w_hat).zip(rotated) {
            *h *= rotated - w_hat;
        }
    }
}

impl Rule for Rbnn {
    fn set_taps(&mut self, taps: usize) {
        self.latents.taps = taps;
    }

    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        if cols < 2 {
            return Err(Error::setting("rbnn inputs", "at least 2", cols));
        }
        let engine = Engine::single();
        self.rotation = Rotation::new(cols)?;
        self.latents.start(rows, cols, seed)?;
        if self.beta().is_empty() {
            self.beta.restart(vec![FRAC_PI_2; rows]);
        }
        if self.beta().len() != rows {
            return Err(Error::shape("rbnn", format!("{rows} angles"), self.beta().len()));
        }
        let w_hat = self.w_hat(&engine)?;
        self.fit(&engine, &w_hat)?;
        let rotated = self.rotate(&engine, &w_hat)?;
        let bits = pack_signs(&engine, rows, cols, &self.adjusted(&engine, &w_hat, &rotated)?)?;
        self.fitted = self.angles()?.map(|angle| angle as f32);
        self.rotated = Some(rotated);
        Ok(bits)
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor> {
        let grad = self.latents.gradient(weights, signal)?;
        let (engine, cols) = (&cx.engine, grad.cols());
        let w_hat = self.w_hat(engine)?;
        let rotated = self.rotated.take().map_or_else(|| self.rotate(engine, &w_hat), Ok)?;
        let adjusted = self.adjusted(engine, &w_hat, &rotated)?;

        let sharpness = Sharpness::at(cx.clock.progress(), (-2.0, 1.0));
        let mut dw = cx.matrix(grad.rows(), cols);
        engine.chunks((dw.values_mut(), grad.values(), &adjusted[..]), JOB, |_, (h, grad, w)| {
            through_sign(engine.isa(), h, grad, w, sharpness);
        })?;
        let dbeta = self.beta_gradient(engine, dw.values(), &w_hat, &rotated)?;
        self.pass_through(engine, &mut dw)?;
        STANDARDIZATION.backward(engine, self.latent(), cols, dw.values_mut())?;
        self.latents.step(cx, dw.values(), rate)?;
        self.beta.step(engine, &dbeta, rate as f32)?;
        cx.recycle([dw]);

        let w_hat = self.w_hat(engine)?;
        if cx.clock.batch == 0 {
            self.fit(engine, &w_hat)?;
            self.fitted = self.angles()?.map(|angle| angle as f32);
        }
        let rotated = self.rotate(engine, &w_hat)?;
        let flips = flips_to(engine, weights, &self.adjusted(engine, &w_hat, &rotated)?)?;
        self.rotated = Some(rotated);
        Ok(flips)
    }

    fn reals(&self) -> Option<Cow<'_, [f32]>> {
        let engine = Engine::single();
        let w_hat = self.w_hat(&engine).ok()?;
        let rotated = self.rotate(&engine, &w_hat).ok()?;
        Some(self.adjusted(&engine, &w_hat, &rotated).ok()?.into())
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.rotated = None;
        self.latents.state(state)?;
        state.reals("fitted", &mut self.fitted)?;
        state.within("beta", |state| self.beta.state(state))?;
        state.within("rotation", |state| self.rotation.state(state))
    }
}
