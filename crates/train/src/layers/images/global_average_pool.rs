//! The mean over all pixels of an image, for each channel: `y_bc = sum_p x_(b p)c / p`.
//!
//! x `(b p, c)` of any kind, one row a pixel, y `(b, c)` real. Backward: `dx_(b p)c = dy_bc / p`.

use onebit_bits::vectorized;

use crate::{
    contract::{
        check::check_shape,
        context::Context,
        export::Exporter,
        kept::Kept,
        layer::Layer,
        state::State,
        value::{Signal, Value},
    },
    error::{Error, Result},
    layers::products::reals::reals,
    numeric::{jobs::JOB, matrix::Matrix},
};

const NAME: &str = "global_average_pool";

/// One row a pixel to one row a sample.
pub struct GlobalAveragePool {
    pixels: usize,
    output: Kept<(usize, usize)>, // b, c of the last forward pass
    dx: Kept<Matrix>,
}

impl GlobalAveragePool {
    /// For images of so many pixels.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn new(pixels: usize) -> Result<Self> {
        if pixels == 0 {
            return Err(Error::setting("global_average_pool pixels", "at least 1", 0));
        }
        Ok(Self { pixels, output: Kept::by_forward(NAME), dx: Kept::by_receive(NAME) })
    }

    /// Elements of y whose x are a part: those of whole images of `channels`.
    fn part(&self, channels: usize) -> usize {
        JOB.div_ceil((self.pixels * channels).max(1)) * channels
    }
}

vectorized! {
    /// y: whole rows, x: their pixels.
    fn average<'a>(x: &'a [f32], pixels: usize, channels: usize, y: &'a mut [f32]) {
        for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(pixels * channels)) {
            y.fill(0.0);
            for x in x.chunks_exact(channels) {
                for (y, x) in y.iter_mut().zip(x) {
                    *y += x;
                }
            }
            for y in y {
                *y /= pixels as f32;
            }
        }
    }
}

vectorized! {
    /// dx: whole images.
    fn spread<'a>(dy: &'a [f32], pixels: usize, channels: usize, dx: &'a mut [f32]) {
        for (dy, dx) in dy.chunks_exact(channels).zip(dx.chunks_exact_mut(pixels * channels)) {
            for dx in dx.chunks_exact_mut(channels) {
                for (dx, dy) in dx.iter_mut().zip(dy) {
                    *dx = dy / pixels as f32;
                }
            }
        }
    }
}

impl Layer for GlobalAveragePool {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let (pixels, (rows, channels)) = (self.pixels, (x.rows(), x.cols()));
        if rows % pixels != 0 {
            let expected = format!("whole images of {pixels} pixels");
            return Err(Error::shape(NAME, expected, format!("{rows} pixels")));
        }
        let (x, mut y) = (reals(cx, x)?, cx.matrix(rows / pixels, channels));
        cx.engine.chunks(y.values_mut(), self.part(channels), |first, y| {
            let x = &x.values()[first * pixels..][..y.len() * pixels];
            average(cx.engine.isa(), x, pixels, channels, y);
        })?;
        cx.recycle([x]);
        cx.recycle(self.dx.clear());
        self.output.set(cx.training().then(|| y.shape()));
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad(NAME)?;
        let output = *self.output.get("receive")?;
        check_shape(NAME, "a gradient", output, dy.shape())?;
        let (pixels, channels) = (self.pixels, dy.cols());
        let mut dx = cx.matrix(dy.rows() * pixels, channels);
        cx.engine.chunks(dx.values_mut(), self.part(channels) * pixels, |first, dx| {
            let dy = &dy.values()[first / pixels..][..dx.len() / pixels];
            spread(cx.engine.isa(), dy, pixels, channels, dx);
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

    fn export(&self, to: &mut Exporter) -> Result<()> {
        Err(to.refuse("the runtime has no pooling yet"))
    }
}
