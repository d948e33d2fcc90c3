//! Binarize: the first layer of a flip-trained network.

use onebit_bits::{BitTensor, pack_above, pack_thresholds};

use crate::{
    contract::{
        check::{check_cols, check_shape},
        context::Context,
        export::Exporter,
        kept::Kept,
        layer::Layer,
        meter::{Meter, Observation},
        state::State,
        value::{Signal, Value},
    },
    error::Result,
    layers::flip::signals::{check_thresholds, flip2grad},
    numeric::matrix::Matrix,
};

const NAME: &str = "binarize";

/// Compares each feature with `d` thresholds: the first layer of a flip-trained network.
///
/// Forward, `bx -> bdx`: `bit_k = [r > t_k]`, with the same thresholds for all features or separate ones for
/// each. Backward, `bdx -> bx`: [`flip2grad`](crate::flip::flip2grad), divided by its standard deviation over
/// the tensor unless that is 0.
///
/// ```
/// use onebit_bits::{BitTensor, Engine};
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::Binarize,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut binarize = Binarize::new(1, vec![-0.5, 0.5])?;
/// let y = binarize.forward(&cx, Value::Real(Matrix::new(1, 1, vec![0.2])?))?.into_bits("y")?;
/// assert_eq!([y.get(0, 0), y.get(0, 1)], [true, false]);
///
/// // the first bit should become 0: the number should become smaller
/// binarize.receive(&cx, Signal::Flip(BitTensor::from_fn(1, 2, |_, k| k == 0)))?;
/// assert_eq!(binarize.send(&cx)?, Signal::Grad(Matrix::new(1, 1, vec![1.0])?));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Binarize {
    features: usize,
    thresholds: Thresholds,
    bits: Kept<BitTensor>,
    flips: Kept<BitTensor>,
    mean_of_bits: Meter,
    flip_ratio: Meter,
}

enum Thresholds {
    Common(Vec<f32>),
    /// `(d, x)`
    OfEach(Matrix),
}

impl Binarize {
    /// Creates the layer with the same thresholds for every feature, in units of the (standardized) features;
    /// see [`thresholds`](crate::flip::thresholds). Too few thresholds lose the magnitude of a feature; `d`
    /// thresholds cost `d` times the work of one.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) without thresholds, or for one that is not finite.
    pub fn new(features: usize, thresholds: Vec<f32>) -> Result<Self> {
        check_thresholds(&thresholds)?;
        Ok(Self::with(features, Thresholds::Common(thresholds)))
    }

    /// Creates the layer with thresholds for each feature, (d, x), for example its
    /// [`quantiles`](onebit_data::quantiles).
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) without thresholds, or for one that is not finite.
    pub fn of_each(thresholds: Matrix) -> Result<Self> {
        check_thresholds(thresholds.values())?;
        Ok(Self::with(thresholds.cols(), Thresholds::OfEach(thresholds)))
    }

    fn with(features: usize, thresholds: Thresholds) -> Self {
        Self {
            features,
            thresholds,
            bits: Kept::by_forward(NAME),
            flips: Kept::by_receive(NAME),
            mean_of_bits: Meter::default(),
            flip_ratio: Meter::default(),
        }
    }
}

impl Layer for Binarize {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let x = x.into_real(NAME)?; // x: (b, x) real
        check_cols(NAME, self.features, x.cols())?;
        let bits = match &self.thresholds {
            Thresholds::Common(thresholds) => {
                pack_thresholds(&cx.engine, x.rows(), x.cols(), x.values(), thresholds)?
            }
            Thresholds::OfEach(thresholds) => {
                pack_above(&cx.engine, x.rows(), x.cols(), x.values(), thresholds.values())?
            }
        };
        if cx.training() {
            self.mean_of_bits.add(&bits);
        }
        self.bits.set(cx.training().then(|| bits.clone()));
        self.flips.clear();
        Ok(Value::Bits(bits))
    }

    fn receive(&mut self, _cx: &Context, signal: Signal) -> Result<()> {
        let flips = signal.into_flip(NAME)?;
        let bits = self.bits.get("receive")?;
        check_shape(NAME, "a signal", bits.shape(), flips.shape())?;
        self.flip_ratio.add(&flips);
        self.flips.set(flips);
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        let bits = self.bits.get("send")?;
        let flips = self.flips.get("send")?;
        let grad = flip2grad(bits, flips, self.depth())?;
        Ok(Signal::Grad(Matrix::new(bits.rows(), self.features, standardized(&grad))?))
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.mean_of_bits.state("mean_of_bits", state)?;
        self.flip_ratio.state("flip_ratio", state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        match &self.thresholds {
            Thresholds::Common(thresholds) => to.binarize(self.features, thresholds.clone()),
            Thresholds::OfEach(thresholds) => to.thermometer(self.features, thresholds.values().to_vec()),
        }
    }

    fn depth(&self) -> usize {
        match &self.thresholds {
            Thresholds::Common(thresholds) => thresholds.len(),
            Thresholds::OfEach(thresholds) => thresholds.rows(),
        }
    }

    fn observe(&mut self) -> Observation {
        Observation {
            flip_ratio: self.flip_ratio.take(),
            mean_of_bits: self.mean_of_bits.take(),
            ..Observation::default()
        }
    }
}

/// Divides by the standard deviation over the whole tensor, unless it is 0.
fn standardized(grad: &[i32]) -> Vec<f32> {
    let n = grad.len().max(1) as f64;
    let mean = grad.iter().map(|&g| f64::from(g)).sum::<f64>() / n;
    let variance = grad.iter().map(|&g| (f64::from(g) - mean).powi(2)).sum::<f64>() / n;
    let scale = if variance > 0.0 { 1.0 / variance.sqrt() } else { 1.0 };
    grad.iter().map(|&g| (f64::from(g) * scale) as f32).collect()
}
