//! The sign with its straight-through estimator (arXiv:1602.02830, equation 4).

use onebit_bits::pack_signs_into;

use crate::{
    contract::{
        context::Context,
        export::Exporter,
        layer::Layer,
        meter::{Meter, Observation},
        state::State,
        value::{Signal, Value},
    },
    error::Result,
    layers::{Estimator, signs::straight_through::StraightThrough},
};

const NAME: &str = "sign";

/// The sign: real numbers r `(b, x)` to bits y `(b, x)` (arXiv:1602.02830, equation 4).
///
/// Forward: `y = sgn(r)`, with `sgn(0) = +1`. Backward: `dr = dy F'(r)`, by default `F'(r) = [|r| <= 1]`,
/// boundary included; an [`Estimator`] chooses another `F'`.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Signal, Value,
///     layer::{Context, Layer},
///     layers::Sign,
/// };
///
/// let cx = Context::train(&Engine::single());
/// let mut sign = Sign::new();
/// let y = sign.forward(&cx, Value::Real(Matrix::new(1, 3, vec![-0.5, 0.0, 2.0])?))?.into_bits("y")?;
/// assert_eq!([0, 1, 2].map(|x| y.get(0, x)), [false, true, true]); // -1, +1, +1
///
/// sign.receive(&cx, Signal::Grad(Matrix::new(1, 3, vec![7.0; 3])?))?;
/// assert_eq!(sign.send(&cx)?, Signal::Grad(Matrix::new(1, 3, vec![7.0, 7.0, 0.0])?));
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct Sign {
    estimator: Estimator,
    back: StraightThrough,
    mean_of_bits: Meter,
}

impl Sign {
    /// A sign for any number of features.
    pub fn new() -> Self {
        Self {
            estimator: Estimator::default(),
            back: StraightThrough::new(NAME),
            mean_of_bits: Meter::default(),
        }
    }

    /// A sign with another estimator.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a setting of the estimator outside its range.
    pub fn with_estimator(estimator: Estimator) -> Result<Self> {
        Ok(Self { estimator: estimator.check()?, ..Self::new() })
    }
}

impl Default for Sign {
    fn default() -> Self {
        Self::new()
    }
}

impl Layer for Sign {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, r: Value) -> Result<Value> {
        let r = r.into_real(NAME)?; // r: (b, x) real
        let mut y = cx.bits(r.rows(), r.cols());
        pack_signs_into(&cx.engine, r.values(), &mut y)?;
        if cx.training() {
            self.mean_of_bits.add(&y);
        }
        self.back.keep(cx, r);
        Ok(Value::Bits(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let slope = self.estimator.of_activations(cx.clock.progress());
        self.back.receive(cx, signal, |isa, grad, r| slope.gate(isa, grad, r)).map(drop)
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.back.send()
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.mean_of_bits.state("mean_of_bits", state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.sign()
    }

    fn observe(&mut self) -> Observation {
        Observation { mean_of_bits: self.mean_of_bits.take(), ..Observation::default() }
    }
}
