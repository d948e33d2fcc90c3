//! The integer counterpart of batch norm: a threshold and a scale for each unit.

use onebit_bits::{Engine, Noise, vectorized};

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
    error::{Error, Result},
    layers::{norms::feature_norm::affine, products::active_rows::is_active},
    numeric::{
        batch_blocks::Block,
        batch_sums::{BatchSums, rows_of},
        jobs::job_of_rows,
        matrix::Matrix,
    },
};

const NAME: &str = "threshold";

/// Integers are in units of 1 / `PARTS`.
const PARTS: f64 = 256.0;

/// Running means and scales move toward a batch by 1 / `FOLLOW` of the difference.
const FOLLOW: i64 = 8;

/// Compares each unit's sums with its threshold, in units of its scale: batch norm in integers.
///
/// Forward over a batch of `b` rows, for each unit of z `(b, x)`; integers are in units of 1/256:
///
/// ```text
/// mean = round(sum z / b)     scale = round(sum |z - mean| / b)
/// y    = gain (z - mean - theta) / scale
/// ```
///
/// In evaluation mean and scale are the running ones, which move toward each batch by an eighth of the
/// difference. The learned parameters are integers: theta and, for scores, whose magnitude matters, the gain;
/// before a sign the gain is 1. So `y >= 0` is `z >= mean + theta`, and the gate `|y| <= 1` of that sign is a
/// window around the threshold as wide as the unit's sums spread: samples near the threshold vote, whether
/// they agree or not.
///
/// Backward: `dz = (gain / scale) (dy - sum dy / b - y sum dy y / sum y^2)`, the last term only with a gain.
/// A request common to all samples would only move the mean, which is subtracted again; a request
/// proportional to y would only move the scale. Samples whose dy is 0 in all units count neither in b nor in
/// the sums, and their dz is 0.
///
/// With `v = sum dy` and `u = sum dy y`, theta moves by `SR(rate scale v / mean |v|)` and the gain by
/// `-SR(rate u / mean |u|)`, with means over the units of the layer. SR rounds at random, as a function of
/// seed, step and unit.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Value,
///     layer::{Context, Layer},
///     layers::Threshold,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut threshold = Threshold::new(1, 0);
/// let y = threshold.forward(&cx, Value::Real(Matrix::new(2, 1, vec![1.0, 5.0])?))?;
/// assert_eq!(y, Value::Real(Matrix::new(2, 1, vec![-1.0, 1.0])?)); // mean 3, scale 2
/// assert_eq!(threshold.thresholds(), [3 * 256]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Threshold {
    batch: Statistics,
    running: Statistics,
    seen: bool,         // whether a batch was seen
    theta: Vec<i32>,    // (x)
    gain: Option<Gain>, // for scores
    votes: Vec<f32>,    // v: (x)
    line: Line,         // of the last forward pass
    shares: Vec<f32>,   // v / b: (x)
    rows: Kept<usize>,  // b
    dz: Kept<Matrix>,   // (b, x)
    received: bool,
    seed: u64,
    step: u64,
    sums: BatchSums<f32, 1>,
}

/// Mean and scale of each unit, in 1/256: (x).
struct Statistics {
    mean: Vec<i32>,
    scale: Vec<i32>,
}

/// `y = (z - mean) factor + shift`, for each unit: (x).
#[derive(Clone, Default)]
struct Line {
    mean: Vec<f32>,
    factor: Vec<f32>,
    shift: Vec<f32>,
}

/// The factor of each unit's scores.
struct Gain {
    gain: Vec<i32>,    // (x), in 1/256
    y: Kept<Matrix>,   // (b, x)
    votes: Vec<f32>,   // u: (x)
    squares: Vec<f32>, // sum y^2: (x)
    sums: BatchSums<f32, 3>,
}

impl Threshold {
    /// Creates a threshold at the mean of each unit's sums, for a sign to follow.
    pub fn new(units: usize, seed: u64) -> Self {
        let statistics = || Statistics { mean: vec![0; units], scale: vec![0; units] };
        let zeros = || vec![0.0; units];
        Self {
            batch: statistics(),
            running: statistics(),
            seen: false,
            theta: vec![0; units],
            gain: None,
            votes: zeros(),
            line: Line { mean: zeros(), factor: zeros(), shift: zeros() },
            shares: zeros(),
            rows: Kept::by_forward(NAME),
            dz: Kept::by_receive(NAME),
            received: false,
            seed,
            step: 0,
            sums: BatchSums::default(),
        }
    }

    /// Gives each unit a learned gain, initially 1, for scores.
    #[must_use]
    pub fn with_gains(mut self) -> Self {
        let gain = vec![PARTS as i32; self.theta.len()];
        let zeros = vec![0.0; self.theta.len()];
        self.gain = Some(Gain {
            gain,
            y: Kept::by_forward(NAME),
            votes: zeros.clone(),
            squares: zeros,
            sums: BatchSums::default(),
        });
        self
    }

    /// The threshold of each unit in evaluation, `mean + theta` in 1/256: (x). All 0 before the first batch.
    pub fn thresholds(&self) -> Vec<i32> {
        self.running.mean.iter().zip(&self.theta).map(|(mean, theta)| mean.saturating_add(*theta)).collect()
    }

    /// Computes the statistics of the batch z, (b, x), and moves the running ones toward them.
    fn measure(&mut self, engine: &Engine, z: &Matrix) -> Result<()> {
        let isa = engine.isa();
        let b = z.rows() as f64;
        let integer = |sum: f64| libm::round(sum / b * PARTS) as i32;
        let Statistics { mean, scale } = &mut self.batch;
        let sums = self.sums.over(engine, z, |part, [sums]| add(isa, z, part, sums))?;
        mean.iter_mut().enumerate().for_each(|(at, mean)| *mean = integer(sums.of(at)[0]));
        let means = &mut self.line.mean;
        means.iter_mut().zip(&*mean).for_each(|(to, mean)| *to = whole(*mean));
        let sums = self.sums.over(engine, z, |part, [sums]| add_distances(isa, z, means, part, sums))?;
        scale.iter_mut().enumerate().for_each(|(at, scale)| *scale = integer(sums.of(at)[0]));
        let follow = |old: &mut Vec<i32>, new: &[i32]| {
            for (old, new) in old.iter_mut().zip(new) {
                let (from, to) = (i64::from(*old), i64::from(*new));
                *old = if self.seen { (from + (to - from) / FOLLOW) as i32 } else { *new };
            }
        };
        follow(&mut self.running.mean, mean);
        follow(&mut self.running.scale, scale);
        self.seen = true;
        Ok(())
    }

    /// Writes the line of a training batch, or that of evaluation.
    fn draw(&self, training: bool, line: &mut Line) {
        let Statistics { mean, scale } = if training { &self.batch } else { &self.running };
        for (to, (mean, theta)) in line.mean.iter_mut().zip(mean.iter().zip(&self.theta)) {
            *to = whole(mean.saturating_add(*theta));
        }
        for (at, (to, scale)) in line.factor.iter_mut().zip(scale).enumerate() {
            let gain = self.gain.as_ref().map_or(PARTS as i32, |gain| gain.gain[at]);
            // at least 1, because a unit whose sums do not vary would divide by 0
            *to = (f64::from(gain) / f64::from((*scale).max(PARTS as i32))) as f32;
        }
    }
}

fn whole(parts: i32) -> f32 {
    (f64::from(parts) / PARTS) as f32
}

vectorized! {
    fn add<'a>(x: &'a Matrix, part: Block, sums: &'a mut [f32]) {
        for row in rows_of(x, part) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

vectorized! {
    fn add_distances<'a>(z: &'a Matrix, means: &'a [f32], part: Block, sums: &'a mut [f32]) {
        for row in rows_of(z, part) {
            for ((sum, z), mean) in sums.iter_mut().zip(row).zip(&means[part.col..]) {
                *sum += (z - mean).abs();
            }
        }
    }
}

vectorized! {
    /// Adds dy, dy y and y^2 over the active rows.
    fn add_votes<'a>(dy: &'a Matrix, y: &'a Matrix, block: Block, sums: [&'a mut [f32]; 3]) {
        let [of_theta, of_gain, squares] = sums;
        let whole = dy.iter_rows().skip(block.row);
        let rows = rows_of(dy, block).zip(rows_of(y, block)).zip(whole).filter(|(_, dy)| is_active(dy));
        for ((dy, y), _) in rows {
            let sums = of_theta.iter_mut().zip(&mut *of_gain).zip(&mut *squares);
            for (((of_theta, of_gain), square), (dy, y)) in sums.zip(dy.iter().zip(y)) {
                *of_theta += dy;
                *of_gain += dy * y;
                *square += y * y;
            }
        }
    }
}

vectorized! {
    /// Turns dy into dz; dy: whole rows. Rows of zeros stay 0, because those samples ask for nothing.
    fn pass_back<'a>(dy: &'a mut [f32], mean: &'a [f32], factors: &'a [f32]) {
        for dy in dy.chunks_exact_mut(mean.len()).filter(|dy| is_active(dy)) {
            for ((dy, mean), factor) in dy.iter_mut().zip(mean).zip(factors) {
                *dy = (*dy - mean) * factor;
            }
        }
    }
}

impl Gain {
    /// Adds up the votes for theta and the gain, and subtracts from dy the part that would move the scale.
    fn receive(&mut self, cx: &Context, dy: &mut Matrix, votes: &mut [f32]) -> Result<()> {
        let engine = &cx.engine;
        let y = self.y.take("receive")?;
        let sums = self.sums.over(engine, dy, |part, sums| add_votes(engine.isa(), dy, &y, part, sums))?;
        for (at, vote) in votes.iter_mut().enumerate() {
            [*vote, self.votes[at], self.squares[at]] = sums.of(at).map(|sum| sum as f32);
        }
        let rows = dy.values_mut().chunks_exact_mut(votes.len()).zip(y.iter_rows());
        for (dy, y) in rows.filter(|(dy, _)| is_active(dy)) {
            for ((dy, y), (vote, square)) in dy.iter_mut().zip(y).zip(self.votes.iter().zip(&self.squares)) {
                *dy -= if *square > 0.0 { y * (vote / square) } else { 0.0 };
            }
        }
        cx.recycle([y]);
        Ok(())
    }
}

/// Returns for each unit the function `size -> SR(rate size v / mean |v|)`.
fn moves(votes: &[f32], rate: f64, noise: Noise, row: usize) -> impl Iterator<Item = impl Fn(f64) -> i64> {
    let key = noise.key(row);
    let mean = votes.iter().map(|vote| f64::from(vote.abs())).sum::<f64>() / votes.len() as f64;
    let pace = if mean > 0.0 && mean.is_finite() { rate / mean } else { 0.0 };
    votes.iter().enumerate().map(move |(at, vote)| {
        let distance = pace * f64::from(*vote);
        let up = f64::from(Noise::bits(key, at)) / 2f64.powi(32);
        move |size| libm::floor(distance * size + up) as i64
    })
}

fn add_within(old: &mut i32, step: i64) {
    *old = i64::from(*old).saturating_add(step).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
}

impl Layer for Threshold {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, z: Value) -> Result<Value> {
        let mut z = z.into_real(NAME)?; // z: (b, x) real
        check_cols(NAME, self.theta.len(), z.cols())?;
        self.received = false;
        self.rows.clear();
        cx.recycle(self.dz.clear());
        if cx.training() {
            if z.values().is_empty() {
                let got = format!("{} x {}", z.rows(), z.cols());
                return Err(Error::shape(NAME, "at least one row and one column to learn from", got));
            }
            self.measure(&cx.engine, &z)?;
        } else if !self.seen {
            return Err(Error::Sequence { layer: NAME, verb: "evaluate", needs: "training step" });
        }
        let mut line = std::mem::take(&mut self.line);
        self.draw(cx.training(), &mut line);
        let Line { mean, factor, shift } = &line;
        let drawn = cx.engine.chunks(z.values_mut(), job_of_rows(mean.len()), |_, z| {
            affine(cx.engine.isa(), z, mean, factor, shift);
        });
        self.line = line;
        drawn?;
        self.rows.set(cx.training().then(|| z.rows()));
        if let (true, Some(gain)) = (cx.training(), &mut self.gain) {
            cx.recycle(gain.y.replace(cx.copy(&z)));
        }
        Ok(Value::Real(z))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let mut dy = signal.into_grad(NAME)?;
        check_shape(NAME, "a gradient", (*self.rows.get("receive")?, self.theta.len()), dy.shape())?;
        let (engine, isa) = (&cx.engine, cx.engine.isa());
        match &mut self.gain {
            Some(gain) => gain.receive(cx, &mut dy, &mut self.votes)?,
            None => {
                let sums = self.sums.over(engine, &dy, |part, [sums]| add(isa, &dy, part, sums))?;
                self.votes.iter_mut().enumerate().for_each(|(at, vote)| *vote = sums.of(at)[0] as f32);
            }
        }
        let share = 1.0 / dy.iter_rows().filter(|dy| is_active(dy)).count().max(1) as f32;
        self.shares.iter_mut().zip(&self.votes).for_each(|(to, sum)| *to = sum * share);
        let (shares, factors) = (&self.shares, &self.line.factor);
        engine.chunks(dy.values_mut(), job_of_rows(shares.len()), |_, dy| {
            pass_back(isa, dy, shares, factors);
        })?;
        self.received = true;
        cx.recycle(self.dz.replace(dy));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.dz.take("send").map(Signal::Grad)
    }

    fn update(&mut self, _cx: &Context, rate: f64) -> Result<()> {
        if !self.received {
            return Err(Error::Sequence { layer: NAME, verb: "update", needs: "signal" });
        }
        self.step = self.step.wrapping_add(1);
        let noise = Noise { seed: self.seed, step: self.step };
        let units = self.theta.iter_mut().zip(&self.batch.scale);
        for ((theta, scale), step) in units.zip(moves(&self.votes, rate, noise, 0)) {
            add_within(theta, step(f64::from(*scale)));
        }
        if let Some(Gain { gain, votes, .. }) = &mut self.gain {
            for (gain, step) in gain.iter_mut().zip(moves(votes, rate, noise, 1)) {
                add_within(gain, step(-PARTS));
                *gain = (*gain).max(1);
            }
        }
        Ok(())
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.flag("seen", &mut self.seen)?;
        state.count("step", &mut self.step)?;
        state.integers("mean", &mut self.running.mean)?;
        state.integers("scale", &mut self.running.scale)?;
        state.integers("theta", &mut self.theta)?;
        self.gain.as_mut().map_or(Ok(()), |gain| state.integers("gain", &mut gain.gain))
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        if !self.seen {
            return Err(to.refuse("it has not been trained"));
        }
        let mut line = self.line.clone();
        self.draw(false, &mut line);
        to.scores(line.mean, line.factor, line.shift)
    }

    fn parameters(&self) -> Parameters {
        Parameters { bits: 0, reals: self.theta.len() * if self.gain.is_some() { 2 } else { 1 } }
    }
}
