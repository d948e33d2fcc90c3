//! From pixels to samples and back: both layers only reshape.

use crate::{
    contract::{
        context::Context,
        export::Exporter,
        kept::Kept,
        layer::Layer,
        state::State,
        value::{Bytes, Signal, Value},
    },
    error::{Error, Result},
    numeric::matrix::Matrix,
};

const FLATTEN: &str = "flatten";
const UNFLATTEN: &str = "unflatten";

/// One row for each pixel to one row for each sample: `(b p, c) -> (b, p c)` for images of p pixels.
///
/// The features come in the order row, column, channel. Real numbers, bytes and bits pass. Backward: the
/// gradient gets the shape of the input.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Value,
///     layer::{Context, Layer},
///     layers::Flatten,
/// };
///
/// // two images of two pixels of three channels
/// let x = Matrix::new(4, 3, (0..12).map(|x| x as f32).collect())?;
/// let y = Flatten::new(2).forward(&Context::train(&Engine::single()), Value::Real(x))?.into_real("y")?;
/// assert_eq!(y.shape(), (2, 6));
/// assert_eq!(y.values()[..6], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Flatten {
    pixels: usize,
    dx: Kept<Matrix>,
}

/// One row for each sample to one row for each pixel: `(b, p c) -> (b p, c)` for images of p pixels; the
/// inverse of [`Flatten`].
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Value,
///     layer::{Context, Layer},
///     layers::Unflatten,
/// };
///
/// let x = Matrix::new(1, 6, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0])?;
/// let y = Unflatten::new(2).forward(&Context::train(&Engine::single()), Value::Real(x))?.into_real("y")?;
/// assert_eq!(y.shape(), (2, 3));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Unflatten {
    pixels: usize,
    dx: Kept<Matrix>,
}

impl Flatten {
    /// A layer for images of `pixels` pixels.
    pub fn new(pixels: usize) -> Self {
        Self { pixels, dx: Kept::by_receive(FLATTEN) }
    }
}

impl Unflatten {
    /// A layer for images of `pixels` pixels.
    pub fn new(pixels: usize) -> Self {
        Self { pixels, dx: Kept::by_receive(UNFLATTEN) }
    }
}

/// The shape with the pixels of each image joined into one row.
fn joined(name: &'static str, pixels: usize, (rows, cols): (usize, usize)) -> Result<(usize, usize)> {
    if pixels == 0 || rows % pixels != 0 {
        return Err(Error::shape(name, format!("whole images of {pixels} pixels"), format!("{rows} pixels")));
    }
    Ok((rows / pixels, cols * pixels))
}

/// The shape with each row split into pixels.
fn split(name: &'static str, pixels: usize, (rows, cols): (usize, usize)) -> Result<(usize, usize)> {
    if pixels == 0 || cols % pixels != 0 {
        return Err(Error::shape(name, format!("samples of {pixels} pixels"), format!("{cols} features")));
    }
    Ok((rows * pixels, cols / pixels))
}

fn reshaped(matrix: Matrix, (rows, cols): (usize, usize)) -> Result<Matrix> {
    Matrix::new(rows, cols, matrix.into_values())
}

fn reshaped_value(value: Value, shape: (usize, usize), layer: &'static str) -> Result<Value> {
    Ok(match value {
        Value::Real(x) => Value::Real(reshaped(x, shape)?),
        Value::Bits(x) => Value::Bits(x.reshape(shape.0, shape.1)?),
        Value::Bytes(x) => {
            let scale = x.byte_scale();
            Value::Bytes(Bytes::new(shape.0, shape.1, x.into_values(), scale)?)
        }
        other => {
            return Err(Error::Kind { layer, expected: "real numbers, bytes or bits", got: other.kind() });
        }
    })
}

impl Layer for Flatten {
    fn name(&self) -> &'static str {
        FLATTEN
    }

    fn forward(&mut self, _cx: &Context, x: Value) -> Result<Value> {
        let shape = joined(FLATTEN, self.pixels, (x.rows(), x.cols()))?;
        reshaped_value(x, shape, FLATTEN)
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad(FLATTEN)?;
        let shape = split(FLATTEN, self.pixels, dy.shape())?;
        cx.recycle(self.dx.replace(reshaped(dy, shape)?));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.dx.take("send").map(Signal::Grad)
    }

    fn state(&mut self, _state: &mut State) -> Result<()> {
        Ok(())
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.flatten()
    }
}

impl Layer for Unflatten {
    fn name(&self) -> &'static str {
        UNFLATTEN
    }

    fn forward(&mut self, _cx: &Context, x: Value) -> Result<Value> {
        let shape = split(UNFLATTEN, self.pixels, (x.rows(), x.cols()))?;
        reshaped_value(x, shape, UNFLATTEN)
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad(UNFLATTEN)?;
        let shape = joined(UNFLATTEN, self.pixels, dy.shape())?;
        cx.recycle(self.dx.replace(reshaped(dy, shape)?));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.dx.take("send").map(Signal::Grad)
    }

    fn state(&mut self, _state: &mut State) -> Result<()> {
        Ok(())
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.flatten()
    }
}
