//! The convolution with real weights: what [`RealDense`](crate::layers::RealDense) is to dense layers.

use onebit_bits::{Geometry, Images};

use crate::{
    contract::context::Context,
    error::{Error, Result},
    layers::products::{
        patches,
        real_layer::{RealLayer, Walk},
    },
    numeric::matrix::Matrix,
    optimizers::Optimizer,
};

/// A convolution with real weights.
///
/// Forward: `y_p = sum_(tap, i) x_(p + tap)i w_o(tap)i`, x `(b h w, c_in)` of any kind, one row for each
/// pixel, w `(c_out, kh kw c_in)` and y `(b h' w', c_out)` real. Backward: the transposes of that sum. The
/// layer has no bias, because a norm follows. Images are padded with 0, images of bits too: the geometry's
/// [`Pad`](onebit_bits::Pad) applies to products of *bits* only.
///
/// The patches of the images become a matrix, `(b h' w', kh kw c_in)`, and the convolution a product.
///
/// ```
/// use onebit_bits::{Engine, Geometry};
/// use onebit_train::{
///     Matrix, Value,
///     layer::{Context, Layer},
///     layers::RealConv,
///     optimizers::Sgd,
/// };
///
/// // a kernel of 1 x 2 pixels over an image of 1 x 3 pixels: differences of neighbours
/// let conv = RealConv::new(Geometry::new(1, 1, (1, 2)), (1, 3), Sgd::new(0.0, 0.0)?, 0)?;
/// let mut conv = conv.with_weights(vec![-1.0, 1.0])?;
/// let x = Value::Real(Matrix::new(3, 1, vec![1.0, 4.0, 9.0])?);
/// let y = conv.forward(&Context::train(&Engine::single()), x)?;
/// assert_eq!(y, Value::Real(Matrix::new(2, 1, vec![3.0, 5.0])?));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub type RealConv = RealLayer<Patches>;

/// Weights that meet one patch of an image after another.
pub struct Patches {
    geometry: Geometry,
    image: (usize, usize), // h, w of the input
}

impl RealConv {
    /// Creates a convolution of images of `image.0` rows and `image.1` columns of pixels. Weights start
    /// uniform within `+-sqrt(6 / (kh kw (c_in + c_out)))` and learn by `optimizer`.
    ///
    /// # Errors
    /// [`Error::Bits`] when the kernel does not fit the image; [`Error::Setting`] without channels or with
    /// groups.
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
        let shape = (geometry.c_out, geometry.patch()?);
        let taps = geometry.kernel.0 * geometry.kernel.1;
        Ok(Self::over(Patches { geometry, image }, shape, taps, optimizer, seed))
    }
}

impl Patches {
    fn images(&self, rows: usize) -> Images {
        let (h, w) = self.image;
        Images { b: rows / (h * w).max(1), h, w }
    }
}

impl Walk for Patches {
    const NAME: &'static str = "real_conv";

    fn inputs(&self) -> usize {
        self.geometry.c_in
    }

    fn output_rows(&self, rows: usize) -> Result<usize> {
        let images = self.images(rows);
        if images.b * images.h * images.w != rows {
            let expected = format!("whole images of {} x {} pixels", images.h, images.w);
            return Err(Error::shape(Self::NAME, expected, format!("{rows} pixels")));
        }
        let output = self.geometry.output(images)?;
        Ok(output.b * output.h * output.w)
    }

    fn gather(&self, cx: &Context, x: &Matrix) -> Result<Option<Matrix>> {
        patches::gather(cx, &self.geometry, self.images(x.rows()), x).map(Some)
    }

    fn scatter(&self, cx: &Context, dpatches: Matrix, rows: usize) -> Result<Matrix> {
        let mut dx = cx.matrix(rows, self.geometry.c_in);
        patches::scatter(cx, &self.geometry, self.images(rows), &dpatches, &mut dx)?;
        cx.recycle([dpatches]);
        Ok(dx)
    }
}
