//! A network that learns: layers in a row.
//!
//! ```
//! use onebit_train::{Network, flip::thresholds};
//!
//! // The report's net for iris: Binarize(3 thresholds), BMAB(4 -> 64), BMA(64 -> 3).
//! let flip = Network::flip(4, &[64], 3, &thresholds(3)?, 0)?;
//! // A net for straight-through training: dense, norm, sign; dense, norm.
//! let straight_through = Network::straight_through(64, &[256], 10, Default::default(), 0)?;
//! assert_eq!(flip.parameters().bits, 3 * (4 * 64 + 64 * 3));
//! assert_eq!(straight_through.parameters().bits, 64 * 256 + 256 * 10);
//! # Ok::<(), onebit_train::Error>(())
//! ```

use onebit_data::{ByteScale, Dataset, Samples, Standardize};
use onebit_model::Model;

use crate::{
    contract::{
        context::Context,
        export::Exporter,
        layer::{Layer, Weights},
        meter::{Observation, Parameters},
        state::State,
        step,
        step::{Order, Watch},
        value::{Signal, Value},
    },
    error::{Error, Result},
};

/// Layers in a row, over a number of real features.
pub struct Network {
    inputs: usize,
    layers: Vec<Box<dyn Layer>>,
}

impl Network {
    /// A network without layers yet.
    pub fn new(inputs: usize) -> Self {
        Self { inputs, layers: Vec::new() }
    }

    /// Adds a layer at the end.
    #[must_use]
    pub fn with(mut self, layer: impl Layer + 'static) -> Self {
        self.push(Box::new(layer));
        self
    }

    pub(crate) fn push(&mut self, layer: Box<dyn Layer>) {
        self.layers.push(layer);
    }

    /// Number of real features that the network takes.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Box<dyn Layer>] {
        &self.layers
    }

    /// All parameters of all layers.
    pub fn parameters(&self) -> Parameters {
        self.layers.iter().map(|layer| layer.parameters()).sum()
    }

    /// The output for a batch.
    ///
    /// # Errors
    /// Those of the layers.
    pub fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        step::forward(&mut self.layers, cx, x)
    }

    /// One step of learning; see [`step`](crate::contract::step::step).
    ///
    /// # Errors
    /// Those of the layers and of `judge`.
    pub fn step<T>(
        &mut self,
        cx: &Context,
        x: Value,
        order: Order,
        rate: f64,
        judge: impl FnOnce(Value) -> Result<(T, Signal)>,
    ) -> Result<T> {
        step::step(&mut self.layers, cx, x, order, rate, judge)
    }

    /// [`step`](Self::step), watched.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn step_watched<T>(
        &mut self,
        cx: &Context,
        x: Value,
        order: Order,
        rate: f64,
        judge: impl FnOnce(Value) -> Result<(T, Signal)>,
        watch: &mut impl Watch,
    ) -> Result<T> {
        step::step_watched(&mut self.layers, cx, x, order, rate, judge, watch)
    }

    /// The state of all layers, named by their index; see [`State`].
    ///
    /// # Errors
    /// Those of `state`.
    pub fn state(&mut self, state: &mut State) -> Result<()> {
        self.layers
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, layer)| state.within(&index.to_string(), |state| layer.state(state)))
    }

    /// Index and name of each layer and part, in the order of [`observe`](Self::observe): `3 residual`, `3 residual.conv`.
    pub fn labels(&self) -> Vec<String> {
        let mut all = Vec::new();
        let each = self.layers.iter().enumerate();
        each.for_each(|(index, layer)| labels(&label(index, layer.name()), &**layer, &mut all));
        all
    }

    /// Index and name of each layer and part that has binary weights, named as by [`labels`](Self::labels), with these.
    pub fn labelled_weights(&self) -> Vec<(String, Weights<'_>)> {
        let mut all = Vec::new();
        let each = self.layers.iter().enumerate();
        each.for_each(|(index, layer)| binary_weights(&label(index, layer.name()), &**layer, &mut all));
        all
    }

    /// Name and measures of each layer since the last call. The parts of a layer follow it, as `layer.part`.
    pub fn observe(&mut self) -> Vec<(String, Observation)> {
        let mut all = Vec::new();
        self.layers.iter_mut().for_each(|layer| observe("", &mut **layer, &mut all));
        all
    }

    /// The network to deploy, with the labels and feature names of `data` and what was done to its
    /// features.
    ///
    /// # Errors
    /// [`Error::Export`](crate::Error::Export) when a layer has no counterpart in the runtime.
    pub fn export(&self, data: &Dataset, standardize: &Standardize) -> Result<Model> {
        let bytes = match (data.samples(), standardize.byte_scale()) {
            (Samples::Bytes { .. }, Some(ByteScale::Centred(scale))) if scale > 0.0 => Some(scale),
            _ => None,
        };
        let mut exporter = Exporter::new(self.inputs, bytes);
        for (index, layer) in self.layers.iter().enumerate() {
            exporter.enter(index, layer.name());
            layer.export(&mut exporter)?;
        }
        let labels = data.label_names().to_vec();
        let model = Model::new(self.inputs, exporter.finish()?, labels)?;
        let (mean, scale) = (standardize.mean().to_vec(), standardize.scale().to_vec());
        // whoever takes bytes takes them as they are
        let model = match model.takes_bytes() {
            true => model,
            false => model.with_standardize(onebit_model::Standardize { mean, scale })?,
        };
        Ok(model.with_features(data.feature_names().to_vec())?.with_columns(data.columns().cloned())?)
    }
}

/// Index and name of a layer, as reports have it.
pub(crate) fn label(index: usize, name: &str) -> String {
    format!("{index} {name}")
}

fn labels(own: &str, layer: &dyn Layer, all: &mut Vec<String>) {
    all.push(own.into());
    layer.parts().into_iter().for_each(|part| labels(&format!("{own}.{}", part.name()), part, all));
}

fn observe(prefix: &str, layer: &mut dyn Layer, all: &mut Vec<(String, Observation)>) {
    let name = format!("{prefix}{}", layer.name());
    all.push((name.clone(), layer.observe()));
    layer.parts_mut().into_iter().for_each(|part| observe(&format!("{name}."), part, all));
}

fn binary_weights<'a>(own: &str, layer: &'a dyn Layer, all: &mut Vec<(String, Weights<'a>)>) {
    all.extend(layer.binary_weights().map(|weights| (own.to_string(), weights)));
    layer.parts().into_iter().for_each(|part| binary_weights(&format!("{own}.{}", part.name()), part, all));
}

/// More weights than this are a mistake; a latent weight and its two moments take 12 bytes.
const MOST_WEIGHTS: usize = 1 << 30;

/// Adds a layer's weights to those before it, and refuses too many before they are allocated.
pub(crate) fn count_weights(sum: &mut usize, inputs: usize, outputs: usize) -> Result<()> {
    *sum = sum.saturating_add(inputs.saturating_mul(outputs));
    if *sum > MOST_WEIGHTS {
        return Err(Error::setting("network.hidden", format!("at most {MOST_WEIGHTS} weights"), *sum));
    }
    Ok(())
}

/// Each layer draws from a stream of its own.
pub(crate) fn layer_seed(seed: u64, index: usize) -> u64 {
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index as u64).wrapping_mul(0xd1b5_4a32_d192_ed03)
}
