//! The products of an ABC layer, bits with bits: dense or convolutional.

use onebit_bits::{
    BitTensor, ConvTransposed, ConvWeights, Engine, Geometry, Images, Panels, Patches, convolve, product,
};

use crate::error::{Error, Result};

/// Products of bits with several sets of weights of one shape.
pub(crate) trait Product: Send {
    /// The layer's name.
    fn name(&self) -> &'static str;

    /// Columns of the input.
    fn inputs(&self) -> usize;

    /// (o, i) of the weights.
    fn weights(&self) -> (usize, usize);

    /// Rows of the output for `rows` rows of the input.
    fn output_rows(&self, rows: usize) -> Result<usize>;

    /// Packs all weights, (o, i) each.
    fn pack(&mut self, engine: &Engine, weights: &[BitTensor]) -> Result<()>;

    /// Computes the sums of x with weights `base`.
    fn sums(&self, engine: &Engine, x: &BitTensor, base: usize, sums: &mut [i32]) -> Result<()>;

    /// Computes the gradient of `rows` rows of x through weights `base`.
    fn dx(&self, engine: &Engine, dy: &[f32], rows: usize, base: usize, dx: &mut [f32]) -> Result<()>;

    /// Computes the gradient of the weights, (o, i). dy_t: (o, rows of the output).
    fn dw(&self, engine: &Engine, dy_t: &[f32], x: &BitTensor, dw: &mut [f32]) -> Result<()>;
}

/// `y = x w^T`.
pub(crate) struct Dense {
    shape: (usize, usize),
    packed: Vec<(Panels, Panels)>, // for x w^T and for dy w
}

impl Dense {
    pub(crate) fn new(inputs: usize, outputs: usize) -> Self {
        Self { shape: (outputs, inputs), packed: Vec::new() }
    }
}

impl Product for Dense {
    fn name(&self) -> &'static str {
        "abc_dense"
    }

    fn inputs(&self) -> usize {
        self.shape.1
    }

    fn weights(&self) -> (usize, usize) {
        self.shape
    }

    fn output_rows(&self, rows: usize) -> Result<usize> {
        Ok(rows)
    }

    fn pack(&mut self, engine: &Engine, weights: &[BitTensor]) -> Result<()> {
        let both = |w: &BitTensor| {
            (Panels::of_rows(engine, w.view()), Panels::of_columns_for_reals(engine, w.view()))
        };
        self.packed = weights.iter().map(both).collect();
        Ok(())
    }

    fn sums(&self, engine: &Engine, x: &BitTensor, base: usize, sums: &mut [i32]) -> Result<()> {
        Ok(product(engine, x.view(), &self.packed[base].0, sums)?)
    }

    fn dx(&self, engine: &Engine, dy: &[f32], _: usize, base: usize, dx: &mut [f32]) -> Result<()> {
        Ok(product(engine, dy, &self.packed[base].1, dx)?)
    }

    fn dw(&self, engine: &Engine, dy_t: &[f32], x: &BitTensor, dw: &mut [f32]) -> Result<()> {
        Ok(product(engine, dy_t, &Panels::of_columns_for_reals(engine, x.view()), dw)?)
    }
}

/// A convolution of images of one size, one row for each pixel.
pub(crate) struct Walking {
    conv: Geometry,
    size: (usize, usize),
    shape: (usize, usize),
    packed: Vec<(ConvWeights, ConvTransposed)>,
}

impl Walking {
    pub(crate) fn new(conv: Geometry, size: (usize, usize)) -> Result<Self> {
        let shape = (conv.c_out, conv.patch()?);
        conv.output(Images { b: 1, h: size.0, w: size.1 })?;
        Ok(Self { conv, size, shape, packed: Vec::new() })
    }

    fn images(&self, rows: usize) -> Result<Images> {
        let (h, w) = self.size;
        if !rows.is_multiple_of(h * w) {
            return Err(Error::shape(
                "abc_conv",
                format!("images of {h} x {w} pixels"),
                format!("{rows} pixels"),
            ));
        }
        Ok(Images { b: rows / (h * w), h, w })
    }
}

impl Product for Walking {
    fn name(&self) -> &'static str {
        "abc_conv"
    }

    fn inputs(&self) -> usize {
        self.conv.c_in
    }

    fn weights(&self) -> (usize, usize) {
        self.shape
    }

    fn output_rows(&self, rows: usize) -> Result<usize> {
        let Images { b, h, w } = self.conv.output(self.images(rows)?)?;
        Ok(b * h * w)
    }

    fn pack(&mut self, engine: &Engine, weights: &[BitTensor]) -> Result<()> {
        let mut packed = Vec::with_capacity(weights.len());
        for w in weights {
            let forward = ConvWeights::pack(engine, self.conv, w.view())?;
            packed.push((forward, ConvTransposed::pack(engine, self.conv, w.view())?));
        }
        self.packed = packed;
        Ok(())
    }

    fn sums(&self, engine: &Engine, x: &BitTensor, base: usize, sums: &mut [i32]) -> Result<()> {
        Ok(convolve(engine, x.view(), self.images(x.rows())?, &self.packed[base].0, sums)?)
    }

    fn dx(&self, engine: &Engine, dy: &[f32], rows: usize, base: usize, dx: &mut [f32]) -> Result<()> {
        Ok(convolve(engine, dy, self.images(rows)?, &self.packed[base].1, dx)?)
    }

    fn dw(&self, engine: &Engine, dy_t: &[f32], x: &BitTensor, dw: &mut [f32]) -> Result<()> {
        let patches = Patches { geometry: self.conv, images: self.images(x.rows())?, x: x.view() };
        Ok(product(engine, dy_t, patches, dw)?)
    }
}
