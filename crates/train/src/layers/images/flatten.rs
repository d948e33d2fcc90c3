//! From pixels to samples and back: nothing is computed.
//!
//! [`Flatten`]: `(b p, c) -> (b, p c)` for images of p pixels, features in the order row, column, channel;
//! [`Unflatten`] the other way round. A gradient goes back as it came.

use crate::{
    contract::{
        check::take,
        context::Context,
        export::Exporter,
        layer::Layer,
        state::State,
        value::{Bytes, Signal, Value},
    },
    error::{Error, Result},
    numeric::matrix::Matrix,
};

/// One row a pixel to one row a sample.
pub struct Flatten {
    pixels: usize,
    dx: Option<Matrix>,
}

/// One row a sample to one row a pixel.
pub struct Unflatten {
    pixels: usize,
    dx: Option<Matrix>,
}

impl Flatten {
    /// For images of so many pixels.
    pub fn new(pixels: usize) -> Self {
        Self { pixels, dx: None }
    }
}

impl Unflatten {
    /// For images of so many pixels.
    pub fn new(pixels: usize) -> Self {
        Self { pixels, dx: None }
    }
}

/// Rows that are `pixels` times as long.
fn joined(name: &'static str, pixels: usize, (rows, cols): (usize, usize)) -> Result<(usize, usize)> {
    if pixels == 0 || rows % pixels != 0 {
        return Err(Error::shape(name, format!("whole images of {pixels} pixels"), format!("{rows} pixels")));
    }
    Ok((rows / pixels, cols * pixels))
}

/// `pixels` times as many rows.
fn parted(name: &'static str, pixels: usize, (rows, cols): (usize, usize)) -> Result<(usize, usize)> {
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
            let (mean, scale) = (x.mean(), x.scale());
            Value::Bytes(Bytes::new(shape.0, shape.1, x.into_values(), mean, scale)?)
        }
        other => {
            return Err(Error::Kind { layer, expected: "real numbers, bytes or bits", got: other.kind() });
        }
    })
}

impl Layer for Flatten {
    fn name(&self) -> &'static str {
        "flatten"
    }

    fn forward(&mut self, _cx: &Context, x: Value) -> Result<Value> {
        let shape = joined("flatten", self.pixels, (x.rows(), x.cols()))?;
        reshaped_value(x, shape, "flatten")
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad("flatten")?;
        let shape = parted("flatten", self.pixels, dy.shape())?;
        cx.recycle(self.dx.replace(reshaped(dy, shape)?));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        take(&mut self.dx, "flatten", "send", "signal").map(Signal::Grad)
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
        "unflatten"
    }

    fn forward(&mut self, _cx: &Context, x: Value) -> Result<Value> {
        let shape = parted("unflatten", self.pixels, (x.rows(), x.cols()))?;
        reshaped_value(x, shape, "unflatten")
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let dy = signal.into_grad("unflatten")?;
        let shape = joined("unflatten", self.pixels, dy.shape())?;
        cx.recycle(self.dx.replace(reshaped(dy, shape)?));
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        take(&mut self.dx, "unflatten", "send", "signal").map(Signal::Grad)
    }

    fn state(&mut self, _state: &mut State) -> Result<()> {
        Ok(())
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.flatten()
    }
}
