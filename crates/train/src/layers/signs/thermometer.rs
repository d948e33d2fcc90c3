//! Thermometer encoding: features to bits by several thresholds for each feature (Buckman et al.,
//! "Thermometer Encoding", ICLR 2018).

use onebit_bits::pack_above_into;

use crate::{
    contract::{
        check::{check_cols, check_shape},
        context::Context,
        export::Exporter,
        kept::Kept,
        layer::Layer,
        meter::{Meter, Observation},
        state::State,
        value::{ByteScale, Signal, Value},
    },
    error::{Error, Result},
    numeric::matrix::Matrix,
};

const NAME: &str = "thermometer";

/// Compares each feature with its own thresholds; the first layer of a network (Buckman et al., "Thermometer
/// Encoding", ICLR 2018).
///
/// Forward: `bit_kx = [r_x > t_kx]`, r `(b, x)`, t `(d, x)`, bits `(b, d x)`: feature x at level k is column
/// `k features + x`. Backward: 0, because the bits are step functions of the features and no earlier layer
/// learns.
///
/// For images, after [`Unflatten`](crate::layers::Unflatten), the features are the channels: every pixel has
/// the same thresholds. The [`quantiles`](onebit_data::quantiles) of the training data are good thresholds.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Value,
///     layer::{Context, Layer},
///     layers::Thermometer,
/// };
///
/// let cx = Context::train(&Engine::single());
/// // two levels of one feature
/// let mut thermometer = Thermometer::new(Matrix::new(2, 1, vec![0.0, 0.5])?)?;
/// let y = thermometer.forward(&cx, Value::Real(Matrix::new(3, 1, vec![-0.2, 0.3, 0.9])?))?.into_bits("y")?;
/// let levels = [0, 1, 2].map(|b| [y.get(b, 0), y.get(b, 1)]);
/// assert_eq!(levels, [[false, false], [true, false], [true, true]]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Thermometer {
    thresholds: Matrix, // (d, x)
    bytes: Option<ByteThresholds>,
    rows: Kept<usize>,     // of the last training pass
    received: Kept<usize>, // rows of the signal
    mean_of_bits: Meter,
}

/// The thresholds for bytes of one scale: the largest byte whose number is not above the threshold, or -1.
struct ByteThresholds {
    scale: ByteScale,
    largest_below: Vec<i16>, // (d, x)
}

impl Thermometer {
    /// The largest number of levels: a byte has no more steps.
    pub const MOST_LEVELS: usize = 255;

    /// Creates the layer from thresholds, (d, x), in units of the (standardized) features, rising from level
    /// to level.
    ///
    /// # Errors
    /// [`Error::Setting`] for no level or more than 255, for no feature, and for a threshold that is not
    /// finite or below the previous level.
    pub fn new(thresholds: Matrix) -> Result<Self> {
        let (levels, features) = thresholds.shape();
        if !(1..=Self::MOST_LEVELS).contains(&levels) {
            let expected = format!("1 to {} levels", Self::MOST_LEVELS);
            return Err(Error::setting(NAME, expected, levels));
        }
        if features == 0 {
            return Err(Error::setting("thermometer features", "at least 1", features));
        }
        let values = thresholds.values();
        if let Some(bad) = values.iter().find(|t| !t.is_finite()) {
            return Err(Error::setting("thermometer threshold", "a finite number", bad));
        }
        if let Some((low, high)) = values.iter().zip(&values[features..]).find(|(low, high)| high < low) {
            return Err(Error::setting(
                "thermometer threshold",
                format!("at least {low}, the previous level"),
                high,
            ));
        }
        Ok(Self {
            thresholds,
            bytes: None,
            rows: Kept::by_forward(NAME),
            received: Kept::by_receive(NAME),
            mean_of_bits: Meter::default(),
        })
    }

    /// The thresholds, `(d, x)`.
    pub fn thresholds(&self) -> &Matrix {
        &self.thresholds
    }
}

impl ByteThresholds {
    fn new(thresholds: &Matrix, scale: ByteScale) -> Self {
        // the numbers rise with the bytes, so a bisection finds where they exceed a threshold
        let numbers = std::array::from_fn::<f32, 256, _>(|byte| (byte as f32 - scale.mean()) * scale.scale());
        let largest_below = |t: &f32| numbers.partition_point(|number| number <= t) as i16 - 1;
        Self { scale, largest_below: thresholds.values().iter().map(largest_below).collect() }
    }
}

impl Layer for Thermometer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let (levels, features) = self.thresholds.shape();
        check_cols(NAME, features, x.cols())?;
        let mut bits = cx.bits(x.rows(), levels * features);
        match x {
            // with a scale that is not positive the numbers do not rise with the bytes
            Value::Bytes(x) if x.scale() > 0.0 => {
                let of_bytes = match self.bytes.take() {
                    Some(known) if known.scale == x.byte_scale() => known,
                    _ => ByteThresholds::new(&self.thresholds, x.byte_scale()),
                };
                pack_above_into(&cx.engine, features, x.values(), &of_bytes.largest_below, &mut bits)?;
                self.bytes = Some(of_bytes);
                cx.recycle([x]);
            }
            x => {
                let x = x.into_pooled_real(cx, NAME)?;
                pack_above_into(&cx.engine, features, x.values(), self.thresholds.values(), &mut bits)?;
                cx.recycle([x]);
            }
        }
        self.received.clear();
        self.rows.set(cx.training().then_some(bits.rows()));
        if cx.training() {
            self.mean_of_bits.add(&bits);
        }
        Ok(Value::Bits(bits))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let rows = *self.rows.get("receive")?;
        let shape = match &signal {
            Signal::Grad(dy) => dy.shape(),
            Signal::Flip(flips) => flips.shape(),
            Signal::Votes(votes) => (votes.rows, votes.cols),
        };
        check_shape(NAME, "a signal", (rows, self.thresholds.values().len()), shape)?;
        if let Signal::Grad(dy) = signal {
            cx.recycle([dy]);
        }
        self.received.set(rows);
        Ok(())
    }

    /// Returns a gradient of zeros, `(b, x)`, for any signal.
    fn send(&mut self, cx: &Context) -> Result<Signal> {
        let rows = self.received.take("send")?;
        let mut dx = cx.matrix(rows, self.thresholds.cols());
        dx.values_mut().fill(0.0);
        Ok(Signal::Grad(dx))
    }

    /// The thresholds are fixed like the sizes, so they are no state: they follow from the training data.
    fn state(&mut self, state: &mut State) -> Result<()> {
        self.mean_of_bits.state("mean_of_bits", state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.thermometer(self.thresholds.cols(), self.thresholds.values().to_vec())
    }

    fn depth(&self) -> usize {
        self.thresholds.rows()
    }

    fn observe(&mut self) -> Observation {
        Observation { mean_of_bits: self.mean_of_bits.take(), ..Observation::default() }
    }
}
