//! Shortcuts to fewer pixels and more channels without parameters: option A of residual networks
//! (arXiv:1512.03385).
//!
//! The layer keeps every stride-th row and column, starting with the first, and appends channels of zeros:
//! x `(b h w, c)` to y `(b h' w', c')` with `h' = (h - 1) / stride + 1`, and likewise for w.

use onebit_bits::{Images, Pool};

use crate::{
    contract::{
        check::check_shape,
        context::Context,
        kept::Kept,
        layer::Layer,
        state::State,
        value::{Signal, Value},
    },
    error::{Error, Result},
    numeric::matrix::Matrix,
};

const NAME: &str = "subsample";

pub(crate) struct Subsample {
    image: (usize, usize),
    steps: Pool, // windows of one pixel
    channels_out: usize,
    input: Kept<(Images, usize)>, // images and channels of the last forward pass
    dx: Kept<Matrix>,
}

impl Subsample {
    pub(crate) fn new(image: (usize, usize), stride: usize, channels_out: usize) -> Result<Self> {
        let steps = Pool { kernel: (1, 1), stride: (stride, stride) };
        steps.output(Images { b: 1, h: image.0, w: image.1 })?;
        Ok(Self { image, steps, channels_out, input: Kept::by_forward(NAME), dx: Kept::by_receive(NAME) })
    }

    /// Returns the input pixel that becomes pixel `pixel` of the output image.
    fn from(&self, output: Images, pixel: usize) -> usize {
        (pixel / output.w * self.image.1 + pixel % output.w) * self.steps.stride.0
    }
}

impl Layer for Subsample {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let x = x.into_real(NAME)?;
        let (h, w) = self.image;
        let channels = x.cols();
        let images = Images { b: x.rows() / (h * w), h, w };
        check_shape(NAME, "whole images", (images.b * h * w, channels), x.shape())?;
        if channels > self.channels_out {
            let expected = format!("at most {} channels", self.channels_out);
            return Err(Error::shape(NAME, expected, channels));
        }
        let out = self.steps.output(images)?;
        let mut y = cx.matrix(out.b * out.h * out.w, self.channels_out);
        let image = out.h * out.w * self.channels_out;
        cx.engine.chunks(y.values_mut(), image, |first, y| {
            let x = &x.values()[first / image * h * w * channels..];
            for (pixel, y) in y.chunks_exact_mut(self.channels_out).enumerate() {
                let (same, zeros) = y.split_at_mut(channels);
                same.copy_from_slice(&x[self.from(out, pixel) * channels..][..channels]);
                zeros.fill(0.0);
            }
        })?;
        cx.recycle([x]);
        cx.recycle(self.dx.clear());
        self.input.set(cx.training().then_some((images, channels)));
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad(NAME)?;
        let (images, channels) = *self.input.get("receive")?;
        let out = self.steps.output(images)?;
        check_shape(NAME, "a gradient", (out.b * out.h * out.w, self.channels_out), dy.shape())?;
        let mut dx = cx.matrix(images.b * images.h * images.w, channels);
        let (of_x, of_y) = (images.h * images.w * channels, out.h * out.w * self.channels_out);
        cx.engine.chunks(dx.values_mut(), of_x, |first, dx| {
            dx.fill(0.0);
            let dy = &dy.values()[first / of_x * of_y..][..of_y];
            for (pixel, dy) in dy.chunks_exact(self.channels_out).enumerate() {
                dx[self.from(out, pixel) * channels..][..channels].copy_from_slice(&dy[..channels]);
            }
        })?;
        cx.recycle([dy]);
        cx.recycle(self.dx.replace(dx));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.dx.take("send").map(Signal::Grad)
    }

    fn state(&mut self, _state: &mut State) -> Result<()> {
        Ok(())
    }
}
