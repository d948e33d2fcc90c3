//! The stochastic sign (arXiv:1602.02830, section 1.1).

use onebit_bits::{Noise, pack_random_signs_into, pack_signs_into};

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

const NAME: &str = "stochastic_sign";

/// The stochastic sign: real numbers r `(b, x)` to bits y `(b, x)` (arXiv:1602.02830, section 1.1).
///
/// Forward, in training: `y = +1` with probability `p = max(0, min(1, (r + 1) / 2))`, else -1; in evaluation
/// `y = sgn(r)`, with `sgn(0) = +1`. Backward: `dr = dy [|r| <= 1]`, the slope of `2 p - 1`, which is the
/// mean of `y`. The Torch code of the paper uses it for all hidden units.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{
///     Matrix, Value,
///     layer::{Context, Layer},
///     layers::StochasticSign,
/// };
///
/// let (train, evaluate) = (Context::train(&Engine::single()), Context::evaluate(&Engine::single()));
/// let mut sign = StochasticSign::new(1);
/// let mut ones = |cx: &Context, r: f32| -> onebit_train::Result<u64> {
///     let y = sign.forward(cx, Value::Real(Matrix::new(1, 1000, vec![r; 1000])?))?;
///     Ok(y.into_bits("y")?.count_ones())
/// };
/// assert!((700..800).contains(&ones(&train, 0.5)?)); // p = 0.75
/// assert_eq!(ones(&train, 2.0)?, 1000);
/// assert_eq!(ones(&evaluate, 0.5)?, 1000);
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct StochasticSign {
    seed: u64,
    step: u64,
    back: StraightThrough,
    mean_of_bits: Meter,
}

impl StochasticSign {
    /// A sign for any number of features. The random draws depend only on seed, step, row and column; give
    /// each layer its own seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, step: 0, back: StraightThrough::new(NAME), mean_of_bits: Meter::default() }
    }
}

impl Layer for StochasticSign {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forward(&mut self, cx: &Context, r: Value) -> Result<Value> {
        let r = r.into_real(NAME)?; // r: (b, x) real
        let mut y = cx.bits(r.rows(), r.cols());
        if cx.training() {
            self.step += 1;
            let noise = Noise { seed: self.seed, step: self.step };
            pack_random_signs_into(&cx.engine, r.values(), noise, &mut y)?;
            self.mean_of_bits.add(&y);
        } else {
            pack_signs_into(&cx.engine, r.values(), &mut y)?;
        }
        self.back.keep(cx, r);
        Ok(Value::Bits(y))
    }

    fn receive(&mut self, cx: &Context, signal: Signal) -> Result<()> {
        let slope = Estimator::default().of_activations(cx.clock.progress());
        self.back.receive(cx, signal, |isa, grad, r| slope.gate(isa, grad, r)).map(drop)
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        self.back.send()
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.count("step", &mut self.step)?;
        self.mean_of_bits.state("mean_of_bits", state)
    }

    fn export(&self, to: &mut Exporter) -> Result<()> {
        to.sign()
    }

    fn observe(&mut self) -> Observation {
        Observation { mean_of_bits: self.mean_of_bits.take(), ..Observation::default() }
    }
}
