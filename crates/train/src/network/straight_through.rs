//! From options to a network for straight-through training.
//!
//! First the features may become bits: their signs, or a thermometer of each.
//! Blocks: product, [max-pooling], norm, activation, [dropout]; the last product has only a norm. Where there are
//! stages of images, they come first, and their features go on into the dense layers, in the order row, column, channel.

use onebit_bits::{Geometry, Images, Pad, Padding};
use onebit_data::ImageShape;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{layer::Layer, rounding::Precision, rule::Rule},
    error::{Error, Result},
    layers::{
        BatchNorm, Conv, Dense, Dropout, Estimator, Flatten, GlobalAveragePool, Heads, LocalHead, MaxPool,
        RSign, RealConv, RealDense, Relu, Residual, ShiftBatchNorm, Shortcut, Sign, StochasticSign,
        TernarySign, Thermometer, Threshold, Unflatten,
    },
    losses::IntegerSoftmax,
    network::{
        sequential::{Network, count_weights, layer_seed},
        stages::{Architecture, Stage},
    },
    numeric::matrix::Matrix,
    optimizers::OptimizerConfig,
    rules::RuleConfig,
};

/// Shares of inputs and of hidden bits that dropout silences; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DropoutShares {
    /// Of the features.
    pub input: f64,
    /// Of the bits after each hidden layer.
    pub hidden: f64,
}

/// How convolutions treat the border of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Border {
    /// The output is as large as the input (divided by the stride), and what lies around an image of bits counts nothing.
    Zero,
    /// The same, but it counts +1: a network that is as good and faster.
    #[default]
    Plus,
    /// The same, but it counts -1.
    Minus,
    /// No padding: the output is smaller by the kernel.
    Valid,
}

/// What stands between a product and its activation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// [`BatchNorm`].
    #[default]
    Batch,
    /// [`ShiftBatchNorm`].
    ShiftBased,
    /// [`Threshold`]: integers in place of real parameters.
    Threshold,
}

/// What turns normalized sums into bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// [`Sign`].
    #[default]
    Sign,
    /// [`StochasticSign`].
    StochasticSign,
    /// [`TernarySign`]: bits and zeros.
    TernarySign,
    /// [`RSign`]: a sign with a threshold of each channel that learns.
    #[serde(rename = "rsign")]
    RSign,
}

/// What a straight-through network is made of, besides its sizes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StraightThroughOptions {
    /// Stages of images before the dense layers; none by default.
    pub convolutions: Architecture,
    /// What the features are an image of; needed where there are such stages.
    pub image: Option<ImageShape>,
    /// Whether features become their signs first.
    pub binary_input: bool,
    /// Whether they become bits of a [`Thermometer`] first, by thresholds `(d, x)` of each feature or, of images, of each
    /// channel.
    pub thermometer: Option<Matrix>,
    /// How they treat the border.
    pub border: Border,
    /// Shares of inputs and hidden bits to silence.
    pub dropout: DropoutShares,
    /// What follows a product.
    pub norm: Norm,
    /// What turns its sums into bits.
    pub activation: Activation,
    /// The derivative of that on the way back; of its own choice unless given.
    pub estimator: Option<Estimator>,
    /// What gradients are rounded to before they meet bits.
    pub gradient: Precision,
    /// Which weights flip.
    pub rule: RuleConfig,
    /// What moves the rule's real weights.
    pub optimizer: OptimizerConfig,
    /// What moves all other real parameters.
    pub real_optimizer: OptimizerConfig,
    /// Which products have real weights.
    pub real: RealWeights,
    /// Classifiers of their own behind the hidden layers but the last, judged by the integer softmax.
    pub heads: Option<Heads>,
}

/// Which products have real weights in place of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RealWeights {
    /// The first one.
    pub first: bool,
    /// The last one, which gives the scores.
    pub last: bool,
    /// All, with rectified sums in place of bits between them: the float twin of the network.
    pub all: bool,
}

impl Network {
    /// A net for straight-through training: dense, batch norm and sign for each hidden width, then dense
    /// and batch norm; latent weights under Adam, as the MNIST network of arXiv:1602.02830.
    ///
    /// # Errors
    /// [`Error::Setting`] for a size of 0 or a dropout share outside `[0, 1)`.
    pub fn straight_through(
        inputs: usize,
        hidden: &[usize],
        classes: usize,
        dropout: DropoutShares,
        seed: u64,
    ) -> Result<Self> {
        let options = StraightThroughOptions { dropout, ..StraightThroughOptions::default() };
        Self::straight_through_with(inputs, hidden, classes, &options, seed)
    }

    /// As [`straight_through`](Self::straight_through), with every option spelled out.
    ///
    /// # Errors
    /// As [`straight_through`](Self::straight_through), for stages that do not fit the image, and as [`Thermometer::new`].
    pub fn straight_through_with(
        inputs: usize,
        hidden: &[usize],
        classes: usize,
        options: &StraightThroughOptions,
        seed: u64,
    ) -> Result<Self> {
        let mut builder = Builder { net: Network::new(inputs), options, seed, products: 0, weights: 0 };
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

/// Thresholds `(d, x)` of each feature: of images every pixel has those of its channels.
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

/// A network in the making.
struct Builder<'a> {
    net: Network,
    options: &'a StraightThroughOptions,
    seed: u64,
    products: usize,
    weights: usize,
}

impl Builder<'_> {
    fn add(&mut self, layer: impl Layer + 'static) {
        self.net.push(Box::new(layer));
    }

    /// The seed of the next product.
    fn next_seed(&mut self) -> u64 {
        self.products += 1;
        layer_seed(self.seed, self.products - 1)
    }

    fn rule(&self) -> Result<Box<dyn Rule>> {
        self.options.rule.build(&self.options.optimizer)
    }

    /// Whether the product that has this seed's turn has real weights.
    fn is_real(&self, last: bool) -> bool {
        let RealWeights { first, last: the_last, all } = self.options.real;
        all || (first && self.products == 1) || (the_last && last)
    }

    /// Returns the layer's seed.
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

    /// A classifier of that many features.
    fn head(&mut self, features: usize, classes: usize, heads: Heads, seed: u64) -> Result<()> {
        count_weights(&mut self.weights, features, classes)?;
        let dense = self.binary_dense(features, classes, seed)?;
        let norm = Threshold::new(classes, seed).with_gains();
        self.add(LocalHead::new(dense, norm, Box::new(IntegerSoftmax::default()), heads));
        Ok(())
    }

    fn norm(&mut self, features: usize, last: bool) -> Result<()> {
        let norm = self.new_norm(features, last)?;
        self.net.push(norm);
        Ok(())
    }

    fn new_norm(&self, features: usize, last: bool) -> Result<Box<dyn Layer>> {
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

    fn activation(&mut self, channels: usize, seed: u64) -> Result<()> {
        let activation = self.new_activation(channels, seed)?;
        self.net.push(activation);
        Ok(())
    }

    /// For that many channels; a product beside it has this seed.
    fn new_activation(&self, channels: usize, seed: u64) -> Result<Box<dyn Layer>> {
        let StraightThroughOptions { activation, estimator, .. } = *self.options;
        if self.options.real.all {
            return Ok(Box::new(Relu::new()));
        }
        if let (Activation::StochasticSign | Activation::TernarySign, Some(_)) = (activation, estimator) {
            let expected = "nothing: this activation has one of its own";
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

    /// A thermometer of the features where no stages of images follow; returns the number of its bits.
    fn dense_thermometer(&mut self, inputs: usize) -> Result<usize> {
        let StraightThroughOptions { thermometer, binary_input, image, .. } = self.options;
        let Some(thresholds) = thermometer else { return Ok(inputs) };
        if *binary_input {
            let expected = "nothing beside network.binary_input";
            return Err(Error::setting("network.thermometer", expected, "thresholds"));
        }
        if !self.options.convolutions.stages().is_empty() {
            return Ok(inputs); // it stands among them
        }
        self.thermometer(of_each_feature(thresholds, inputs, *image)?, inputs)
    }

    /// Of so many features or channels; returns the number of bits.
    fn thermometer(&mut self, thresholds: Matrix, features: usize) -> Result<usize> {
        if thresholds.cols() != features {
            let expected = format!("thresholds of {features} features");
            return Err(Error::setting("network.thermometer", expected, format!("of {}", thresholds.cols())));
        }
        let bits = thresholds.values().len();
        self.add(Thermometer::new(thresholds)?);
        Ok(bits)
    }

    /// The stages of images; returns the number of features that they leave.
    fn stages(&mut self, inputs: usize) -> Result<usize> {
        let stages = self.options.convolutions.stages();
        if stages.is_empty() {
            return Ok(inputs);
        }
        let Some(ImageShape { height, width, channels }) = self.options.image else {
            return Err(Error::setting(
                "network.convolutions",
                "data whose samples are images",
                "other data",
            ));
        };
        let mut at = Images { b: 1, h: height, w: width };
        let (mut channels, mut seed, mut real) = (channels, 0, false);
        self.add(Unflatten::new(height * width));
        if let Some(thresholds) = &self.options.thermometer {
            if self.options.dropout.input != 0.0 {
                let expected = "0 with a thermometer before convolutions";
                return Err(Error::setting("network.dropout_input", expected, self.options.dropout.input));
            }
            channels = self.thermometer(thresholds.clone(), channels)?;
        }
        for (index, stage) in stages.iter().enumerate() {
            match *stage {
                Stage::Conv { channels: outputs, kernel, stride, pool } => {
                    if real {
                        self.activation(channels, seed)?;
                    }
                    let (conv, size);
                    (conv, size, seed) = self.new_conv(at, channels, (outputs, kernel, stride))?;
                    self.net.push(conv);
                    at = size;
                    if let Some(pool) = pool {
                        self.add(MaxPool::new(pool, (at.h, at.w))?);
                        at = pool.output(at)?;
                    }
                    self.norm(outputs, false)?;
                    channels = outputs;
                    // a shortcut carries real numbers
                    real = matches!(
                        stages.get(index + 1),
                        Some(Stage::Residual { .. } | Stage::GlobalAveragePool)
                    );
                    if !real {
                        self.activation(channels, seed)?;
                    }
                }
                Stage::Residual { channels: outputs, stride } => {
                    at = self.residual(at, channels, outputs, stride)?;
                    at = self.residual(at, outputs, outputs, 1)?;
                    (channels, real) = (outputs, true);
                }
                Stage::GlobalAveragePool => {
                    self.add(GlobalAveragePool::new(at.h * at.w)?);
                    return Ok(channels);
                }
            }
        }
        if real {
            self.activation(channels, seed)?;
        }
        self.add(Flatten::new(at.h * at.w));
        Ok(at.h * at.w * channels)
    }

    /// A convolution, the size of its output, and its seed.
    fn new_conv(
        &mut self,
        at: Images,
        channels: usize,
        (outputs, kernel, stride): (usize, usize, usize),
    ) -> Result<(Box<dyn Layer>, Images, u64)> {
        let geometry = geometry(self.options.border, channels, outputs, kernel, stride);
        count_weights(&mut self.weights, geometry.patch()?, outputs)?;
        let (seed, size) = (self.next_seed(), geometry.output(at)?);
        let layer: Box<dyn Layer> = if self.is_real(false) {
            let optimizer = self.options.real_optimizer.build()?;
            Box::new(RealConv::new(geometry, (at.h, at.w), optimizer, seed)?)
        } else {
            let conv = Conv::new(geometry, (at.h, at.w), self.rule()?, seed)?;
            Box::new(conv.with_precision(self.options.gradient))
        };
        Ok((layer, size, seed))
    }

    /// Activation, convolution and norm with a shortcut around them, as in Bi-Real Net (arXiv:1808.00278).
    fn residual(&mut self, at: Images, channels: usize, outputs: usize, stride: usize) -> Result<Images> {
        let (conv, size, seed) = self.new_conv(at, channels, (outputs, 3, stride))?;
        let body = vec![self.new_activation(channels, seed)?, conv, self.new_norm(outputs, false)?];
        let same = (size.h, size.w, outputs) == (at.h, at.w, channels);
        let shortcut = match same {
            true => Shortcut::Identity,
            false => Shortcut::Subsample { image: (at.h, at.w), stride, channels_out: outputs },
        };
        self.add(Residual::new(body, shortcut)?);
        Ok(size)
    }
}

fn geometry(border: Border, c_in: usize, c_out: usize, kernel: usize, stride: usize) -> Geometry {
    let (before, behind) = ((kernel - 1) / 2, kernel / 2);
    let same = Padding { top: before, left: before, bottom: behind, right: behind };
    let (padding, pad) = match border {
        Border::Zero => (same, Pad::Zero),
        Border::Plus => (same, Pad::Plus),
        Border::Minus => (same, Pad::Minus),
        Border::Valid => (Padding::default(), Pad::Zero),
    };
    Geometry { padding, pad, stride: (stride, stride), ..Geometry::new(c_in, c_out, (kernel, kernel)) }
}
