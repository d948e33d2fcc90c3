//! RPReLU (ReActNet, arXiv:2003.03488): a PReLU with learned shifts of its input and output.

use onebit_bits::vectorized;

use crate::{
    contract::{
        check::{check_cols, check_shape},
        context::Context,
        export::Exporter,
        kept::Kept,
        layer::Layer,
        meter::Parameters,
        state::State,
        value::{Signal, Value},
    },
    error::Result,
    layers::norms::per_channel::PerChannel,
    numeric::{
        batch_blocks::Block,
        batch_sums::{BatchSums, rows_of},
        jobs::job_of_rows,
        matrix::Matrix,
    },
};

const NAME: &str = "rprelu";

/// RPReLU: a PReLU with learned shifts of its input and output, for each channel of x `(b, x)` (ReActNet,
/// arXiv:2003.03488).
///
/// Forward: `u = x - before`, `y = f(u) + after` with `f(u) = u` where `u > 0`, else `slope u`. Backward:
/// `dx = dy` where `u > 0`, else `dy slope`; over the batch `dbefore = -sum dx`, `dafter = sum dy`, and
/// `dslope = sum dy u` where `u <= 0`.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Value,
///     layer::{Context, Layer},
///     layers::{RPReLU, RPReLUParameters},
/// };
///
/// let cx = Context::train(&Engine::single());
/// let start = RPReLUParameters { before: vec![1.0], slope: vec![0.5], after: vec![10.0] };
/// let mut layer = RPReLU::with_parameters(start)?;
/// let y = layer.forward(&cx, Value::Real(Matrix::new(2, 1, vec![3.0, -1.0])?))?;
/// assert_eq!(y, Value::Real(Matrix::new(2, 1, vec![12.0, 9.0])?)); // u is 2 and -2
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct RPReLU {
    before: PerChannel,
    slope: PerChannel,
    after: PerChannel,
    u: Kept<Matrix>,
    dx: Kept<Matrix>,
    sums: BatchSums<f32, 3>,
}

/// The parameters of an [`RPReLU`], or their gradients, `(x)` each.
#[derive(Clone, Debug, PartialEq)]
pub struct RPReLUParameters {
    /// The shift subtracted from the input; initially 0.
    pub before: Vec<f32>,
    /// The slope below 0; initially 0.25.
    pub slope: Vec<f32>,
    /// The shift added to the output; initially 0.
    pub after: Vec<f32>,
}

impl RPReLU {
    /// Starts from shifts of 0 and slopes of 0.25, which learn by Adam.
    pub fn new(features: usize) -> Self {
        let (before, after) = (vec![0.0; features], vec![0.0; features]);
        let start = RPReLUParameters { before, slope: vec![0.25; features], after };
        Self::with_parameters(start).expect("three vectors of one length")
    }

    /// Starts from these parameters.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) unless all have the same length.
    pub fn with_parameters(RPReLUParameters { before, slope, after }: RPReLUParameters) -> Result<Self> {
        check_cols("rprelu slope", before.len(), slope.len())?;
        check_cols("rprelu after", before.len(), after.len())?;
        Ok(Self {
            before: PerChannel::new(before),
            slope: PerChannel::new(slope),
            after: PerChannel::new(after),
            u: Kept::by_forward(NAME),
            dx: Kept::by_receive(NAME),
            sums: BatchSums::default(),
        })
    }

    /// The current parameters.
    pub fn values(&self) -> RPReLUParameters {
        let [before, slope, after] = [&self.before, &self.slope, &self.after].map(|it| it.values().to_vec());
        RPReLUParameters { before, slope, after }
    }

    /// The gradients for the last signal received.
    pub fn gradients(&self) -> Option<RPReLUParameters> {
        let [before, slope, after] = [&self.before, &self.slope, &self.after].map(PerChannel::gradient);
        Some(RPReLUParameters { before: before?.into(), slope: slope?.into(), after: after?.into() })
    }

    fn parts(&mut self) -> [(&'static str, &mut PerChannel); 3] {
        [("before", &mut self.before), ("slope", &mut self.slope), ("after", &mut self.after)]
    }
}

#[inline(always)]
fn leak(x: f32, u: f32, slope: f32) -> f32 {
    if u > 0.0 { x } else { slope * x }
}

vectorized! {
    /// Turns x into u and computes y; x, y: whole rows.
    fn bend<'a>(x: &'a mut [f32], y: &'a mut [f32], before: &'a [f32], slope: &'a [f32], after: &'a [f32]) {
        let features = before.len();
        for (x, y) in x.chunks_exact_mut(features).zip(y.chunks_exact_mut(features)) {
            let channels = before.iter().zip(slope).zip(after);
            for ((u, y), ((before, slope), after)) in x.iter_mut().zip(y).zip(channels) {
                *u -= before;
                *y = leak(*u, *u, *slope) + after;
            }
        }
    }
}

vectorized! {
    /// Turns dy into dx; dy, u: whole rows.
    fn pass_back<'a>(dy: &'a mut [f32], u: &'a [f32], slope: &'a [f32]) {
        let features = slope.len();
        for (dy, u) in dy.chunks_exact_mut(features).zip(u.chunks_exact(features)) {
            for ((dx, u), slope) in dy.iter_mut().zip(u).zip(slope) {
                *dx = leak(*dx, *u, *slope);
            }
        }
    }
}

vectorized! {
    fn add_gradients<'a>(
        dy: &'a Matrix, u: &'a Matrix, slope: &'a [f32], part: Block, sums: [&'a mut [f32]; 3],
    ) {
        let [dbefore, dslope, dafter] = sums;
        let slope = &slope[part.col..];
        for (dy, u) in rows_of(dy, part).zip(rows_of(u, part)) {
            let sums = dbefore.iter_mut().zip(&mut *dslope).zip(&mut *dafter);
            for (((dbefore, dslope), dafter), ((dy, u), slope)) in sums.zip(dy.iter().zip(u).zip(slope)) {
                *dbefore -= leak(*dy, *u, *slope);
                *dslope += dy * u.min(0.0);
                *dafter += dy;
            }
        }
    }
}

impl Layer for RPReLU {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let mut x = x.into_real(NAME)?; // x: (b, x) real
        check_cols(NAME, self.slope.values().len(), x.cols())?;
        cx.recycle(self.u.clear());
        cx.recycle(self.dx.clear());
        let mut y = cx.matrix(x.rows(), x.cols());
        let (before, slope, after) = (self.before.values(), self.slope.values(), self.after.values());
        cx.engine.chunks((x.values_mut(), y.values_mut()), job_of_rows(before.len()), |_, (x, y)| {
            bend(cx.engine.isa(), x, y, before, slope, after);
        })?;
        self.parts().into_iter().for_each(|(_, part)| part.wait());
        if cx.training() {
            self.u.set(x);
        } else {
            cx.recycle([x]);
        }
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let mut dy = signal.into_grad(NAME)?;
        let u = self.u.get("receive")?;
        check_shape(NAME, "a gradient", u.shape(), dy.shape())?;
        let engine = &cx.engine;
        let isa = cx.engine.isa();
        let slope = self.slope.values();
        let add = |part, sums: [&mut [f32]; 3]| add_gradients(isa, &dy, u, slope, part, sums);
        let sums = self.sums.over(engine, u, add)?;
        engine.chunks((dy.values_mut(), u.values()), job_of_rows(slope.len()), |_, (dy, u)| {
            pass_back(isa, dy, u, slope);
        })?;
        for (at, part) in [&mut self.before, &mut self.slope, &mut self.after].into_iter().enumerate() {
            part.receive(|channel| sums.of(channel)[at]);
        }
        cx.recycle(self.dx.replace(dy));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.dx.take("send").map(Signal::Grad)
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        self.parts().into_iter().try_for_each(|(_, part)| part.update(cx, NAME, rate))
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.parts().into_iter().try_for_each(|(name, part)| part.state(name, state))
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        Err(to.refuse("the runtime has no real activations"))
    }

    fn parameters(&self) -> Parameters {
        Parameters { bits: 0, reals: 3 * self.slope.values().len() }
    }
}
