//! The convolution with real weights, as [`RealDense`](crate::layers::RealDense) is the dense layer with them.
//!
//! Forward: `y_p = sum_(tap, i) x_(p + tap)i w_o(tap)i`, x `(b h w, c_in)` of any kind, one row a pixel, w
//! `(c_out, kh kw c_in)` and y `(b h' w', c_out)` real. Backward: the transposes of that sum. There is no bias, for a norm
//! follows. What lies around an image is 0, around one of bits too: the geometry's [`Pad`](onebit_bits::Pad) says what
//! *bits* are there.
//!
//! The patches of the images become a matrix, `(b h' w', kh kw c_in)`, and the convolution a product.

use onebit_bits::{Geometry, Images};

use crate::{
    contract::{
        check::{check_cols, check_shape, kept},
        context::Context,
        export::Exporter,
        layer::Layer,
        meter::Parameters,
        state::State,
        value::{Signal, Value},
    },
    error::{Error, Result},
    layers::products::{patches, real_weights::RealWeights, reals::reals},
    numeric::matrix::Matrix,
    optimizers::Optimizer,
};

/// Real weights that walk over images.
pub struct RealConv {
    geometry: Geometry,
    image: (usize, usize), // h, w of the input
    weights: RealWeights,  // (c_out, kh kw c_in)
    x: Option<Matrix>,     // (b h w, c_in)
    dy: Option<Matrix>,    // (b h' w', c_out)
}

impl RealConv {
    /// A convolution of images of `image.0` rows of `image.1` pixels. Weights are uniform within
    /// `+-sqrt(6 / (kh kw (c_in + c_out)))` and learn by `optimizer`.
    ///
    /// # Errors
    /// [`Error::Bits`] when the kernel does not fit the image; [`Error::Setting`] without channels or with groups.
    pub fn new(
        geometry: Geometry,
        image: (usize, usize),
        optimizer: impl Optimizer + 'static,
        seed: u64,
    ) -> Result<Self> {
        geometry.output(Images { b: 1, h: image.0, w: image.1 })?;
        if geometry.c_in == 0 || geometry.c_out == 0 {
            return Err(Error::setting("real_conv channels", "at least 1", 0));
        }
        if geometry.groups > 1 {
            return Err(Error::setting("real_conv groups", "1", geometry.groups));
        }
        let (shape, taps) = ((geometry.c_out, geometry.patch()?), geometry.kernel.0 * geometry.kernel.1);
        let weights = RealWeights::new(shape, taps, optimizer, seed);
        Ok(Self { geometry, image, weights, x: None, dy: None })
    }

    /// Starts from these weights, `(c_out, kh kw c_in)`, row-major.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of them.
    pub fn with_weights(mut self, weights: Vec<f32>) -> Result<Self> {
        self.weights.restart(weights)?;
        Ok(self)
    }

    /// The weights, `(c_out, kh kw c_in)`, row-major.
    pub fn weights(&self) -> &[f32] {
        self.weights.values()
    }

    /// `dL/dw`, `(c_out, kh kw c_in)`, of the signal received.
    ///
    /// # Errors
    /// [`Error::Sequence`] when nothing was received.
    pub fn weight_gradient(&self, cx: &Context) -> Result<Matrix> {
        let x = kept(&self.x, "real_conv", "update", "forward pass")?;
        let dy = kept(&self.dy, "real_conv", "update", "signal")?;
        let patches = patches::gather(cx, &self.geometry, self.images(x.rows()), x)?;
        let dw = self.weights.gradient(cx, dy, &patches)?;
        cx.recycle([patches]);
        Ok(dw)
    }

    fn images(&self, rows: usize) -> Images {
        let (h, w) = self.image;
        Images { b: rows / (h * w).max(1), h, w }
    }
}

impl Layer for RealConv {
    fn name(&self) -> &'static str {
        "real_conv"
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        check_cols("real_conv", self.geometry.c_in, x.cols())?;
        let images = self.images(x.rows());
        if images.b * images.h * images.w != x.rows() {
            let expected = format!("whole images of {} x {} pixels", images.h, images.w);
            return Err(Error::shape("real_conv", expected, format!("{} pixels", x.rows())));
        }
        let x = reals(cx, x)?;
        let patches = patches::gather(cx, &self.geometry, images, &x)?;
        let y = self.weights.output(cx, &patches)?;
        cx.recycle([patches]);
        cx.recycle(self.x.replace(x));
        cx.recycle(self.dy.take());
        if !cx.training() {
            cx.recycle(self.x.take());
        }
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad("real_conv")?;
        let x = kept(&self.x, "real_conv", "receive", "forward pass")?;
        let output = self.geometry.output(self.images(x.rows()))?;
        let expected = (output.b * output.h * output.w, self.geometry.c_out);
        check_shape("real_conv", "a gradient", expected, dy.shape())?;
        cx.recycle(self.dy.replace(dy));
        Ok(())
    }

    fn send(&mut self, cx: &Context) -> Result<Signal> {
        let x = kept(&self.x, "real_conv", "send", "forward pass")?;
        let dy = kept(&self.dy, "real_conv", "send", "signal")?;
        let (columns, mut dx) = (self.weights.input_gradient(cx, dy)?, cx.matrix(x.rows(), x.cols()));
        patches::scatter(cx, &self.geometry, self.images(x.rows()), &columns, &mut dx)?;
        cx.recycle([columns]);
        Ok(Signal::Grad(dx))
    }

    fn update(&mut self, cx: &Context, rate: f64) -> Result<()> {
        let dw = self.weight_gradient(cx)?;
        self.weights.update(cx, dw, rate)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.weights.state(state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        Err(to.refuse("its weights are real"))
    }

    fn parameters(&self) -> Parameters {
        self.weights.parameters()
    }
}
