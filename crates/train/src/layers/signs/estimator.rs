//! Straight-through estimators, which replace the derivative of the sign in the backward pass.
//!
//! The derivative of the sign is 0 wherever it exists, so training multiplies the gradient by the slope
//! `F'(r)` of a function `F` that resembles the sign: `dr = dy F'(r)`, where `r` is the *input of the sign*.
//!
//! | estimator | `F'(r)` | source |
//! |---|---|---|
//! | [`Clip`](Estimator::Clip) | `[abs(r) <= bound]` | arXiv:1602.02830; bound: QuickNet, arXiv:2011.09398 |
//! | [`ApproxSign`](Estimator::ApproxSign) | `max(2 - 2 abs(r), 0)` | Bi-Real Net, arXiv:1808.00278 |
//! | [`SwishSign`](Estimator::SwishSign) | see there | BNN+, arXiv:1812.11800, as in Larq |
//! | [`Identity`](Estimator::Identity) | 1 | arXiv:1308.3432 |
//! | [`TrainingAware`](Estimator::TrainingAware) | `max(k (sqrt(2) t - t^2 abs(r)), 0)` | arXiv:2009.13055 |
//! | [`Tanh`](Estimator::Tanh) | `k t (1 - tanh^2(t r))` | error decay of IR-Net, arXiv:1909.10788 |
//!
//! The last two sharpen during a run: `t = 10^(from + progress (to - from))` and `k = max(1 / t, 1)`, `t`
//! from 1e-2 to 10 in RBNN and from 1e-3 to 10 in IR-Net. For activations RBNN uses `k = 1` and `t` of at
//! least 1.
//!
//! Some texts apply the condition of [`Clip`](Estimator::Clip) to the gradient, `[abs(dy) <= 1]`. That gate
//! is almost never closed, because gradients are small, so signals still reach units that are far from their
//! threshold and cannot change. When it does close, it blocks the strongest signals. With
//! `r = -2, -1, -0.5, 0, 0.5, 1, 2` and `dy = 5` everywhere, `Clip` gives `0, 5, 5, 5, 5, 5, 0`; the other
//! gate gives 0 everywhere. `Clip` is the derivative of `max(-1, min(1, r))`, as in equation 4 of the paper
//! and in its authors' code.

use std::f64::consts::SQRT_2;

use onebit_bits::{Isa, vectorized};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The function that replaces the derivative of the sign in the backward pass. In a configuration `"clip"`,
/// or with a setting `{ name = "clip", bound = 1.25 }`.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::layers::Estimator;
///
/// let mut grad = [5.0; 4];
/// let slope = Estimator::default().of_activations(0.0);
/// slope.gate(Engine::single().isa(), &mut grad, &[-2.0, -1.0, 0.5, 2.0]);
/// assert_eq!(grad, [0.0, 5.0, 5.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub enum Estimator {
    /// `[|r| <= bound]`: the slope of a hard tanh.
    Clip {
        /// Above 0; 1 by default, 1.25 in QuickNet.
        bound: f32,
    },
    /// `2 - 2 |r|` between -1 and 1: the slope of two parabolas.
    ApproxSign,
    /// `beta (2 - z tanh(z / 2)) / (1 + cosh z)`, `z = beta r`: the slope of
    /// `2 sigmoid(z) (1 + z (1 - sigmoid(z))) - 1`. It is negative for large `|r|`.
    SwishSign {
        /// Above 0; 5 by default.
        beta: f32,
    },
    /// 1: signals pass unchanged.
    Identity,
    /// The slope of two parabolas that sharpen during the run.
    TrainingAware,
    /// The slope of a tanh that sharpens during the run.
    Tanh,
}

/// [`Clip`](Estimator::Clip) with a bound of 1.
impl Default for Estimator {
    fn default() -> Self {
        Estimator::Clip { bound: 1.0 }
    }
}

impl Estimator {
    /// Checks the setting.
    ///
    /// # Errors
    /// [`Error::Setting`] for a bound or beta that is not a positive number.
    pub fn check(self) -> Result<Self> {
        match self {
            Estimator::Clip { bound: x } | Estimator::SwishSign { beta: x }
                if !(x > 0.0 && x.is_finite()) =>
            {
                let name = if matches!(self, Estimator::Clip { .. }) { "bound" } else { "beta" };
                Err(Error::setting(format!("estimator {name}"), "a positive number", x))
            }
            sound => Ok(sound),
        }
    }

    /// The slope for activations, at a [progress of the run](crate::layer::Clock::progress) from 0 to 1.
    pub fn of_activations(self, progress: f64) -> Slope {
        match self {
            Estimator::TrainingAware => parabolas(1.0, power_of_ten(progress, -2.0).max(1.0)),
            other => other.of_weights(progress),
        }
    }

    /// The slope for latent weights, with RBNN's `k` and `t` unchanged.
    pub fn of_weights(self, progress: f64) -> Slope {
        let amplitude = |t: f64| (1.0 / t).max(1.0);
        match self {
            Estimator::Clip { bound } => Slope::Gate { bound },
            Estimator::ApproxSign => Slope::Tent { peak: 2.0, fall: 2.0 },
            Estimator::SwishSign { beta } => Slope::Swish { beta },
            Estimator::Identity => Slope::One,
            Estimator::TrainingAware => {
                let t = power_of_ten(progress, -2.0);
                parabolas(amplitude(t), t)
            }
            Estimator::Tanh => {
                let t = power_of_ten(progress, -3.0);
                Slope::Bell { peak: (amplitude(t) * t) as f32, t: t as f32 }
            }
        }
    }
}

/// `t`, which rises from `10^from` to 10.
fn power_of_ten(progress: f64, from: f64) -> f64 {
    libm::pow(10.0, from + progress * (1.0 - from))
}

/// `max(k (sqrt(2) t - t^2 |r|), 0)`.
fn parabolas(k: f64, t: f64) -> Slope {
    Slope::Tent { peak: (k * SQRT_2 * t) as f32, fall: (k * t * t) as f32 }
}

/// The slope `F'` at one point of the run, a function of `r`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slope {
    /// 1.
    One,
    /// `[|r| <= bound]`.
    Gate {
        /// The largest `|r|` that passes.
        bound: f32,
    },
    /// `max(peak - fall |r|, 0)`.
    Tent {
        /// The slope at 0.
        peak: f32,
        /// Its decrease for each unit of `|r|`.
        fall: f32,
    },
    /// `beta (2 - z tanh(z / 2)) / (1 + cosh z)`, `z = beta r`.
    Swish {
        /// Steepness.
        beta: f32,
    },
    /// `peak (1 - tanh^2(t r))`.
    Bell {
        /// The slope at 0.
        peak: f32,
        /// Inverse width.
        t: f32,
    },
}

impl Slope {
    /// `grad <- grad F'(r)`; grad and r have one length.
    pub fn gate(self, isa: Isa, grad: &mut [f32], r: &[f32]) {
        multiply(isa, self, grad, r);
    }
}

vectorized! {
    fn multiply<'a>(slope: Slope, grad: &'a mut [f32], r: &'a [f32]) {
        match slope {
            Slope::One => {}
            Slope::Gate { bound } => each(grad, r, |g, r| if r.abs() <= bound { g } else { 0.0 }),
            Slope::Tent { peak, fall } => each(grad, r, |g, r| g * (peak - fall * r.abs()).max(0.0)),
            Slope::Swish { beta } => each(grad, r, |g, r| {
                let z = (beta * r).abs().min(FAR);
                let e = exp_of_minus(z); // tanh(z / 2) = (1 - e) / (1 + e), 1 + cosh z = (1 + e)^2 / 2 e
                g * (beta * (2.0 - z * (1.0 - e) / (1.0 + e)) * (2.0 * e / ((1.0 + e) * (1.0 + e))))
            }),
            Slope::Bell { peak, t } => each(grad, r, |g, r| {
                let e = exp_of_minus((2.0 * t * r).abs().min(FAR)); // 1 - tanh^2 z = 4 e / (1 + e)^2
                g * (peak * (4.0 * e / ((1.0 + e) * (1.0 + e))))
            }),
        }
    }
}

/// The largest argument: just above it `exp(-z)` leaves the normal numbers.
const FAR: f32 = 87.0;

/// `exp(-z)` for z from 0 to [`FAR`], to within two units in the last place. Unlike the one of `libm` it has
/// no branches, so it vectorizes and is ten times faster. It gives the same bits everywhere, because it only
/// multiplies and adds.
#[inline(always)]
fn exp_of_minus(z: f32) -> f32 {
    /// Numbers near it are integers, whose lowest bits hold that integer.
    const WHOLE: f32 = 1.5 * (1u32 << 23) as f32;
    /// ln 2 as a sum; products with the first part are exact.
    const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];
    let shifted = z * -std::f32::consts::LOG2_E + WHOLE;
    let n = shifted - WHOLE;
    let x = (-z - n * LN_2[0]) - n * LN_2[1]; // exp(-z) = 2^n exp(x), |x| <= 0.35
    let mut sum = 1.0;
    for k in [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0] {
        sum = 1.0 + sum * x * (1.0 / k);
    }
    let exponent = shifted.to_bits().wrapping_sub(WHOLE.to_bits()).wrapping_add(127);
    sum * f32::from_bits(exponent << 23)
}

#[inline(always)]
fn each(grad: &mut [f32], r: &[f32], slope: impl Fn(f32, f32) -> f32) {
    for (g, &r) in grad.iter_mut().zip(r) {
        *g = slope(*g, r);
    }
}

// === text form ===

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected the name of an estimator, or { name, bound } or { name, beta }")]
enum Text {
    Name(String),
    Table(Table),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bound: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beta: Option<f32>,
}

const NAMES: [&str; 6] = ["clip", "approx-sign", "swish-sign", "identity", "training-aware", "tanh"];

impl TryFrom<Text> for Estimator {
    type Error = String;

    fn try_from(text: Text) -> std::result::Result<Self, String> {
        let Table { name, bound, beta } = match text {
            Text::Name(name) => Table { name, bound: None, beta: None },
            Text::Table(table) => table,
        };
        let estimator = match (name.as_str(), bound, beta) {
            ("clip", bound, None) => Estimator::Clip { bound: bound.unwrap_or(1.0) },
            ("approx-sign", None, None) => Estimator::ApproxSign,
            ("swish-sign", None, beta) => Estimator::SwishSign { beta: beta.unwrap_or(5.0) },
            ("identity", None, None) => Estimator::Identity,
            ("training-aware", None, None) => Estimator::TrainingAware,
            ("tanh", None, None) => Estimator::Tanh,
            (name, ..) if NAMES.contains(&name) => {
                let settings = "bound for clip and beta for swish-sign alone";
                return Err(format!("estimator settings: expected {settings}, got another for \"{name}\""));
            }
            _ => return Err(format!("estimator: expected one of {}, got \"{name}\"", NAMES.join(", "))),
        };
        estimator.check().map_err(|error| error.to_string())
    }
}

impl From<Estimator> for Text {
    fn from(estimator: Estimator) -> Self {
        let (name, bound, beta) = match estimator {
            Estimator::Clip { bound } => ("clip", Some(bound).filter(|bound| *bound != 1.0), None),
            Estimator::ApproxSign => ("approx-sign", None, None),
            Estimator::SwishSign { beta } => ("swish-sign", None, Some(beta).filter(|beta| *beta != 5.0)),
            Estimator::Identity => ("identity", None, None),
            Estimator::TrainingAware => ("training-aware", None, None),
            Estimator::Tanh => ("tanh", None, None),
        };
        let name = name.to_owned();
        if bound.or(beta).is_none() { Text::Name(name) } else { Text::Table(Table { name, bound, beta }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_right_to_two_units_in_the_last_place() {
        assert_eq!(exp_of_minus(0.0), 1.0);
        for step in 0..=870_000 {
            let z = step as f32 * 1e-4;
            let z = z.min(FAR);
            let exact = libm::exp(-f64::from(z));
            let error = (f64::from(exp_of_minus(z)) - exact).abs() / exact;
            assert!(error <= 2.0 * f64::from(f32::EPSILON), "{z}: {error:e}");
        }
    }
}
