//! The rule of the Rotated Binary Neural Network (arXiv:2009.13055): bits are the signs of rotated weights.
//!
//! | step | formula, of each output |
//! |---|---|
//! | standardize | `w_hat`, of mean 0 and deviation 1 |
//! | rotate | `R^T w_hat`, by a [rotation](Rbnn::rotation) that all outputs share |
//! | adjust | `w~ = w_hat + alpha (R^T w_hat - w_hat)`, `alpha = \|sin beta\|`, beta learned |
//! | binarize | `sgn(w~)` |
//!
//! Back, with `g` the gradient of the bit: `h = g F'(w~)`, `F'(x) = max(k (sqrt(2) t - t^2 |x|), 0)`, `t` from 0.01 to
//! 10 over the run, `k = max(1 / t, 1)`. `dL/dbeta = sgn(sin beta) cos beta <h, R^T w_hat - w_hat>` plus a decay, without
//! which beta would never leave `pi / 2`, where it starts. How h reaches `w_hat`: [`Through`].
//!
//! The rotation is fitted in three rounds when training starts and after the first batch of each epoch (without a run
//! every step is a first batch). The authors scale the output by a learned factor of each channel: a layer of its own.

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
        latents::{Domain, Latents, each_row, flips_to},
        rotation::Rotation,
        standardize::Alike,
    },
};

/// Rounds in which a rotation is fitted.
const ROUNDS: usize = 3;
/// As the authors, but for rows of equal weights.
const ALIKE: Alike = Alike::Deviation { size: 1.0, eps: 1e-12 };

/// How the gradient `h` of `w~` reaches `w_hat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Through {
    /// `h`, as if the rotation were a constant that is added.
    #[default]
    Straight,
    /// `(1 - alpha) h + alpha R h`, which is differentiation with R constant.
    Rotation,
    /// `(1 - alpha) h`, as the authors' code, where `R^T w_hat` is a constant: nothing while `beta = pi / 2`.
    Rest,
}

/// Latent weights, their rotation, and how far each output follows it.
pub struct Rbnn {
    latents: Latents,
    beta: RealTensor, // (o)
    decay: f32,
    through: Through,
    rotation: Rotation,
    rotated: Option<Vec<f32>>, // R^T w_hat: (o, i), as long as it is true
    fitted: [f32; 2],          // the angles when the rotation was turned last
}

impl Rbnn {
    /// Latent weights and angles beta, each under an optimizer. Weights start uniform in `+-1 / sqrt(i)`.
    pub fn new(weights: impl Optimizer + 'static, angles: impl Optimizer + 'static) -> Self {
        Self {
            latents: Latents::new("rbnn", Domain::Free, weights),
            beta: RealTensor::new(Vec::new(), angles),
            decay: 1e-4,
            through: Through::default(),
            rotation: Rotation::default(),
            rotated: None,
            fitted: [0.0; 2],
        }
    }

    /// A fixed scale on the optimizer's step of the weights, 1 by default.
    ///
    /// # Errors
    /// [`Error::Setting`] unless `scale` is positive and finite.
    pub fn with_scale(mut self, scale: f32) -> Result<Self> {
        self.latents.set_scale(scale)?;
        Ok(self)
    }

    /// What is added to the gradient of beta, a share of beta: 1e-4 by default. With 0 alpha stays 1.
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

    /// Another way of the gradient than [`Through::Straight`].
    #[must_use]
    pub fn with_gradient(mut self, through: Through) -> Self {
        self.through = through;
        self
    }

    /// Sets the latent weights, `(o, i)`. Another number of them than weights is an error when the layer is built.
    #[must_use]
    pub fn with_latent(mut self, latent: Vec<f32>) -> Self {
        self.latents.set(latent);
        self
    }

    /// Sets the angles beta, `(o)`, in place of `pi / 2`. Another number of them than outputs is an error when the
    /// layer is built.
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

    /// `R1`, `(a, a)`, and `R2`, `(b, b)`, row-major; `a b = i`, a the largest divisor up to `sqrt(i)`.
    pub fn rotation(&self) -> (&[f32], &[f32]) {
        self.rotation.matrices()
    }

    /// Mean angles in degrees between the standardized weights and their signs, and between what the rotation makes of
    /// them and its signs.
    ///
    /// # Errors
    /// Those of the kernels.
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

    /// [`angles`](Self::angles) at the time when the rotation was turned last: in between it does not follow the weights.
    pub fn fitted_angles(&self) -> [f64; 2] {
        self.fitted.map(f64::from)
    }

    fn w_hat(&self, engine: &Engine) -> Result<Vec<f32>> {
        let mut w_hat = vec![0.0; self.latent().len()];
        ALIKE.forward(engine, self.latent(), self.latents.shape().1, &mut w_hat)?;
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

    /// `w~`
    fn adjusted(&self, engine: &Engine, w_hat: &[f32], rotated: &[f32]) -> Result<Vec<f32>> {
        let (cols, isa) = (self.latents.shape().1, engine.isa());
        let (alpha, mut adjusted) = (self.alpha(), w_hat.to_vec());
        engine.chunks((&mut adjusted[..], rotated), cols, |first, (w, rotated)| {
            approach(isa, w, rotated, alpha[first / cols]);
        })?;
        Ok(adjusted)
    }

    /// Turns on from where the rotation is, or from none at all where that is closer to the signs by now.
    fn fit(&mut self, engine: &Engine, w_hat: &[f32]) -> Result<()> {
        (0..ROUNDS).try_for_each(|_| self.rotation.turn(engine, w_hat))?;
        let closeness = |w: &[f32]| sum(w, |w| w.abs()); // of rows of one length: that times their cosines
        if closeness(&self.rotate(engine, w_hat)?) < closeness(w_hat) {
            self.rotation = Rotation::new(self.latents.shape().1)?;
            (0..ROUNDS).try_for_each(|_| self.rotation.turn(engine, w_hat))?;
        }
        Ok(())
    }

    /// `dL/dbeta`, (o), decay included, of `h = dL/dw~`.
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

    /// `dL/dw_hat` of `h = dL/dw~`, in its place.
    fn pass_through(&self, engine: &Engine, h: &mut Matrix) -> Result<()> {
        if self.through == Through::Straight {
            return Ok(());
        }
        let mut back = vec![0.0; h.values().len()];
        if self.through == Through::Rotation {
            self.rotation.apply_back(engine, h.values(), &mut back)?;
        }
        let (cols, isa, alpha) = (h.cols(), engine.isa(), self.alpha());
        Ok(engine.chunks((h.values_mut(), &back[..]), cols, |first, (h, back)| {
            approach(isa, h, back, alpha[first / cols]);
        })?)
    }
}

vectorized! {
    /// `w += alpha (to - w)`
    fn approach<'a>(w: &'a mut [f32], to: &'a [f32], alpha: f32) {
        for (w, to) in w.iter_mut().zip(to) {
            *w += alpha * (to - *w);
        }
    }
}

vectorized! {
    /// `h = g F'(w)`
    fn through_sign<'a>(h: &'a mut [f32], grad: &'a [f32], w: &'a [f32], sharpness: Sharpness) {
        for ((h, g), w) in h.iter_mut().zip(grad).zip(w) {
            *h = g * sharpness.parabola(*w);
        }
    }
}

vectorized! {
    /// `h (rotated - w_hat)`, in the place of h.
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
        ALIKE.backward(engine, self.latent(), cols, dw.values_mut())?;
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
