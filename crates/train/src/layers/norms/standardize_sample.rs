//! Standardization of each sample by its own statistics, as RBNN applies it to the input of its signs
//! (arXiv:2009.13055).

use onebit_bits::vectorized;

use crate::{
    contract::{
        check::check_shape,
        context::Context,
        export::Exporter,
        kept::Kept,
        layer::Layer,
        state::State,
        value::{Signal, Value},
    },
    error::{Error, Result},
    numeric::{jobs::job_of_rows, matrix::Matrix},
};

const NAME: &str = "standardize_sample";

/// Subtracts the mean of each sample and divides by its deviation (RBNN, arXiv:2009.13055).
///
/// Forward, over the `n` numbers of a sample (all pixels and channels of an image), in training and
/// evaluation: `mean = sum x / n`, `inv_std = 1 / sqrt(sum (x - mean)^2 / (n - 1))`,
/// `y = (x - mean) inv_std`. x, y: `(b p, x)` real, with `p` rows for each sample. Backward:
/// `dx = inv_std (dy - sum dy / n - y (sum dy y) / (n - 1))`.
///
/// For a sample of equal numbers, which has no deviation, y and dx are 0.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Value,
///     layer::{Context, Layer},
///     layers::StandardizeSample,
/// };
///
/// let cx = Context::train(&Engine::single());
///
/// let x = Value::Real(Matrix::new(2, 3, vec![1.0, 2.0, 3.0, 7.0, 7.0, 7.0])?);
/// let y = StandardizeSample::new(1)?.forward(&cx, x)?;
/// assert_eq!(y, Value::Real(Matrix::new(2, 3, vec![-1.0, 0.0, 1.0, 0.0, 0.0, 0.0])?));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct StandardizeSample {
    pixels: usize,
    y: Kept<Matrix>,
    mean: Vec<f32>,    // (b)
    inv_std: Vec<f32>, // (b)
    dx: Kept<Matrix>,
}

impl StandardizeSample {
    /// Creates the layer for samples of `pixels` rows, 1 after dense layers.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 rows.
    pub fn new(pixels: usize) -> Result<Self> {
        if pixels == 0 {
            return Err(Error::setting("standardize_sample pixels", "at least 1", pixels));
        }
        Ok(Self {
            pixels,
            y: Kept::by_forward(NAME),
            mean: Vec::new(),
            inv_std: Vec::new(),
            dx: Kept::by_receive(NAME),
        })
    }
}

/// Number of partial sums, so that they fill vectors.
const LANES: usize = 16;

/// `sum term(at)`: partial sums by lane, then the lanes in order, then the rest.
#[inline(always)]
fn sum(len: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut sums = [0.0; LANES];
    for first in (0..len / LANES * LANES).step_by(LANES) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += term(first + lane);
        }
    }
    let mut total = 0.0;
    for sum in sums {
        total += sum;
    }
    for at in len / LANES * LANES..len {
        total += term(at);
    }
    total
}

vectorized! {
    /// Computes the statistics of whole samples of `n` numbers.
    fn measure<'a>(x: &'a [f32], n: usize, mean: &'a mut [f32], inv_std: &'a mut [f32]) {
        for (x, (mean, inv_std)) in x.chunks_exact(n).zip(mean.iter_mut().zip(inv_std)) {
            *mean = (sum(n, |at| f64::from(x[at])) / n as f64) as f32;
            let squares = sum(n, |at| f64::from(x[at] - *mean) * f64::from(x[at] - *mean));
            *inv_std = if squares == 0.0 { 0.0 } else { ((n - 1) as f64 / squares).sqrt() as f32 };
        }
    }
}

vectorized! {
    /// Turns x into y and copies it to y; x, y: whole samples of `n`.
    fn standardize<'a>(x: &'a mut [f32], y: &'a mut [f32], n: usize, mean: &'a [f32], inv_std: &'a [f32]) {
        let samples = x.chunks_exact_mut(n).zip(y.chunks_exact_mut(n));
        for ((x, y), (mean, inv_std)) in samples.zip(mean.iter().zip(inv_std)) {
            for (x, y) in x.iter_mut().zip(y) {
                *x = (*x - mean) * inv_std;
                *y = *x;
            }
        }
    }
}

vectorized! {
    /// Turns dy into dx; dy, y: whole samples of `n`.
    fn pass_back<'a>(dy: &'a mut [f32], y: &'a [f32], inv_std: &'a [f32], n: usize) {
        for ((dy, y), inv_std) in dy.chunks_exact_mut(n).zip(y.chunks_exact(n)).zip(inv_std) {
            let mean = (sum(n, |at| f64::from(dy[at])) / n as f64) as f32;
            let along = sum(n, |at| f64::from(dy[at]) * f64::from(y[at])) / (n - 1).max(1) as f64;
            for (dx, y) in dy.iter_mut().zip(y) {
                *dx = inv_std * (*dx - mean - y * along as f32);
            }
        }
    }
}

impl Layer for StandardizeSample {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let mut x = x.into_real(NAME)?; // x: (b pixels, x) real
        if x.rows() % self.pixels != 0 {
            let expected = format!("samples of {} rows", self.pixels);
            return Err(Error::shape(NAME, expected, format!("{} rows", x.rows())));
        }
        cx.recycle(self.y.clear());
        cx.recycle(self.dx.clear());
        let (n, samples) = (self.pixels * x.cols(), x.rows() / self.pixels);
        let mut y = cx.matrix(x.rows(), x.cols());
        if n == 0 || samples == 0 {
            return Ok(Value::Real(y));
        }
        let isa = cx.engine.isa();
        let part = job_of_rows(n);
        self.mean.resize(samples, 0.0);
        self.inv_std.resize(samples, 0.0);
        let slots = (&mut self.mean[..], &mut self.inv_std[..]);
        cx.engine.chunks(slots, part / n, |first, (mean, inv_std)| {
            measure(isa, &x.values()[first * n..], n, mean, inv_std);
        })?;
        let (mean, inv_std) = (&self.mean, &self.inv_std);
        cx.engine.chunks((x.values_mut(), y.values_mut()), part, |first, (x, y)| {
            standardize(isa, x, y, n, &mean[first / n..], &inv_std[first / n..]);
        })?;
        if cx.training() {
            self.y.set(x);
        } else {
            cx.recycle([x]);
        }
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let mut dy = signal.into_grad(NAME)?;
        let y = self.y.get("receive")?;
        check_shape(NAME, "a gradient", y.shape(), dy.shape())?;
        let n = self.pixels * y.cols();
        cx.engine.chunks((dy.values_mut(), y.values()), job_of_rows(n), |first, (dy, y)| {
            pass_back(cx.engine.isa(), dy, y, &self.inv_std[first / n..], n);
        })?;
        cx.recycle(self.dx.replace(dy));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.dx.take("send").map(Signal::Grad)
    }

    fn state(&mut self, _state: &mut State) -> Result<()> {
        Ok(())
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        Err(to.refuse("its thresholds differ from sample to sample"))
    }
}
