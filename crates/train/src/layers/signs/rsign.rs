//! RSign (ReActNet, arXiv:2003.03488): a sign with a learned threshold for each channel.

use onebit_bits::{pack_signs_into, vectorized};

use crate::{
    contract::{
        check::check_cols,
        context::Context,
        export::Exporter,
        layer::Layer,
        meter::{Meter, Observation, Parameters},
        state::State,
        value::{Signal, Value},
    },
    error::Result,
    layers::{Estimator, norms::per_channel::PerChannel, signs::straight_through::StraightThrough},
    numeric::{
        batch_blocks::Block,
        batch_sums::{BatchSums, rows_of},
        jobs::job_of_rows,
        matrix::Matrix,
    },
};

const NAME: &str = "rsign";

/// RSign: a sign with a learned threshold for each channel, x `(b, x)` real to bits (ReActNet,
/// arXiv:2003.03488).
///
/// Forward: `y = sgn(r)`, `r = x - shift`, with `sgn(0) = +1`. Backward: `dx = dy F'(r)`, `dshift = -sum dx`
/// over the batch; an [`Estimator`] gives `F'`.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::RSign,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut sign = RSign::with_shift(vec![1.0]);
/// let y = sign.forward(&cx, Value::Real(Matrix::new(2, 1, vec![0.5, 2.0])?))?.into_bits("y")?;
/// assert_eq!([0, 1].map(|b| y.get(b, 0)), [false, true]);
///
/// sign.receive(&cx, Signal::Grad(Matrix::new(2, 1, vec![1.0, 1.0])?))?;
/// assert_eq!(sign.gradient(), Some(&[-1.0][..])); // F' is 2 - 2 |r|: 1 and 0
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct RSign {
    shift: PerChannel,
    estimator: Estimator,
    back: StraightThrough,
    sums: BatchSums<f32, 1>,
    mean_of_bits: Meter,
}

impl RSign {
    /// Starts from thresholds of 0 that learn by Adam, with [`Estimator::ApproxSign`], as in the paper.
    pub fn new(features: usize) -> Self {
        Self::with_shift(vec![0.0; features])
    }

    /// Starts from these thresholds, `(x)`.
    pub fn with_shift(shift: Vec<f32>) -> Self {
        Self {
            shift: PerChannel::new(shift),
            estimator: Estimator::ApproxSign,
            back: StraightThrough::new(NAME),
            sums: BatchSums::default(),
            mean_of_bits: Meter::default(),
        }
    }

    /// Uses another estimator.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a setting of the estimator outside its range.
    pub fn with_estimator(self, estimator: Estimator) -> Result<Self> {
        Ok(Self { estimator: estimator.check()?, ..self })
    }

    /// The thresholds, `(x)`.
    pub fn shift(&self) -> &[f32] {
        self.shift.values()
    }

    /// `dshift` for the last signal received, `(x)`.
    pub fn gradient(&self) -> Option<&[f32]> {
        self.shift.gradient()
    }
}

vectorized! {
    /// x: whole rows.
    fn subtract<'a>(x: &'a mut [f32], shift: &'a [f32]) {
        for x in x.chunks_exact_mut(shift.len()) {
            for (x, shift) in x.iter_mut().zip(shift) {
                *x -= shift;
            }
        }
    }
}

vectorized! {
    fn add_up<'a>(dx: &'a Matrix, part: Block, sums: [&'a mut [f32]; 1]) {
        let [sums] = sums;
        for dx in rows_of(dx, part) {
            for (sum, dx) in sums.iter_mut().zip(dx) {
                *sum += dx;
            }
        }
    }
}

impl Layer for RSign {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let mut x = x.into_real(NAME)?; // x: (b, x) real
        check_cols(NAME, self.shift().len(), x.cols())?;
        let part = job_of_rows(x.cols());
        cx.engine.chunks(x.values_mut(), part, |_, x| subtract(cx.engine.isa(), x, self.shift.values()))?;
        let mut y = cx.bits(x.rows(), x.cols());
        pack_signs_into(&cx.engine, x.values(), &mut y)?;
        if cx.training() {
            self.mean_of_bits.add(&y);
        }
        self.shift.wait();
        self.back.keep(cx, x);
        Ok(Value::Bits(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let engine = &cx.engine;
        let slope = self.estimator.of_activations(cx.clock.progress());
        let dx = self.back.receive(cx, signal, |isa, grad, r| slope.gate(isa, grad, r))?;
        let sums = self.sums.over(engine, dx, |part, sums| add_up(engine.isa(), dx, part, sums))?;
        self.shift.receive(|channel| -sums.of(channel)[0]);
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.back.send()
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        self.shift.update(cx, NAME, rate)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.shift.state("shift", state)?;
        self.mean_of_bits.state("mean_of_bits", state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        let features = self.shift().len();
        to.scores(self.shift().to_vec(), vec![1.0; features], vec![0.0; features])?;
        to.sign()
    }

    fn observe(&mut self) -> Observation {
        Observation { mean_of_bits: self.mean_of_bits.take(), ..Observation::default() }
    }

    fn parameters(&self) -> Parameters {
        Parameters { bits: 0, reals: self.shift().len() }
    }
}
