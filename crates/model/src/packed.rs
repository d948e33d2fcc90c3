//! The weights of a layer in the layout of the kernels.

use alloc::vec::Vec;

use onebit_bits::{BitTensor, ConvWeights, Engine, Panels};

use crate::{
    error::Result,
    layer::{Conv, Dense, Layer, Limits, Output, Thresholds},
};

/// The packed weights of a layer.
#[derive(Debug)]
pub(crate) enum Packed {
    /// A layer without weights.
    Nothing,
    Dense(Panels),
    /// A dense layer on bytes, with limits on the sums of the bytes as they are.
    Bytes(Panels, Vec<i32>),
    Conv(ConvWeights),
    /// A convolution of reals or bytes, with its limits as reals.
    ConvOfReals(ConvWeights, Vec<f32>),
}

/// Packs the weights of layer number `index`.
pub(crate) fn pack<W: AsRef<[u64]>>(engine: &Engine, index: usize, layer: &Layer<W>) -> Result<Packed> {
    Ok(match layer {
        Layer::Binarize(_) | Layer::Thermometer(_) => Packed::Nothing,
        Layer::Dense(d) if index == 0 => {
            let weights = Panels::of_rows_for_reals(engine, d.weights.view());
            match &d.output {
                Output::Bits(thresholds) if layer.has_integer_sums() => {
                    Packed::Bytes(weights, of_bytes(d, thresholds))
                }
                _ => Packed::Dense(weights),
            }
        }
        Layer::Dense(d) => Packed::Dense(Panels::of_rows(engine, d.weights.view())),
        Layer::Conv(c) if index == 0 => {
            let weights = ConvWeights::pack_for_reals(engine, c.geometry, c.weights.view())?;
            Packed::ConvOfReals(weights, in_reals(&c.thresholds.limits))
        }
        Layer::Conv(c) => Packed::Conv(ConvWeights::pack(engine, c.geometry, c.weights.view())?),
    })
}

/// The limits as `f32`. Sums of bytes stay below 2^24, where `f32` is exact, so comparisons give the same
/// bits.
fn in_reals(limits: &Limits) -> Vec<f32> {
    match limits {
        Limits::Integer(limits) => limits.iter().map(|limit| *limit as f32).collect(),
        Limits::Real(limits) => limits.clone(),
    }
}

/// Limits on the sums `s` of the bytes as they are, from the layer's limits on `2 s - 255 sum w`.
fn of_bytes<W: AsRef<[u64]>>(dense: &Dense<W>, thresholds: &Thresholds) -> Vec<i32> {
    let Limits::Integer(limits) = &thresholds.limits else { unreachable!("its sums are integers") };
    let (units, inputs) = dense.weights.shape();
    let limit = |(at, limit): (usize, &i32)| {
        let unit = at % units;
        let ones: u32 = dense.weights.row(unit).iter().map(|word| word.count_ones()).sum();
        let twice = i64::from(*limit) + 255 * (2 * i64::from(ones) - inputs as i64);
        let falls = thresholds.descending.get(0, unit);
        (if falls { twice.div_euclid(2) } else { (twice + 1).div_euclid(2) }) as i32
    };
    limits.iter().enumerate().map(limit).collect()
}

/// The layer with its weights replaced by an empty tensor.
pub(crate) fn without_weights<W>(layer: Layer<W>) -> Layer {
    let weights = BitTensor::default();
    match layer {
        Layer::Binarize(binarize) => Layer::Binarize(binarize),
        Layer::Thermometer(thermometer) => Layer::Thermometer(thermometer),
        Layer::Dense(Dense { output, .. }) => Layer::Dense(Dense { weights, output }),
        Layer::Conv(Conv { geometry, image, pool, thresholds, .. }) => {
            Layer::Conv(Conv { geometry, image, weights, pool, thresholds })
        }
    }
}
