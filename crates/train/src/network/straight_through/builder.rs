//! Builds a network for straight-through training.
//!
//! The features may first become bits: their signs, or a thermometer code of each.
//! A hidden block is product, [max-pooling], norm, activation, [dropout]; the last product has only a norm.
//! Convolutional stages come first. Their output enters the dense layers in the order row, column, channel.

use onebit_data::ImageShape;

use crate::{
    contract::{layer::Layer, rule::Rule},
    error::{Error, Result},
    layers::{
        BatchNorm, Dense, Dropout, Heads, LocalHead, RSign, RealDense, Relu, ShiftBatchNorm, Sign,
        StochasticSign, TernarySign, Thermometer, Threshold,
    },
    losses::IntegerSoftmax,
    network::{
        sequential::{Network, count_weights, layer_seed},
        straight_through::options::{Activation, Norm, RealWeights, StraightThroughOptions},
    },
    numeric::matrix::Matrix,
};

impl Network {
    /// Builds a network for straight-through training or integer flip backprop: product, norm and activation
    /// for each hidden width, then product and norm. The default options are the MNIST network of
    /// arXiv:1602.02830: dense layers, batch norm, latent weights under Adam. The initial weights are drawn
    /// from `seed`.
    ///
    /// ```
    /// use onebit_train::{Network, StraightThroughOptions};
    ///
    /// let options = StraightThroughOptions::default();
    /// let net = Network::straight_through(64, &[256], 10, &options, 0)?;
    /// let names: Vec<_> = net.layers().iter().map(|layer| layer.name()).collect();
    /// assert_eq!(names, ["dense", "batch_norm", "sign", "dense", "batch_norm"]);
    /// assert_eq!(net.parameters().bits, 64 * 256 + 256 * 10);
    /// # Ok::<(), onebit_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for a size of 0, a dropout share outside `[0, 1)`, more than 2^30 weights,
    /// thresholds that do not fit the features, convolutions of data that are no images, or stages that do
    /// not fit the image; the errors of [`Thermometer::new`].
    pub fn straight_through(
        inputs: usize,
        hidden: &[usize],
        classes: usize,
        options: &StraightThroughOptions,
        seed: u64,
    ) -> Result<Self> {
        let mut builder = Builder { net: Network::new(inputs), options, weights: 0, seed, products: 0 };
        if options.binary_input {
            builder.add(Sign::new());
        }
        let inputs = builder.dense_thermometer(inputs)?;
        if options.dropout.input != 0.0 {
            builder.add(Dropout::new(options.dropout.input, layer_seed(seed, usize::MAX))?);
        }
        let mut width = builder.stages(inputs)?;
        for (index, &outputs) in hidden.iter().enumerate() {
            let seed = builder.dense(width, outputs, false)?;
            builder.norm(outputs, false)?;
            builder.activation(outputs, seed)?;
            if let (Some(heads), true) = (options.heads, index + 1 < hidden.len()) {
                builder.head(outputs, classes, heads, !layer_seed(seed, 1))?;
            }
            if options.dropout.hidden != 0.0 {
                builder.add(Dropout::new(options.dropout.hidden, !seed)?);
            }
            width = outputs;
        }
        builder.dense(width, classes, true)?;
        builder.norm(classes, true)?;
        Ok(builder.net)
    }
}

/// Expands thresholds of each channel to thresholds `(d, x)` of each feature; every pixel has those of its
/// channels.
pub(crate) fn of_each_feature(
    thresholds: &Matrix,
    inputs: usize,
    image: Option<ImageShape>,
) -> Result<Matrix> {
    let pixels = match image {
        Some(image) if image.channels == thresholds.cols() => inputs / image.channels.max(1),
        _ => 1,
    };
    let rows = thresholds.iter_rows().map(|row| row.repeat(pixels));
    Matrix::new(thresholds.rows(), thresholds.cols() * pixels, rows.flatten().collect())
}

/// A network under construction.
pub(crate) struct Builder<'a> {
    pub(crate) net: Network,
    pub(crate) options: &'a StraightThroughOptions,
    pub(crate) weights: usize,
    seed: u64,
    products: usize,
}

impl Builder<'_> {
    pub(crate) fn add(&mut self, layer: impl Layer + 'static) {
        self.net.push(Box::new(layer));
    }

    /// Returns the seed of the next product.
    pub(crate) fn next_seed(&mut self) -> u64 {
        self.products += 1;
        layer_seed(self.seed, self.products - 1)
    }

    pub(crate) fn rule(&self) -> Result<Box<dyn Rule>> {
        self.options.rule.build(&self.options.optimizer)
    }

    /// Whether the current product has real weights.
    pub(crate) fn is_real(&self, last: bool) -> bool {
        let real: RealWeights = self.options.real;
        real.all || (real.first && self.products == 1) || (real.last && last)
    }

    /// Adds a dense product and returns its seed.
    fn dense(&mut self, inputs: usize, outputs: usize, last: bool) -> Result<u64> {
        count_weights(&mut self.weights, inputs, outputs)?;
        let seed = self.next_seed();
        if self.is_real(last) {
            self.add(RealDense::new(inputs, outputs, self.options.real_optimizer.build()?, seed)?);
        } else {
            let dense = self.binary_dense(inputs, outputs, seed)?;
            self.add(dense);
        }
        Ok(seed)
    }

    fn binary_dense(&self, inputs: usize, outputs: usize, seed: u64) -> Result<Dense> {
        Ok(Dense::new(inputs, outputs, self.rule()?, seed)?.with_precision(self.options.gradient))
    }

    /// Adds a local classifier of `features` bits.
    fn head(&mut self, features: usize, classes: usize, heads: Heads, seed: u64) -> Result<()> {
        count_weights(&mut self.weights, features, classes)?;
        let dense = self.binary_dense(features, classes, seed)?;
        let norm = Threshold::new(classes, seed).with_gains();
        self.add(LocalHead::new(dense, norm, Box::new(IntegerSoftmax::default()), heads));
        Ok(())
    }

    pub(crate) fn norm(&mut self, features: usize, last: bool) -> Result<()> {
        let norm = self.new_norm(features, last)?;
        self.net.push(norm);
        Ok(())
    }

    pub(crate) fn new_norm(&self, features: usize, last: bool) -> Result<Box<dyn Layer>> {
        let optimizer = &self.options.real_optimizer;
        Ok(match self.options.norm {
            Norm::Batch => Box::new(BatchNorm::new(features).with_optimizer(optimizer)?),
            Norm::Threshold => {
                let threshold = Threshold::new(features, layer_seed(!self.seed, self.products));
                Box::new(if last { threshold.with_gains() } else { threshold })
            }
            Norm::ShiftBased => Box::new(ShiftBatchNorm::new(features).with_optimizer(optimizer)?),
        })
    }

    pub(crate) fn activation(&mut self, channels: usize, seed: u64) -> Result<()> {
        let activation = self.new_activation(channels, seed)?;
        self.net.push(activation);
        Ok(())
    }

    /// Creates the activation of `channels` channels; `seed` is that of its product.
    pub(crate) fn new_activation(&self, channels: usize, seed: u64) -> Result<Box<dyn Layer>> {
        let StraightThroughOptions { activation, estimator, .. } = *self.options;
        if self.options.real.all {
            return Ok(Box::new(Relu::new()));
        }
        if let (Activation::StochasticSign | Activation::TernarySign, Some(_)) = (activation, estimator) {
            let expected = "nothing: this activation has a fixed one";
            return Err(Error::setting("network.estimator", expected, "one"));
        }
        Ok(match activation {
            Activation::Sign => Box::new(Sign::with_estimator(estimator.unwrap_or_default())?),
            Activation::StochasticSign => Box::new(StochasticSign::new(!seed)),
            Activation::TernarySign => Box::new(TernarySign::new(TernarySign::THRESHOLD)?),
            Activation::RSign => {
                let sign = RSign::new(channels);
                Box::new(match estimator {
                    Some(estimator) => sign.with_estimator(estimator)?,
                    None => sign,
                })
            }
        })
    }

    /// Adds a thermometer of the features, unless convolutions follow; returns the number of values after it.
    fn dense_thermometer(&mut self, inputs: usize) -> Result<usize> {
        let StraightThroughOptions { thermometer, binary_input, image, .. } = self.options;
        let Some(thresholds) = thermometer else { return Ok(inputs) };
        if *binary_input {
            let expected = "no thermometer together with network.binary_input";
            return Err(Error::setting("network.thermometer", expected, "thresholds"));
        }
        if !self.options.convolutions.stages().is_empty() {
            return Ok(inputs); // `stages` adds it for the channels
        }
        self.thermometer(of_each_feature(thresholds, inputs, *image)?, inputs)
    }

    /// Adds a thermometer of `features` features or channels; returns the number of bits.
    pub(crate) fn thermometer(&mut self, thresholds: Matrix, features: usize) -> Result<usize> {
        if thresholds.cols() != features {
            let expected = format!("thresholds of {features} features");
            return Err(Error::setting("network.thermometer", expected, format!("of {}", thresholds.cols())));
        }
        let bits = thresholds.values().len();
        self.add(Thermometer::new(thresholds)?);
        Ok(bits)
    }
}
