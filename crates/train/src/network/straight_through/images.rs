//! The convolutional stages of a straight-through network.

use onebit_bits::{Geometry, Images, Pad, Padding};
use onebit_data::ImageShape;

use crate::{
    contract::layer::Layer,
    error::{Error, Result},
    layers::{Conv, Flatten, GlobalAveragePool, MaxPool, RealConv, Residual, Shortcut, Unflatten},
    network::{
        sequential::count_weights,
        stages::Stage,
        straight_through::{builder::Builder, options::Border},
    },
};

impl Builder<'_> {
    /// Adds the convolutional stages; returns the number of features after them.
    pub(crate) fn stages(&mut self, inputs: usize) -> Result<usize> {
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
        let mut channels = channels;
        let mut seed = 0;
        let mut real = false; // whether the current values are real numbers, not bits
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
                    // shortcuts and the average take real numbers
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

    /// Creates a convolution; returns it with the size of its output and its seed.
    fn new_conv(
        &mut self,
        at: Images,
        channels: usize,
        (outputs, kernel, stride): (usize, usize, usize),
    ) -> Result<(Box<dyn Layer>, Images, u64)> {
        let geometry = geometry(self.options.border, channels, outputs, kernel, stride);
        count_weights(&mut self.weights, geometry.patch()?, outputs)?;
        let seed = self.next_seed();
        let size = geometry.output(at)?;
        let layer: Box<dyn Layer> = if self.is_real(false) {
            let optimizer = self.options.real_optimizer.build()?;
            Box::new(RealConv::new(geometry, (at.h, at.w), optimizer, seed)?)
        } else {
            let conv = Conv::new(geometry, (at.h, at.w), self.rule()?, seed)?;
            Box::new(conv.with_precision(self.options.gradient))
        };
        Ok((layer, size, seed))
    }

    /// Adds activation, convolution and norm with a shortcut around them, as in Bi-Real Net
    /// (arXiv:1808.00278).
    fn residual(&mut self, at: Images, channels: usize, outputs: usize, stride: usize) -> Result<Images> {
        let (conv, size, seed) = self.new_conv(at, channels, (outputs, 3, stride))?;
        let body = vec![self.new_activation(channels, seed)?, conv, self.new_norm(outputs, false)?];
        let same = (size.h, size.w, outputs) == (at.h, at.w, channels);
        let shortcut = if same {
            Shortcut::Identity
        } else {
            Shortcut::Subsample { image: (at.h, at.w), stride, channels_out: outputs }
        };
        self.add(Residual::new(body, shortcut)?);
        Ok(size)
    }
}

/// The geometry of a convolution with square kernels.
fn geometry(border: Border, c_in: usize, c_out: usize, kernel: usize, stride: usize) -> Geometry {
    let (before, after) = ((kernel - 1) / 2, kernel / 2);
    let same = Padding { top: before, left: before, bottom: after, right: after };
    let (padding, pad) = match border {
        Border::Zero => (same, Pad::Zero),
        Border::Plus => (same, Pad::Plus),
        Border::Minus => (same, Pad::Minus),
        Border::Valid => (Padding::default(), Pad::Zero),
    };
    Geometry { padding, pad, stride: (stride, stride), ..Geometry::new(c_in, c_out, (kernel, kernel)) }
}
