//! The mean over all pixels of an image.

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

/// The mean over all pixels of an image, for each channel.
///
/// Forward: `y_bc = sum_p x_(b p)c / p`, x `(b p, c)` of any kind, one row for each pixel, y `(b, c)` real.
/// Backward: `dx_(b p)c = dy_bc / p`.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::GlobalAveragePool,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut pool = GlobalAveragePool::new(2)?;
/// let y = pool.forward(&cx, Value::Real(Matrix::new(2, 1, vec![1.0, 3.0])?))?;
/// assert_eq!(y, Value::Real(Matrix::new(1, 1, vec![2.0])?));
///
/// pool.receive(&cx, Signal::Grad(Matrix::new(1, 1, vec![1.0])?))?;
/// assert_eq!(pool.send(&cx)?, Signal::Grad(Matrix::new(2, 1, vec![0.5, 0.5])?));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct GlobalAveragePool {
    pixels: usize,
    output: Kept<(usize, usize)>, // b, c of the last forward pass
    dx: Kept<Matrix>,
}

impl GlobalAveragePool {
    /// Creates the layer for images of `pixels` pixels.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 pixels.
    pub fn new(pixels: usize) -> Result<Self> {
        if pixels == 0 {
            return Err(Error::setting("global_average_pool pixels", "at least 1", 0));
        }
        Ok(Self { pixels, output: Kept::by_forward(NAME), dx: Kept::by_receive(NAME) })
    }

    /// Number of elements of y in one job: those of whole images with `channels` channels.
    fn part(&self, channels: usize) -> usize {
        JOB.div_ceil((self.pixels * channels).max(1)) * channels
    }
}

vectorized! {
    /// Averages x, the pixels of whole rows y.
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
    /// Spreads dy over dx, whole images.
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
        let pixels = self.pixels;
        let (rows, channels) = (x.rows(), x.cols());
        if rows % pixels != 0 {
            let expected = format!("whole images of {pixels} pixels");
            return Err(Error::shape(NAME, expected, format!("{rows} pixels")));
        }
        let x = reals(cx, x)?;
        let mut y = cx.matrix(rows / pixels, channels);
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
        let pixels = self.pixels;
        let channels = dy.cols();
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
