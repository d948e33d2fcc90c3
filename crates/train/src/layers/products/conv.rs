//! The binary convolution of straight-through training (arXiv:1602.02830).
//!
//! Forward: `y_p = sum_(tap, i) x_(p + tap)i w_o(tap)i`, x `(b h w, c_in)` real or bits, one row a pixel, w
//! `(c_out, kh kw c_in / groups)` bits, y `(b h' w', c_out)` real. Backward: `dx` and `dw` are the transposes
//! of that sum, `dw` with respect to the *binary* weight. The layer has no bias, because a norm follows.
//!
//! The border of an image of bits is +1, -1 or not counted, as [`Pad`](onebit_bits::Pad) says. The border of
//! a real image is 0.
//!
//! Patches of real pixels are gathered into a matrix, and the convolution becomes a product: only the input
//! of the network is real, and it has few channels. Bits are convolved in place.

use onebit_bits::{BitTensor, ConvTransposed, ConvWeights, Geometry, Images, Isa, Noise, convolve, product};

use crate::{
    contract::{
        check::{check_cols, check_shape, kept},
        context::Context,
        export::Exporter,
        layer::{Layer, Weights},
        meter::{Observation, Parameters},
        rounding::{self, Precision, Rounding},
        rule::Rule,
        state::State,
        value::{ByteScale, Signal, Value},
        weight_gradient,
        weight_gradient::{Operand, WeightGradient},
    },
    error::{Error, Result},
    layers::products::{patches, scaling},
    numeric::matrix::Matrix,
    rules::binary_tensor::BinaryTensor,
};

/// A convolution with binary weights, of real or binary pixels, with real sums.
pub struct Conv {
    geometry: Geometry,
    image: (usize, usize), // h, w of the input
    batch: Images,         // of the last forward pass
    weights: BinaryTensor, // (c_out, kh kw c_in / groups)
    packed: Packed,
    x: Option<Input>,
    dy: Option<Matrix>, // (b h' w', c_out)
    precision: Precision,
    seed: u64,
    step: u64,
    rounded: rounding::Memory, // (b h' w', c_out), kept from step to step only to be written again
    memory: weight_gradient::Memory,
}

/// The input of the last forward pass.
enum Input {
    /// (b h w, c_in)
    Bits(BitTensor),
    /// (b h' w', kh kw c_in), the patches of real pixels.
    Patches(Matrix),
}

/// The packed weights, with the version and the instruction set that they were packed for.
#[derive(Default)]
struct Packed {
    forward: Option<(Made, ConvWeights)>,
    backward: Option<(Made, ConvTransposed)>,
}

/// The version of the weights, and the instruction set.
type Made = (u64, Isa);

impl Conv {
    /// Creates a convolution of images of `image.0` rows of `image.1` pixels. `rule` starts and flips the
    /// weights.
    ///
    /// # Errors
    /// [`Error::Bits`] when the kernel does not fit the image or groups do not divide the channels.
    pub fn new(
        geometry: Geometry,
        image: (usize, usize),
        mut rule: Box<dyn Rule>,
        seed: u64,
    ) -> Result<Self> {
        geometry.output(Images { b: 1, h: image.0, w: image.1 })?;
        if geometry.c_in == 0 || geometry.c_out == 0 {
            return Err(Error::setting("conv channels", "at least 1", 0));
        }
        rule.set_taps(geometry.kernel.0 * geometry.kernel.1);
        let weights = BinaryTensor::new(geometry.c_out, geometry.patch()?, rule, seed)?;
        let (packed, x, dy, precision, step, rounded, memory) = Default::default();
        let batch = Images { b: 0, h: image.0, w: image.1 };
        Ok(Self { geometry, image, batch, weights, packed, x, dy, precision, seed, step, rounded, memory })
    }

    /// Rounds gradients before they are multiplied by bits. Convolutions have no product in bf16 and use f32.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// The weights, `(c_out, kh kw c_in / groups)` bits.
    pub fn weights(&self) -> &BitTensor {
        self.weights.bits()
    }

    /// The rule that flips the weights.
    pub fn rule(&self) -> &dyn Rule {
        self.weights.rule()
    }

    /// `dL/dw`, `(c_out, kh kw c_in / groups)`, of the signal received.
    ///
    /// # Errors
    /// [`Error::Sequence`] if no signal was received.
    pub fn weight_gradient(&self, cx: &Context) -> Result<Matrix> {
        let x = operand(&self.x, self.geometry, self.batch)?;
        let dy = kept(&self.dy, "conv", "update", "signal")?;
        WeightGradient::new(dy, x, self.rounding(1), &mut weight_gradient::Memory::default()).matrix(cx)
    }

    /// The number of output pixels.
    fn output(&self) -> Result<usize> {
        let output = self.geometry.output(self.batch)?;
        Ok(output.b * output.h * output.w)
    }

    /// The first or second rounding of a step.
    fn rounding(&self, which: u64) -> Rounding {
        let step = self.step.wrapping_mul(2) + which;
        self.precision.rounding(Noise { seed: self.seed, step })
    }
}

/// Packs the weights anew if they changed, or if the instruction set did.
fn fresh<T>(
    slot: &mut Option<(Made, T)>,
    now: Made,
    pack: impl FnOnce() -> onebit_bits::Result<T>,
    repack: impl FnOnce(&mut T) -> onebit_bits::Result<()>,
) -> Result<&T> {
    match slot {
        Some((old, packed)) if *old != now => {
            repack(packed)?;
            *old = now;
        }
        Some(_) => {}
        None => *slot = Some((now, pack()?)),
    }
    Ok(&slot.as_ref().expect("it is there by now").1)
}

/// Pixels as real numbers, with a factor. In evaluation, centred bytes become the integers `2 byte - 255`, so
/// that their sums are exact, as in the deployed network.
fn pixels(cx: &Context, x: Value) -> Result<(Matrix, Option<f32>)> {
    let Value::Bytes(bytes) = x else { return Ok((x.into_pooled_real(cx, "conv")?, None)) };
    let scale = match bytes.byte_scale() {
        ByteScale::Centred(scale) if !cx.training() => scale / 2.0,
        _ => return Ok((Value::Bytes(bytes).into_pooled_real(cx, "conv")?, None)),
    };
    let mut x = cx.matrix(bytes.rows(), bytes.cols());
    x.values_mut().iter_mut().zip(bytes.values()).for_each(|(x, byte)| *x = 2.0 * f32::from(*byte) - 255.0);
    cx.recycle([bytes]);
    Ok((x, Some(scale)))
}

/// The operand of the weights in the last forward pass.
fn operand(x: &Option<Input>, geometry: Geometry, images: Images) -> Result<Operand<'_>> {
    Ok(match kept(x, "conv", "update", "forward pass")? {
        Input::Bits(x) => Operand::Walked(x, geometry, images),
        Input::Patches(x) => Operand::Patches(x),
    })
}

fn recycle(cx: &Context, x: Option<Input>) {
    match x {
        Some(Input::Bits(x)) => cx.recycle([x]),
        Some(Input::Patches(x)) => cx.recycle([x]),
        None => {}
    }
}

impl Layer for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        check_cols("conv", self.geometry.c_in, x.cols())?;
        let (h, w) = self.image;
        let images = Images { b: x.rows() / (h * w).max(1), h, w };
        if images.b * h * w != x.rows() {
            return Err(Error::shape(
                "conv",
                format!("whole images of {h} x {w} pixels"),
                format!("{} pixels", x.rows()),
            ));
        }
        self.batch = images;
        let (engine, geometry) = (&cx.engine, self.geometry);
        let mut y = cx.matrix(self.output()?, geometry.c_out);
        let x = match x {
            Value::Bits(x) => {
                let (bits, now) = (self.weights.bits().view(), (self.weights.version(), engine.isa()));
                let weights = fresh(
                    &mut self.packed.forward,
                    now,
                    || ConvWeights::pack(engine, geometry, bits),
                    |packed| packed.repack(engine, bits),
                )?;
                convolve(engine, x.view(), images, weights, y.values_mut())?;
                Input::Bits(x)
            }
            x => {
                if geometry.groups > 1 {
                    return Err(Error::setting("conv groups", "1 where pixels are real", geometry.groups));
                }
                let (x, scale) = pixels(cx, x)?;
                let patches = patches::gather(cx, &geometry, images, &x)?;
                cx.recycle([x]);
                let weights = self.weights.rows_for_reals(engine);
                product(engine, patches.values(), weights, y.values_mut())?;
                scaling::multiply(cx, &mut y, scale.map(|scale| vec![scale; geometry.c_out]).as_deref())?;
                Input::Patches(patches)
            }
        };
        scaling::multiply(cx, &mut y, self.weights.rule().scales())?;
        recycle(cx, self.x.replace(x));
        cx.recycle(self.dy.take());
        if !cx.training() {
            recycle(cx, self.x.take());
        }
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad("conv")?;
        kept(&self.x, "conv", "receive", "forward pass")?;
        check_shape("conv", "a gradient", (self.output()?, self.geometry.c_out), dy.shape())?;
        self.step += 1;
        cx.recycle(self.dy.replace(dy));
        Ok(())
    }

    fn send(&mut self, cx: &Context) -> Result<Signal> {
        let rounding = self.rounding(0);
        let x = kept(&self.x, "conv", "send", "forward pass")?;
        let dy = kept(&self.dy, "conv", "send", "signal")?;
        let (engine, geometry, images) = (&cx.engine, self.geometry, self.batch);
        let mut dx = cx.matrix(images.b * images.h * images.w, geometry.c_in);
        let scaled = scaling::scaled(cx, dy, self.weights.rule().scales())?;
        let dy = scaled.as_ref().unwrap_or(dy);
        if let Input::Patches(_) = x {
            // the padding of reals is 0, and patches of bits have no zeros
            let mut columns = cx.matrix(dy.rows(), geometry.patch()?);
            let w = self.weights.columns_for_reals(engine);
            product(engine, dy.values(), w, columns.values_mut())?;
            patches::scatter(cx, &geometry, images, &columns, &mut dx)?;
            cx.recycle([columns]);
        } else {
            let (bits, now) = (self.weights.bits().view(), (self.weights.version(), engine.isa()));
            let weights = fresh(
                &mut self.packed.backward,
                now,
                || ConvTransposed::pack(engine, geometry, bits),
                |packed| packed.repack(engine, bits),
            )?;
            match rounding.bytes() {
                Some(bytes) => {
                    let dy = self.rounded.rows(engine, dy, bytes)?;
                    convolve(engine, dy, images, weights, dx.values_mut())?;
                }
                None => convolve(engine, dy.values(), images, weights, dx.values_mut())?,
            }
        }
        cx.recycle(scaled);
        Ok(Signal::Grad(dx))
    }

    /// Keeps the signal and replaces the input, so that the weights answer the signal for the new input. Real
    /// pixels are the network's input, which does not change.
    fn correct(&mut self, cx: &Context, x: &Value) -> Result<()> {
        let images = self.batch.b * self.image.0 * self.image.1;
        if let (Value::Bits(x), Some(Input::Bits(kept))) = (x, &mut self.x) {
            check_shape("conv", "bits", (images, self.geometry.c_in), x.shape())?;
            cx.recycle([std::mem::replace(kept, x.clone())]);
        }
        Ok(())
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        let rounding = self.rounding(1);
        let Self { x, dy, weights, memory, geometry, batch, .. } = self;
        let x = operand(x, *geometry, *batch)?;
        let dy = kept(dy, "conv", "update", "signal")?;
        weights.descend(cx, &mut WeightGradient::new(dy, x, rounding, memory), rate)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.count("step", &mut self.step)?;
        self.weights.state(state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.conv(self.geometry, self.image, self.weights.bits().clone())?;
        self.weights.rule().scales().map_or(Ok(()), |scales| to.factors(scales))
    }

    fn observe(&mut self) -> Observation {
        self.weights.observe()
    }

    fn parameters(&self) -> Parameters {
        self.weights.parameters()
    }

    fn binary_weights(&self) -> Option<Weights<'_>> {
        let taps = self.geometry.kernel.0 * self.geometry.kernel.1;
        Some(Weights { bits: self.weights.bits(), taps, rule: self.weights.rule() })
    }
}
