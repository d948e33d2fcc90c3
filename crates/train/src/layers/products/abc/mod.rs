//! The layer of ABC-Net: real weights and activations, each as a sum of several bits (arXiv:1711.11294).

use onebit_bits::{BitTensor, Geometry, Isa, vectorized};

use crate::{
    contract::{
        check::{check_cols, check_shape, check_sizes},
        context::Context,
        kept::Kept,
        layer::Layer,
        meter::{Observation, Parameters},
        state::State,
        value::{Signal, Value},
    },
    error::{Error, Result},
    numeric::{jobs::JOB, matrix::Matrix},
    optimizers::Optimizer,
};

mod bases;
mod product;
mod thresholds;

use bases::Bases;
use product::{Dense, Product, Walking};
use thresholds::{Slopes, Thresholds};

/// The largest number of bases and of thresholds, as in the paper.
const MOST: usize = 5;

/// M bases of weights times N bits of activations, dense or as a convolution (ABC-Net, arXiv:1711.11294).
///
/// With bases `W ~ sum_m a_m B_m` and thresholds `x ~ sum_n beta_n A_n`, bit n being `x >= 1/2 - v_n`, the
/// product is `y = sum_mn a_m beta_n (A_n B_m^T)`: M N products of bits. x: `(b, i)` real, W: `(o, i)`, y:
/// `(b, o)` real.
///
/// Backward, with `D = sum_n beta_n dy^T A_n` and `G = sum_m a_m dy B_m`: the gradient passes straight
/// through the sign of each base, so `dW = (sum_m a_m) D`; `dbeta_n = sum G A_n`,
/// `dv_n = beta_n sum G [0 <= x + v_n <= 1]`, `dx = G sum_n beta_n [0 <= x + v_n <= 1]`. The factors a are
/// not learned but solved for again after each step.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Value,
///     layer::{Context, Layer},
///     layers::Abc,
///     optimizers::Adam,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut layer = Abc::dense(2, 1, (1, 1), Adam::new, 0)?.with_weights(vec![0.5, 1.5])?;
/// let (bases, factors) = layer.bases();
/// assert_eq!((bases[0].get(0, 0), bases[0].get(0, 1)), (false, true)); // above the mean of 1 or not
/// assert_eq!(factors, [0.5]);
/// let y = layer.forward(&cx, Value::Real(Matrix::new(1, 2, vec![2.0, -3.0])?))?;
/// assert_eq!(y, Value::Real(Matrix::new(1, 1, vec![-1.0])?)); // 0.5 (-1 - 1)
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Abc {
    product: Box<dyn Product>,
    bases: Bases,
    thresholds: Thresholds,
    packed: Option<Isa>,
    stale: bool,
    input: Kept<Input>,
    dy: Kept<Matrix>,
    dx: Kept<Matrix>,
    slopes: Slopes,
}

/// The input of a forward pass: x, (b, i), and its bits.
struct Input {
    x: Matrix,
    bits: Vec<BitTensor>,
}

impl Abc {
    /// Creates a dense layer: real inputs (b, inputs) to sums (b, outputs), with 1 to 5 `bases` and
    /// `thresholds`. `optimizer` makes one optimizer each for the weights, the shifts v and the factors beta.
    ///
    /// Weights start uniform in `+-1 / sqrt(inputs)`, thresholds evenly spaced from -1 to 1 (0 for a single
    /// one), and factors beta at `1 / thresholds`.
    ///
    /// # Errors
    /// [`Error::Setting`] when a size is 0, or bases or thresholds are not from 1 to 5.
    pub fn dense<O: Optimizer + 'static>(
        inputs: usize,
        outputs: usize,
        (bases, thresholds): (usize, usize),
        optimizer: impl Fn() -> O,
        seed: u64,
    ) -> Result<Self> {
        check_sizes("abc_dense", [inputs, outputs, 1])?;
        Self::new(Box::new(Dense::new(inputs, outputs)), (bases, thresholds), optimizer, seed)
    }

    /// Creates a convolution of images of `size` = (h, w) pixels: (b * h * w, c_in) to (b * h' * w', c_out).
    ///
    /// # Errors
    /// Returns the errors of [`dense`](Self::dense) and of [`Geometry::output`].
    pub fn conv<O: Optimizer + 'static>(
        conv: Geometry,
        size: (usize, usize),
        (bases, thresholds): (usize, usize),
        optimizer: impl Fn() -> O,
        seed: u64,
    ) -> Result<Self> {
        check_sizes("abc_conv", [conv.c_in, conv.c_out, 1])?;
        Self::new(Box::new(Walking::new(conv, size)?), (bases, thresholds), optimizer, seed)
    }

    fn new<O: Optimizer + 'static>(
        product: Box<dyn Product>,
        (bases, thresholds): (usize, usize),
        optimizer: impl Fn() -> O,
        seed: u64,
    ) -> Result<Self> {
        let name = product.name();
        for (what, count) in [("bases", bases), ("thresholds", thresholds)] {
            if !(1..=MOST).contains(&count) {
                return Err(Error::setting(format!("{name} {what}"), format!("1 to {MOST}"), count));
            }
        }
        Ok(Self {
            bases: Bases::new(product.weights(), bases, optimizer(), seed)?,
            thresholds: Thresholds::new(thresholds, &optimizer),
            product,
            packed: None,
            stale: false,
            input: Kept::by_forward(name),
            dy: Kept::by_receive(name),
            dx: Kept::by_receive(name),
            slopes: Slopes::default(),
        })
    }

    /// Starts from these weights, `(o, i)`, row-major.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of weights.
    pub fn with_weights(mut self, weights: Vec<f32>) -> Result<Self> {
        self.bases.restart(weights)?;
        Ok(self)
    }

    /// Starts from these shifts v and factors beta, `(n)` both.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of shifts or factors.
    pub fn with_activations(mut self, shifts: Vec<f32>, factors: Vec<f32>) -> Result<Self> {
        self.thresholds.restart(shifts, factors)?;
        Ok(self)
    }

    /// The real weights, `(o, i)`, row-major.
    pub fn weights(&self) -> &[f32] {
        self.bases.weights.values()
    }

    /// The bases `B_m`, `(o, i)` bits each, and their factors `a_m`.
    pub fn bases(&self) -> (&[BitTensor], &[f32]) {
        (&self.bases.bits, &self.bases.factors)
    }

    /// The shifts v and factors beta of the activations, `(n)` both.
    pub fn activations(&self) -> (&[f32], &[f32]) {
        (self.thresholds.shifts.values(), self.thresholds.factors.values())
    }

    /// `dL/dv` and `dL/dbeta`, `(n)` both, for the last signal received.
    pub fn activation_gradients(&self) -> Option<(&[f32], &[f32])> {
        self.dy.value().map(|_| (&self.slopes.shifts[..], &self.slopes.factors[..]))
    }

    /// `dL/dW`, `(o, i)`, for the signal received.
    ///
    /// # Errors
    /// [`Error::Sequence`] when no signal was received.
    pub fn weight_gradient(&self, cx: &Context) -> Result<Matrix> {
        let Input { bits, .. } = self.input.get("update")?;
        let dy = self.dy.get("update")?;
        let (o, i) = self.bases.shape;
        let engine = &cx.engine;
        let mut dy_t = cx.matrix(o, dy.rows());
        let mut one = cx.matrix(o, i);
        let mut dw = cx.matrix(o, i);
        dy.transpose_into(engine, &mut dy_t)?;
        dw.values_mut().fill(0.0);
        let passed_on: f32 = self.bases.factors.iter().sum();
        for (bits, beta) in bits.iter().zip(self.thresholds.factors.values()) {
            self.product.dw(engine, dy_t.values(), bits, one.values_mut())?;
            add(cx, &mut dw, passed_on * beta, one.values())?;
        }
        cx.recycle([dy_t, one]);
        Ok(dw)
    }

    /// Brings bases and packed weights up to date with the real weights.
    fn prepare(&mut self, cx: &Context) -> Result<()> {
        if self.stale {
            self.bases.fit(&cx.engine)?;
            self.stale = false;
            self.packed = None;
        }
        if self.packed != Some(cx.engine.isa()) {
            self.product.pack(&cx.engine, &self.bases.bits)?;
            self.packed = Some(cx.engine.isa());
        }
        Ok(())
    }
}

/// `to += by * from`
fn add(cx: &Context, to: &mut Matrix, by: f32, from: &[f32]) -> Result<()> {
    let isa = cx.engine.isa();
    Ok(cx.engine.chunks((to.values_mut(), from), JOB, |_, (to, from)| add_part(isa, to, by, from))?)
}

vectorized! {
    fn add_part<'a>(to: &'a mut [f32], by: f32, from: &'a [f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to += by * from;
        }
    }
}

vectorized! {
    fn add_sums<'a>(to: &'a mut [f32], by: f32, sums: &'a [i32]) {
        for (to, sum) in to.iter_mut().zip(sums) {
            *to += by * *sum as f32;
        }
    }
}

impl Layer for Abc {
    fn name(&self) -> &'static str {
        self.product.name()
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let x = x.into_real(self.product.name())?;
        check_cols(self.product.name(), self.product.inputs(), x.cols())?;
        self.prepare(cx)?;
        let (engine, isa) = (&cx.engine, cx.engine.isa());
        let mut y = cx.matrix(self.product.output_rows(x.rows())?, self.bases.shape.0);
        y.values_mut().fill(0.0);
        let bits = self.thresholds.bits(engine, &x)?;
        let mut sums = vec![0; y.values().len()];
        for (bits, beta) in bits.iter().zip(self.thresholds.factors.values()) {
            for (base, factor) in self.bases.factors.iter().enumerate() {
                self.product.sums(engine, bits, base, &mut sums)?;
                engine.chunks((y.values_mut(), &sums[..]), JOB, |_, (y, sums)| {
                    add_sums(isa, y, beta * factor, sums);
                })?;
            }
        }
        cx.recycle(self.input.replace(Input { x, bits }).map(|input| input.x));
        cx.recycle(self.dy.clear());
        cx.recycle(self.dx.clear());
        if !cx.training() {
            cx.recycle(self.input.clear().map(|input| input.x));
        }
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let name = self.product.name();
        let dy = signal.into_grad(name)?;
        let Input { x, .. } = self.input.get("receive")?;
        let shape = (self.product.output_rows(x.rows())?, self.bases.shape.0);
        check_shape(name, "a gradient", shape, dy.shape())?;
        let (mut grad, mut one) = (cx.matrix(x.rows(), x.cols()), cx.matrix(x.rows(), x.cols()));
        grad.values_mut().fill(0.0);
        for (base, factor) in self.bases.factors.iter().enumerate() {
            self.product.dx(&cx.engine, dy.values(), x.rows(), base, one.values_mut())?;
            add(cx, &mut grad, *factor, one.values())?;
        }
        self.slopes = self.thresholds.backward(cx, x, &mut grad)?;
        cx.recycle([one]);
        cx.recycle(self.dx.replace(grad));
        cx.recycle(self.dy.replace(dy));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.dx.take("send").map(Signal::Grad)
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        let dw = self.weight_gradient(cx)?;
        self.bases.weights.step(&cx.engine, dw.values(), rate as f32)?;
        cx.recycle([dw]);
        self.thresholds.shifts.step(&cx.engine, &self.slopes.shifts, rate as f32)?;
        self.thresholds.factors.step(&cx.engine, &self.slopes.factors, rate as f32)?;
        let flips = self.bases.fit(&cx.engine)?;
        self.bases.flipped.count(flips, self.parameters().bits);
        self.packed = None;
        Ok(())
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.stale = true;
        self.bases.state(state)?;
        self.thresholds.state(state)
    }

    fn observe(&mut self) -> Observation {
        Observation { update_ratio: self.bases.flipped.take(), ..Observation::default() }
    }

    fn parameters(&self) -> Parameters {
        let (o, i) = self.bases.shape;
        let bases = self.bases.bits.len();
        Parameters { bits: bases * o * i, reals: bases + 2 * self.thresholds.shifts.values().len() }
    }
}
