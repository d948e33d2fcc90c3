//! The cases: every kernel with its sizes.

use alloc::{boxed::Box, vec::Vec};

use super::{
    bits,
    ceiling::Mix,
    conv,
    float::Float,
    gradients,
    run::{Product, Run, Size},
};
use crate::{conv::Images, error::Result, machine::Engine};

/// A function that makes a kernel with operands.
type Make = dyn Fn(&Engine, Size) -> Result<Box<dyn Run>>;

/// A kernel at one size.
pub struct Case {
    /// The kernel's name; several cases share it.
    pub name: &'static str,
    /// The consumer of a weight gradient: `store`, or the name of an optimizer.
    pub update: Option<&'static str>,
    /// The sizes of the layer.
    pub size: Size,
    /// The product.
    pub product: Product,
    /// The instructions of the inner loop, if their speed limit is known.
    pub mix: Option<Mix>,
    make: Box<Make>,
}

impl Case {
    fn new(
        name: &'static str,
        size: Size,
        product: Product,
        mix: Mix,
        make: impl Fn(&Engine, Size) -> Result<Box<dyn Run>> + 'static,
    ) -> Self {
        let update = (product == Product::WeightGradient).then_some("store");
        Self { name, update, size, product, mix: Some(mix), make: Box::new(make) }
    }

    /// Makes the kernel, with its own operands, ready for [`run`](Run::run).
    ///
    /// # Errors
    /// The errors of the kernel; none at the sizes of [`cases`].
    pub fn kernel(&self, engine: &Engine) -> Result<Box<dyn Run>> {
        (self.make)(engine, self.size)
    }

    /// The same product in f32, with the same number of threads.
    #[must_use]
    pub fn float(&self, engine: &Engine) -> Float {
        Float::new(engine.threads(), self.product, self.size)
    }

    /// The number of operations: each multiplication and each addition.
    #[must_use]
    pub fn operations(&self) -> f64 {
        2.0 * self.size.m as f64 * self.size.n as f64 * self.size.k as f64
    }
}

/// All cases: a layer of `width` inputs and outputs (published results use 4096), and convolutions, which are
/// small if `width` is below 4096.
#[must_use]
pub fn cases(width: usize) -> Vec<Case> {
    let mut cases = dense(width);
    let convolutions = if width < 4096 { [(64, 7), (64, 8)] } else { [(256, 14), (128, 32)] };
    for (channels, side) in convolutions {
        cases.extend([1, 32].map(|b| convolution(channels, Images { b, h: side, w: side })));
    }
    cases
}

fn dense(width: usize) -> Vec<Case> {
    use Product::{Forward, InputGradient, WeightGradient};
    use gradients::Precision::{Bf16, F32, Int8};
    let layer = |m| Size { m, n: width, k: width };
    let mut cases = Vec::from([
        Case::new("xnor_gemv", layer(1), Forward, Mix::Row, bits::forward),
        Case::new("xnor_gemm", layer(100), Forward, Mix::Bits, bits::forward),
        Case::new("xnor_gemm", layer(256), Forward, Mix::Bits, bits::forward),
    ]);
    let precisions = [
        (["dx_f32", "dw_f32"], F32, Mix::Reals),
        (["dx_bf16", "dw_bf16"], Bf16, Mix::Halves),
        (["dx_int8", "dw_int8"], Int8, Mix::Bytes),
    ];
    for ([dx, _], precision, mix) in precisions {
        let make = move |engine: &Engine, size| gradients::input(engine, size, precision);
        cases.push(Case::new(dx, layer(100), InputGradient, mix, make));
    }
    cases.push(Case::new("dx_ternary", layer(100), InputGradient, Mix::Bits, bits::input_votes));
    for ([_, dw], precision, mix) in precisions {
        let store = move |engine: &Engine, size| gradients::weights(engine, size, precision);
        let adam = move |engine: &Engine, size| gradients::adam(engine, size, precision);
        let store = Case::new(dw, layer(100), WeightGradient, mix, store);
        let adam = Case::new(dw, layer(100), WeightGradient, mix, adam);
        cases.extend([store, Case { update: Some("adam"), ..adam }]);
    }
    cases.push(Case::new("dw_ternary", layer(100), WeightGradient, Mix::Votes, bits::weight_votes));
    cases
}

fn convolution(channels: usize, images: Images) -> Case {
    let make = move |engine: &Engine, _| conv::forward(engine, channels, images);
    Case::new("conv3x3", conv::size(channels, images), Product::Forward, Mix::Bits, make)
}
