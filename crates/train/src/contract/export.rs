//! The conversion of a trained network to a deployed one.
//!
//! A norm, scale and shift followed by a sign become one comparison. In evaluation a unit is on when
//! `f(s) = (s - mean) * scale + shift >= 0`, where `s` is its sum. `f` is monotonic in `s`, in exact
//! arithmetic and in f32 alike, because subtracting, multiplying and adding a constant each keep the order
//! when they round. So a number `T` exists with
//!
//! | `scale` | the unit is on when |
//! |---|---|
//! | > 0 | `s >= T`, `T` the least sum with `f(T) >= 0` |
//! | < 0 | `s <= T`, `T` the greatest such sum |
//! | = 0 | always when `shift >= 0`, else never |
//!
//! `T` is found by bisection on the expression that training evaluates, over all integers that a sum of `n`
//! bits can be, or over all f32 for the sums of a real first layer. So the fold is exact: the deployed
//! network gives the bits that the trained one gives in evaluation.
//!
//! Centred bytes, such as pixels, stand for `(byte - 127.5) scale` in training, so their sums are `scale / 2`
//! times the sums of the integers `2 byte - 255`. The limits of a first layer are then found like those of
//! any other.
//!
//! Several steps may follow each other, `f_2(f_1(s))`. Each is monotonic, so their composition is; it falls
//! where an odd number of scales is negative. Max-pooling passes through, because a maximum commutes with a
//! monotonic function.

use onebit_bits::{BitTensor, Geometry, Pad, Pool};
use onebit_model::{
    Affine, Binarize, Conv, Dense, Layer, Limits, MOST_BYTES, Output, Thermometer, Thresholds,
};

use crate::error::{Error, Result};

/// Collects the layers of the deployed network; each training layer adds its part.
#[derive(Default)]
pub struct Exporter {
    inputs: usize,
    bytes: Option<f32>, // the scale of centred bytes
    layers: Vec<Layer>,
    sums: Option<Sums>,        // of a product that still waits for its limits
    at: (usize, &'static str), // index and name of the current layer
}

/// A product with binary weights, and the steps applied to its sums so far.
struct Sums {
    weights: BitTensor, // one row for each unit
    walk: Option<Walk>, // `None` for a dense layer
    steps: Vec<Affine>, // each (units), first to last
}

/// The geometry of a convolution and of the max-pooling after it.
struct Walk {
    geometry: Geometry,
    image: (usize, usize),
    pool: Option<Pool>,
}

impl Exporter {
    /// Starts the export of a network with `inputs` features; `bytes` is the scale of features that are
    /// centred bytes, `(byte - 127.5) scale`.
    pub(crate) fn new(inputs: usize, bytes: Option<f32>) -> Self {
        Self { inputs, bytes, ..Self::default() }
    }

    /// Returns the error that the current layer cannot be exported, for this reason.
    pub fn refuse(&self, reason: &str) -> Error {
        let (index, layer) = self.at;
        Error::Export { index, layer: layer.into(), reason: reason.into() }
    }

    /// Adds a layer that compares all features with the same thresholds.
    ///
    /// # Errors
    /// [`Error::Export`] unless it is the first layer.
    pub fn binarize(&mut self, features: usize, thresholds: Vec<f32>) -> Result<()> {
        self.first(Layer::Binarize(Binarize { features, thresholds }))
    }

    /// Adds a layer that compares each channel with its own thresholds, `(d, c)`. Features that are no image
    /// count as the channels of one pixel.
    ///
    /// # Errors
    /// [`Error::Export`] unless it is the first layer.
    pub fn thermometer(&mut self, channels: usize, thresholds: Vec<f32>) -> Result<()> {
        self.first(Layer::Thermometer(Thermometer { features: self.inputs, channels, thresholds }))
    }

    fn first(&mut self, layer: Layer) -> Result<()> {
        if !self.layers.is_empty() || self.sums.is_some() {
            return Err(self.refuse("the runtime has it only as the first layer"));
        }
        self.layers.push(layer);
        Ok(())
    }

    /// Adds a product with binary weights, `(o, i)`. After a convolution the inputs are its pixels, row after
    /// row, with the channels of each pixel side by side.
    ///
    /// # Errors
    /// [`Error::Export`] when no sign follows the previous product.
    pub fn dense(&mut self, weights: BitTensor) -> Result<()> {
        self.product(weights, None)
    }

    /// Adds a convolution of images of `image.0` rows and `image.1` columns of pixels; weights:
    /// `(c_out, kh kw c_in / groups)`.
    ///
    /// A first layer meets real pixels, which are padded with 0 whatever the geometry's [`Pad`] is.
    ///
    /// # Errors
    /// [`Error::Export`] when no sign follows the previous product.
    pub fn conv(&mut self, geometry: Geometry, image: (usize, usize), weights: BitTensor) -> Result<()> {
        let pad = if self.layers.is_empty() { Pad::Zero } else { geometry.pad };
        self.product(weights, Some(Walk { geometry: Geometry { pad, ..geometry }, image, pool: None }))
    }

    fn product(&mut self, weights: BitTensor, walk: Option<Walk>) -> Result<()> {
        if self.sums.is_some() {
            return Err(self.refuse("no sign stands between it and the previous product"));
        }
        self.sums = Some(Sums { weights, walk, steps: Vec::new() });
        Ok(())
    }

    /// Adds max-pooling: the largest sum of each window.
    ///
    /// # Errors
    /// [`Error::Export`] unless it directly follows a convolution.
    pub fn max_pool(&mut self, window: Pool) -> Result<()> {
        match &mut self.sums {
            Some(Sums { walk: Some(Walk { pool: pool @ None, .. }), steps, .. }) if steps.is_empty() => {
                *pool = Some(window);
                Ok(())
            }
            _ => Err(self.refuse("the runtime has it only right after a convolution")),
        }
    }

    /// Adds a reshaping of pixels to samples, or back. The runtime keeps both in the same order, so nothing
    /// is computed.
    ///
    /// # Errors
    /// [`Error::Export`] when no sign follows the previous product, whose units the reshaping would change.
    pub fn flatten(&mut self) -> Result<()> {
        if self.sums.is_some() {
            return Err(self.refuse("no sign stands between it and the previous product"));
        }
        Ok(())
    }

    /// Applies `(s - mean) * scale + shift` to the sums of the previous product, `(o)` each.
    ///
    /// # Errors
    /// [`Error::Export`] without a previous product, or when it has another number of units.
    pub fn scores(&mut self, mean: Vec<f32>, scale: Vec<f32>, shift: Vec<f32>) -> Result<()> {
        let Some(sums) = &mut self.sums else {
            return Err(self.refuse("the runtime has it only after a product with binary weights"));
        };
        if [&mean, &scale, &shift].iter().any(|values| values.len() != sums.weights.rows()) {
            return Err(self.refuse("it does not have a number for each unit of the previous product"));
        }
        sums.steps.push(Affine { mean, scale, shift });
        Ok(())
    }

    /// Applies `s * factor` to the sums of the previous product, `(o)`.
    ///
    /// # Errors
    /// Returns the errors of [`scores`](Self::scores).
    pub fn factors(&mut self, factors: &[f32]) -> Result<()> {
        let zeros = vec![0.0; factors.len()];
        self.scores(zeros.clone(), factors.to_vec(), zeros)
    }

    /// Adds a sign of the sums, or of the features if it is the first layer.
    ///
    /// # Errors
    /// [`Error::Export`] when the previous layer is not a product.
    pub fn sign(&mut self) -> Result<()> {
        if self.layers.is_empty() && self.sums.is_none() {
            // `x >= 0` is `x > t` for the largest number below 0
            return self.binarize(self.inputs, vec![-f32::from_bits(1)]);
        }
        let sums = self.waiting()?;
        let mut units = sums.units();
        let inputs = sums.weights.cols();
        let bytes = self.bytes.filter(|_| self.layers.is_empty() && inputs <= MOST_BYTES);
        if let Some(scale) = bytes {
            units.iter_mut().for_each(|unit| unit.insert(0, (0.0, scale / 2.0, 0.0)));
        }
        let descending = BitTensor::from_fn(1, units.len(), |_, o| is_falling(&units[o]));
        let limits = if self.layers.is_empty() && bytes.is_none() {
            Limits::Real(units.iter().map(|unit| real_limit(unit)).collect())
        } else {
            let most = if bytes.is_some() { 255 } else { 1 };
            Limits::Integer(units.iter().map(|unit| integer_limit(most * inputs as i32, unit)).collect())
        };
        self.layers.push(sums.into_layer(Thresholds { limits, descending }));
        Ok(())
    }

    /// Applies integer limits `(d, o)` to the sums of the previous product; `descending: (1, o)`.
    ///
    /// # Errors
    /// [`Error::Export`] without a previous product, or when its sums are already scaled.
    pub fn thresholds(&mut self, limits: Vec<i32>, descending: BitTensor) -> Result<()> {
        let sums = self.waiting()?;
        if self.layers.is_empty() {
            return Err(self.refuse("the inputs of its product are not bits"));
        }
        if !sums.steps.is_empty() {
            return Err(self.refuse("the sums of its product are already scaled"));
        }
        self.layers.push(sums.into_layer(Thresholds { limits: Limits::Integer(limits), descending }));
        Ok(())
    }

    fn waiting(&mut self) -> Result<Sums> {
        self.sums.take().ok_or_else(|| self.refuse("no product with binary weights comes earlier"))
    }

    /// Sets the current layer, for error messages.
    pub(crate) fn enter(&mut self, index: usize, name: &'static str) {
        self.at = (index, name);
    }

    /// Returns all layers; the last product gives the scores.
    pub(crate) fn finish(mut self) -> Result<Vec<Layer>> {
        let Some(Sums { weights, walk, mut steps }) = self.sums.take() else { return Ok(self.layers) };
        if walk.is_some() {
            return Err(self.refuse(
                "the scores come from a convolution, and the runtime takes them only from a dense layer",
            ));
        }
        if steps.len() > 1 {
            return Err(self.refuse("scores are scaled more than once, the runtime does so once"));
        }
        let affine = steps.pop().unwrap_or_else(|| Affine::identity(weights.rows()));
        self.layers.push(Layer::Dense(Dense { weights, output: Output::Scores(affine) }));
        Ok(self.layers)
    }
}

impl Sums {
    fn into_layer(self, thresholds: Thresholds) -> Layer {
        let weights = self.weights;
        match self.walk {
            Some(Walk { geometry, image, pool }) => {
                Layer::Conv(Conv { geometry, image, weights, pool, thresholds })
            }
            None => Layer::Dense(Dense { weights, output: Output::Bits(thresholds) }),
        }
    }

    /// Returns the steps of each unit.
    fn units(&self) -> Vec<Vec<Step>> {
        let step = |step: &Affine, o| (step.mean[o], step.scale[o], step.shift[o]);
        (0..self.weights.rows()).map(|o| self.steps.iter().map(|affine| step(affine, o)).collect()).collect()
    }
}

/// Mean, scale and shift of one unit.
type Step = (f32, f32, f32);

fn is_on(s: f32, unit: &[Step]) -> bool {
    unit.iter().fold(s, |s, (mean, scale, shift)| (s - mean) * scale + shift) >= 0.0
}

/// Whether a larger sum gives a smaller result.
fn is_falling(unit: &[Step]) -> bool {
    !is_flat(unit) && unit.iter().filter(|(_, scale, _)| *scale < 0.0).count() % 2 == 1
}

/// Whether all sums give the same result.
fn is_flat(unit: &[Step]) -> bool {
    unit.iter().any(|(_, scale, _)| *scale == 0.0)
}

/// The limit of a unit whose sums are integers in `-n..=n`, which f32 represents exactly.
fn integer_limit(n: i32, unit: &[Step]) -> i32 {
    let n = i64::from(n);
    limit(-n, n, |s| s as f32, unit) as i32
}

/// The limit of a unit whose sums are f32; an infinity when it is never on.
fn real_limit(unit: &[Step]) -> f32 {
    from_key(limit(key(f32::MIN), key(f32::MAX), from_key, unit))
}

/// The least position in `low..=high` at which the unit is on, or the greatest one if the unit falls; one
/// past the range if no position is.
fn limit(low: i64, high: i64, sum: impl Fn(i64) -> f32, unit: &[Step]) -> i64 {
    let on = |place: i64| is_on(sum(place), unit);
    if is_flat(unit) {
        // test the sum 0, because the largest may overflow before it meets the scale of 0
        if is_on(0.0, unit) { low } else { high + 1 }
    } else if is_falling(unit) {
        first(low, high + 1, |place| !on(place)) - 1
    } else {
        first(low, high + 1, on)
    }
}

/// The least `k` in `low..high` for which the monotonic `on` holds; `high` when it never does.
fn first(mut low: i64, mut high: i64, on: impl Fn(i64) -> bool) -> i64 {
    while low < high {
        let middle = low + (high - low) / 2;
        if on(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The position of a float in the order of all floats; the infinities come next to the extremes.
fn key(x: f32) -> i64 {
    let bits = i64::from(x.to_bits() & 0x7fff_ffff);
    if x.is_sign_negative() { -bits } else { bits }
}

fn from_key(key: i64) -> f32 {
    let magnitude = f32::from_bits(key.unsigned_abs() as u32);
    if key < 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_unit_that_is_never_on_or_always_on() {
        assert_eq!(integer_limit(8, &[(0.0, 0.0, -1.0)]), 9);
        assert_eq!(integer_limit(8, &[(0.0, 0.0, 0.0)]), -8);
        assert_eq!(integer_limit(8, &[(0.0, -1.0, -100.0)]), -9);
        assert_eq!(real_limit(&[(0.0, 0.0, -1.0)]), f32::INFINITY);
        assert_eq!(real_limit(&[(0.0, 1.0, 0.0)]), 0.0);
        assert_eq!(real_limit(&[(2.5, -3.0, 0.0)]), 2.5);
    }

    #[test]
    fn units_of_several_steps_and_of_none() {
        assert_eq!((integer_limit(8, &[]), real_limit(&[])), (0, 0.0));
        // -2 (s - 3) + 1, then -1 times that, then less 4: on from 5.5
        let unit = [(3.0, -2.0, 1.0), (0.0, -1.0, 0.0), (4.0, 1.0, 0.0)];
        assert_eq!((integer_limit(8, &unit), real_limit(&unit), is_falling(&unit)), (6, 5.5, false));
        // the largest sums overflow before they meet the scale of 0
        let unit = [(0.0, 1e30, 0.0), (0.0, 0.0, 1.0), (0.0, -1.0, 2.0)];
        assert_eq!((real_limit(&unit), is_falling(&unit)), (f32::MIN, false));
    }

    fn units() -> impl Strategy<Value = Vec<Step>> {
        let step = (-300.0f32..300.0, -2.0f32..2.0, -3.0f32..3.0);
        proptest::collection::vec(step, 1..4)
    }

    proptest! {
        #[test]
        fn integer_fold_equals_the_expression_at_every_sum(n in 1i32..300, unit in units()) {
            let limit = integer_limit(n, &unit);
            for s in -n..=n {
                let folded = if is_falling(&unit) { s <= limit } else { s >= limit };
                prop_assert_eq!(folded, is_on(s as f32, &unit), "s = {}", s);
            }
        }

        #[test]
        fn real_fold_equals_the_expression_next_to_the_limit(unit in units(), far in -1e6f32..1e6) {
            let limit = real_limit(&unit);
            let near = (-3..=3).map(|step| from_key(key(limit) + step)).filter(|s| s.is_finite());
            for s in near.chain([far, 0.0, -0.0]) {
                let folded = if is_falling(&unit) { s <= limit } else { s >= limit };
                prop_assert_eq!(folded, is_on(s, &unit), "s = {}", s);
            }
        }
    }
}
