//! Max-pooling of real sums.

use onebit_bits::{Images, Pool, vectorized};

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
    numeric::matrix::Matrix,
};

const NAME: &str = "max_pool";

/// Max-pooling of real sums: the largest value of each window, for each channel. A norm follows it.
///
/// x `(b h w, c)`, one row for each pixel, to y `(b h' w', c)`. Backward: the gradient goes to the first
/// largest value of the window, in the order row, column; pixels that no whole window covers get 0.
///
/// ```
/// use onebit_bits::{Engine, Pool};
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::MaxPool,
/// };
///
/// let cx = Context::train(&Engine::single());
/// // windows of 1 x 2 pixels over an image of 1 x 4
/// let mut pool = MaxPool::new(Pool { kernel: (1, 2), stride: (1, 2) }, (1, 4))?;
/// let y = pool.forward(&cx, Value::Real(Matrix::new(4, 1, vec![1.0, 3.0, 6.0, 5.0])?))?;
/// assert_eq!(y, Value::Real(Matrix::new(2, 1, vec![3.0, 6.0])?));
///
/// pool.receive(&cx, Signal::Grad(Matrix::new(2, 1, vec![10.0, 20.0])?))?;
/// assert_eq!(pool.send(&cx)?, Signal::Grad(Matrix::new(4, 1, vec![0.0, 10.0, 20.0, 0.0])?));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct MaxPool {
    pool: Pool,
    image: (usize, usize),
    /// Position of the largest value in each window, (b h' w', c), and the images of the batch.
    largest: Kept<(Vec<u8>, Images)>,
    dx: Kept<Matrix>,
    channels: usize,
    memory: Vec<u8>,
}

impl MaxPool {
    /// Creates the layer for images of `image.0` rows and `image.1` columns of pixels.
    ///
    /// # Errors
    /// [`Error::Bits`] when the window does not fit the image; [`Error::Setting`] for a window of more than
    /// 256 pixels.
    pub fn new(pool: Pool, image: (usize, usize)) -> Result<Self> {
        pool.output(Images { b: 1, h: image.0, w: image.1 })?;
        let window = pool.kernel.0 * pool.kernel.1;
        if window > 256 {
            return Err(Error::setting("pool window", "at most 256 pixels", window));
        }
        Ok(Self {
            pool,
            image,
            largest: Kept::by_forward(NAME),
            dx: Kept::by_receive(NAME),
            channels: 0,
            memory: Vec::new(),
        })
    }
}

vectorized! {
    /// Pools one row of output pixels. x: the rows of the image under its windows, y and largest: (w', c).
    fn pool_row<'a>(x: &'a [f32], width: usize, pool: Pool, y: &'a mut [f32], largest: &'a mut [u8], channels: usize) {
        for (col, (y, largest)) in
            y.chunks_exact_mut(channels).zip(largest.chunks_exact_mut(channels)).enumerate()
        {
            let first = col * pool.stride.1;
            for ky in 0..pool.kernel.0 {
                for kx in 0..pool.kernel.1 {
                    let x = &x[(ky * width + first + kx) * channels..][..channels];
                    let at = ky * pool.kernel.1 + kx;
                    for ((y, largest), x) in y.iter_mut().zip(&mut *largest).zip(x) {
                        let larger = at == 0 || *x > *y;
                        *y = if larger { *x } else { *y };
                        *largest = if larger { at as u8 } else { *largest };
                    }
                }
            }
        }
    }
}

vectorized! {
    /// The transpose of `pool_row`: adds dy at the positions in `largest`.
    fn unpool_row<'a>(
        dx: &'a mut [f32], width: usize, pool: Pool, dy: &'a [f32], largest: &'a [u8], channels: usize,
    ) {
        for (col, (dy, largest)) in dy.chunks_exact(channels).zip(largest.chunks_exact(channels)).enumerate() {
            let first = col * pool.stride.1;
            for ky in 0..pool.kernel.0 {
                for kx in 0..pool.kernel.1 {
                    let dx = &mut dx[(ky * width + first + kx) * channels..][..channels];
                    let at = (ky * pool.kernel.1 + kx) as u8;
                    for ((dx, dy), largest) in dx.iter_mut().zip(dy).zip(largest) {
                        *dx += if *largest == at { *dy } else { 0.0 };
                    }
                }
            }
        }
    }
}

impl Layer for MaxPool {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, x: Value) -> Result<Value> {
        let x = x.into_real(NAME)?;
        let (h, w) = self.image;
        let channels = x.cols();
        let images = Images { b: x.rows() / (h * w), h, w };
        check_shape(NAME, "whole images", (images.b * h * w, channels), x.shape())?;
        let out = self.pool.output(images)?;
        let pool = self.pool;
        let mut y = cx.matrix(out.b * out.h * out.w, channels);
        let mut largest = std::mem::take(&mut self.memory);
        largest.resize(y.values().len(), 0);
        let row = out.w * channels;
        cx.engine.chunks((y.values_mut(), &mut largest[..]), row, |first, (y, largest)| {
            let (image, top) = (first / row / out.h, first / row % out.h * pool.stride.0);
            let x = &x.values()[(image * h + top) * w * channels..][..pool.kernel.0 * w * channels];
            pool_row(cx.engine.isa(), x, w, pool, y, largest, channels);
        })?;
        cx.recycle([x]);
        cx.recycle(self.dx.clear());
        self.channels = channels;
        if cx.training() {
            self.largest.set((largest, images));
        } else {
            self.memory = largest;
        }
        Ok(Value::Real(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad(NAME)?;
        let (largest, images) = self.largest.get("receive")?;
        let out = self.pool.output(*images)?;
        let channels = self.channels;
        let pool = self.pool;
        check_shape(NAME, "a gradient", (out.b * out.h * out.w, channels), dy.shape())?;
        let mut dx = cx.matrix(images.b * images.h * images.w, channels);
        let (image_len, out_len, row) =
            (images.h * images.w * channels, out.h * out.w * channels, out.w * channels);
        cx.engine.chunks(dx.values_mut(), image_len, |first, dx| {
            dx.fill(0.0);
            let of_image = first / image_len * out_len..(first / image_len + 1) * out_len;
            let rows =
                dy.values()[of_image.clone()].chunks_exact(row).zip(largest[of_image].chunks_exact(row));
            for (y, (dy, largest)) in rows.enumerate() {
                let top = y * pool.stride.0 * images.w * channels;
                unpool_row(cx.engine.isa(), &mut dx[top..], images.w, pool, dy, largest, channels);
            }
        })?;
        cx.recycle([dy]);
        cx.recycle(self.dx.replace(dx));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        if let Some((largest, _)) = self.largest.clear() {
            self.memory = largest;
        }
        self.dx.take("send").map(Signal::Grad)
    }

    fn state(&mut self, _state: &mut State) -> Result<()> {
        Ok(())
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.max_pool(self.pool)
    }
}
