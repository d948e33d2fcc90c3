//! The ternary sign (arXiv:1605.04711; with a fixed threshold, as in Larq).

use onebit_bits::{BitTensor, Ternary, pack_at_least};

use crate::{
    contract::{
        context::Context,
        export::Exporter,
        layer::Layer,
        meter::{Meter, Observation},
        state::State,
        value::{Signal, Value},
    },
    error::{Error, Result},
    layers::{Estimator, signs::straight_through::StraightThrough},
};

const NAME: &str = "ternary_sign";

/// The ternary sign: real numbers r `(b, x)` to -1, 0 and +1 (arXiv:1605.04711; with a fixed threshold, as in
/// Larq).
///
/// Forward: `y = +1` where `r >= threshold`, -1 where `r <= -threshold`, else 0. Backward:
/// `dr = dy [|r| <= 1]`, as for a [`Sign`](crate::layers::Sign).
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Value,
///     layer::{Context, Layer},
///     layers::TernarySign,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut sign = TernarySign::new(0.05)?;
/// let y = sign.forward(&cx, Value::Real(Matrix::new(1, 3, vec![-0.3, 0.01, 0.05])?))?;
/// let Value::Ternary(y, scale) = y else { unreachable!("the layer returns ternary numbers") };
/// assert_eq!(([0, 1, 2].map(|x| y.get(0, x)), scale), ([-1, 0, 1], 1.0));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct TernarySign {
    threshold: f32,
    back: StraightThrough,
    mean_of_bits: Meter,
}

impl TernarySign {
    /// The threshold of Larq.
    pub const THRESHOLD: f32 = 0.05;

    /// Creates a ternary sign with a threshold above 0; Larq uses 0.05.
    ///
    /// # Errors
    /// [`Error::Setting`] for a threshold that is not a positive number.
    pub fn new(threshold: f32) -> Result<Self> {
        if !(threshold > 0.0 && threshold.is_finite()) {
            return Err(Error::setting("ternary_sign threshold", "a positive number", threshold));
        }
        Ok(Self { threshold, back: StraightThrough::new(NAME), mean_of_bits: Meter::default() })
    }
}

impl Layer for TernarySign {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, r: Value) -> Result<Value> {
        let r = r.into_real(NAME)?; // r: (b, x) real
        let past = |threshold: f32, down: bool| {
            let (thresholds, down) =
                (vec![threshold; r.cols()], BitTensor::from_fn(1, r.cols(), |_, _| down));
            pack_at_least(&cx.engine, r.rows(), r.cols(), r.values(), &thresholds, down.view())
        };
        let (sign, mut nonzero) = (past(self.threshold, false)?, past(-self.threshold, true)?);
        nonzero.flip(sign.view())?; // no value is past both thresholds
        if cx.training() {
            self.mean_of_bits.count(sign.count_ones(), nonzero.count_ones() as usize);
        }
        self.back.keep(cx, r);
        Ok(Value::Ternary(Ternary::new(sign, nonzero)?, 1.0))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let slope = Estimator::default().of_activations(cx.clock.progress());
        self.back.receive(cx, signal, |isa, grad, r| slope.gate(isa, grad, r)).map(drop)
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.back.send()
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.mean_of_bits.state("mean_of_bits", state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        Err(to.refuse("the runtime's activations have two values, not three"))
    }

    /// The mean of bits is the share of +1 among the outputs that are not 0.
    fn observe(&mut self) -> Observation {
        Observation { mean_of_bits: self.mean_of_bits.take(), ..Observation::default() }
    }
}
