//! A trainable network: layers in sequence.

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

/// A trainable network: layers in sequence.
///
/// [`Network::flip`] and [`Network::straight_through`] build the common ones; [`with`](Self::with) adds
/// layers one by one.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{Matrix, Network, Value, layer::Context, layers::{Dense, Sign}, rules::Vote};
///
/// let mut net = Network::new(3).with(Sign::new()).with(Dense::new(3, 2, Box::new(Vote::new()), 1)?);
/// let x = Matrix::new(1, 3, vec![0.5, -2.0, 0.0])?;
/// let y = net.forward(&Context::evaluate(&Engine::single()), Value::Real(x))?.into_real("example")?;
/// assert!(y.values().iter().all(|sum| [-3.0, -1.0, 1.0, 3.0].contains(sum)));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Network {
    inputs: usize,
    layers: Vec<Box<dyn Layer>>,
}

impl Network {
    /// Creates a network of `inputs` real features without layers.
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

    /// Number of real features of the input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Returns the layers, first to last.
    pub fn layers(&self) -> &[Box<dyn Layer>] {
        &self.layers
    }

    /// Counts the parameters of all layers.
    pub fn parameters(&self) -> Parameters {
        self.layers.iter().map(|layer| layer.parameters()).sum()
    }

    /// Computes the output for a batch `x: (b, i)`.
    ///
    /// # Errors
    /// Returns the errors of the layers.
    pub fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        step::forward(&mut self.layers, cx, x)
    }

    /// Trains for one step: computes the output of `x`, calls `loss` on it, and updates the weights in the
    /// given `order`. `loss` returns a result for the caller and the backward signal.
    ///
    /// # Errors
    /// Returns the errors of the layers and of `loss`.
    pub fn step<T>(
        &mut self,
        cx: &Context,
        x: Value,
        order: Order,
        rate: f64,
        loss: impl FnOnce(Value) -> Result<(T, Signal)>,
    ) -> Result<T> {
        step::step(&mut self.layers, cx, x, order, rate, loss)
    }

    /// Trains for one step like [`step`](Self::step), and lets `watch` observe or time every call of a layer.
    ///
    /// # Errors
    /// Returns the errors of the layers and of `loss`.
    pub fn step_watched<T>(
        &mut self,
        cx: &Context,
        x: Value,
        order: Order,
        rate: f64,
        loss: impl FnOnce(Value) -> Result<(T, Signal)>,
        watch: &mut impl Watch,
    ) -> Result<T> {
        step::step_watched(&mut self.layers, cx, x, order, rate, loss, watch)
    }

    /// Visits the state of all layers; names start with the index of the layer. See [`State`].
    ///
    /// # Errors
    /// Returns the errors of `state`.
    pub fn state(&mut self, state: &mut State) -> Result<()> {
        self.layers
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, layer)| state.within(&index.to_string(), |state| layer.state(state)))
    }

    /// Returns index and name of each layer and its parts, such as `3 residual` and `3 residual.conv`, in the
    /// order of [`observe`](Self::observe).
    pub fn labels(&self) -> Vec<String> {
        let mut all = Vec::new();
        let each = self.layers.iter().enumerate();
        each.for_each(|(index, layer)| labels(&label(index, layer.name()), &**layer, &mut all));
        all
    }

    /// Returns the binary weights of each layer and part that has some, with its [label](Self::labels).
    pub fn labelled_weights(&self) -> Vec<(String, Weights<'_>)> {
        let mut all = Vec::new();
        let each = self.layers.iter().enumerate();
        each.for_each(|(index, layer)| binary_weights(&label(index, layer.name()), &**layer, &mut all));
        all
    }

    /// Returns name and measures of each layer since the last call. The parts of a layer follow it as
    /// `layer.part`.
    pub fn observe(&mut self) -> Vec<(String, Observation)> {
        let mut all = Vec::new();
        self.layers.iter_mut().for_each(|layer| observe("", &mut **layer, &mut all));
        all
    }

    /// Exports the network as a model to deploy, with the labels and feature names of `data` and the
    /// standardization of its features.
    ///
    /// # Errors
    /// [`Error::Export`] when a layer has no counterpart in the runtime.
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
        // a model of bytes takes them without standardization
        let model = if model.takes_bytes() {
            model
        } else {
            model.with_standardize(onebit_model::Standardize { mean, scale })?
        };
        Ok(model.with_features(data.feature_names().to_vec())?.with_columns(data.columns().cloned())?)
    }
}

/// Returns the label of a layer in reports: its index and name.
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

/// Maximum number of weights; a latent weight and its two moments take 12 bytes.
const MOST_WEIGHTS: usize = 1 << 30;

/// Adds the weights of a layer to `sum`; refuses too many before they are allocated.
pub(crate) fn count_weights(sum: &mut usize, inputs: usize, outputs: usize) -> Result<()> {
    *sum = sum.saturating_add(inputs.saturating_mul(outputs));
    if *sum > MOST_WEIGHTS {
        return Err(Error::setting("network.hidden", format!("at most {MOST_WEIGHTS} weights"), *sum));
    }
    Ok(())
}

/// Returns the seed of a layer; each layer has a separate stream of random numbers.
pub(crate) fn layer_seed(seed: u64, index: usize) -> u64 {
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index as u64).wrapping_mul(0xd1b5_4a32_d192_ed03)
}
