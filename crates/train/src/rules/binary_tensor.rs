//! Binary weights: the bits, the rule that decides which of them flip, and the bits packed for products.

use onebit_bits::{BitTensor, BitView, Engine, Panels};

use crate::{
    contract::{
        context::Context,
        meter::{Meter, Observation, Parameters},
        rule::Rule,
        state::State,
        value::Signal,
        weight_gradient::WeightGradient,
    },
    error::Result,
};

/// The weights of a layer, `(o, i)` bits. Every training method updates them in the same way:
/// `weights ^= rule.flips(weights, signal)`.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{Matrix, Signal, binary_tensor::BinaryTensor, layer::Context, rules::Bop};
///
/// let mut weights = BinaryTensor::new(1, 3, Box::new(Bop::with(0.1, 1.0)?), 42)?;
/// let before = weights.bits().clone();
/// let signs = (0..3).map(|i| if before.get(0, i) { 1.0 } else { -1.0 }).collect();
/// let signal = Signal::Grad(Matrix::new(1, 3, signs)?);
/// let flips = weights.update(&Context::train(&Engine::single()), &signal, 0.0)?;
/// assert_eq!(flips.count_ones(), 3);
/// assert_eq!(*weights.bits(), before.not());
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub struct BinaryTensor {
    bits: BitTensor,
    rule: Box<dyn Rule>,
    flipped: Meter,
    epochs: Option<Epochs>,
    version: u64,
    rows: Packed,
    rows_for_reals: Packed,
    columns: Packed,
    columns_for_reals: Packed,
}

/// The history of the weights across reports.
struct Epochs {
    /// The weights at the last report: (o, i).
    last: BitTensor,
    /// The weights that have differed between two successive reports: (o, i).
    moved: BitTensor,
}

/// Packed weights, packed again once some have flipped.
#[derive(Default)]
struct Packed {
    panels: Option<Panels>,
    stale: bool,
}

impl Packed {
    fn get(&mut self, engine: &Engine, bits: BitView, pack: fn(&Engine, BitView) -> Panels) -> &Panels {
        if let Some(panels) = &mut self.panels
            && (self.stale || panels.isa() != engine.isa())
        {
            panels.repack(engine, bits);
        }
        self.stale = false;
        self.panels.get_or_insert_with(|| pack(engine, bits))
    }
}

impl BinaryTensor {
    /// Creates the weights of a layer, `(o, i)`, with the initial values of the rule.
    ///
    /// # Errors
    /// Returns the error of the rule if a state that was set by hand does not fit.
    pub fn new(outputs: usize, inputs: usize, mut rule: Box<dyn Rule>, seed: u64) -> Result<Self> {
        let bits = rule.start(outputs, inputs, seed)?;
        Ok(Self {
            bits,
            rule,
            flipped: Meter::default(),
            epochs: None,
            version: 0,
            rows: Packed::default(),
            rows_for_reals: Packed::default(),
            columns: Packed::default(),
            columns_for_reals: Packed::default(),
        })
    }

    /// The weights, `(o, i)` bits.
    pub fn bits(&self) -> &BitTensor {
        &self.bits
    }

    /// A view of the weights, `(o, i)` bits.
    pub fn view(&self) -> BitView<'_> {
        self.bits.view()
    }

    /// The weights packed for `x w^T` with binary `x`.
    pub fn rows(&mut self, engine: &Engine) -> &Panels {
        self.rows.get(engine, self.bits.view(), Panels::of_rows)
    }

    /// The weights packed for `x w^T` with real `x`.
    pub fn rows_for_reals(&mut self, engine: &Engine) -> &Panels {
        self.rows_for_reals.get(engine, self.bits.view(), Panels::of_rows_for_reals)
    }

    /// The weights packed for `dy w` with `dy` in -1, 0 and +1.
    pub fn columns(&mut self, engine: &Engine) -> &Panels {
        self.columns.get(engine, self.bits.view(), Panels::of_columns)
    }

    /// The weights packed for `dy w` with real `dy`.
    pub fn columns_for_reals(&mut self, engine: &Engine) -> &Panels {
        self.columns_for_reals.get(engine, self.bits.view(), Panels::of_columns_for_reals)
    }

    /// The rule that decides the flips.
    pub fn rule(&self) -> &dyn Rule {
        &*self.rule
    }

    /// Flips the weights that the rule chooses; returns the flips, `(o, i)`.
    ///
    /// # Errors
    /// Returns the errors of the rule.
    pub fn update(&mut self, cx: &Context, signal: &Signal, rate: f64) -> Result<BitTensor> {
        let flips = self.rule.flips(cx, self.bits.view(), signal, rate)?;
        self.bits.flip(flips.view())?;
        self.count(flips.count_ones());
        Ok(flips)
    }

    /// Updates the weights by a gradient that is not computed yet and need never be stored.
    ///
    /// # Errors
    /// Returns the errors of the rule.
    pub fn descend(&mut self, cx: &Context, gradient: &mut WeightGradient, rate: f64) -> Result<()> {
        let flips = self.rule.descend(cx, &mut self.bits, gradient, rate)?;
        self.count(flips);
        Ok(())
    }

    /// Names the bits, the rule's state and the measurements; see
    /// [`Layer::state`](crate::contract::layer::Layer::state).
    ///
    /// # Errors
    /// Returns the errors of `state`.
    pub fn state(&mut self, state: &mut State) -> Result<()> {
        state.bits("bits", &mut self.bits)?;
        self.flipped.state("flipped", state)?;
        let mut there = self.epochs.is_some();
        state.flag("observed", &mut there)?;
        let empty = || BitTensor::zeros(self.bits.rows(), self.bits.cols());
        self.epochs =
            there.then(|| self.epochs.take().unwrap_or_else(|| Epochs { last: empty(), moved: empty() }));
        if let Some(Epochs { last, moved }) = &mut self.epochs {
            state.bits("last", last)?;
            state.bits("moved", moved)?;
        }
        self.changed();
        state.within("rule", |state| self.rule.state(state))
    }

    fn count(&mut self, flips: u64) {
        self.flipped.count(flips, self.bits.rows() * self.bits.cols());
        if flips > 0 {
            self.changed();
        }
    }

    /// Marks everything packed as stale.
    fn changed(&mut self) {
        self.version += 1;
        for packed in
            [&mut self.rows, &mut self.rows_for_reals, &mut self.columns, &mut self.columns_for_reals]
        {
            packed.stale = true;
        }
    }

    /// A number that changes whenever the weights do, for layers that pack them in their own way.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The number of weights.
    pub fn parameters(&self) -> Parameters {
        Parameters { bits: self.bits.rows() * self.bits.cols(), reals: 0 }
    }

    /// The share of the weights that flipped, averaged over the steps since the last call, and the share of
    /// those that had the same value at every call.
    pub fn observe(&mut self) -> Observation {
        let bits = &self.bits;
        let mut dead_weights = None;
        if let Some(Epochs { last, moved }) = &mut self.epochs {
            let same = "they have the weights' shape";
            let changed = last.xor(bits.view()).expect(same);
            moved.flip(changed.and(moved.not().view()).expect(same).view()).expect(same);
            last.flip(changed.view()).expect(same);
            let all = (bits.rows() * bits.cols()) as f64;
            dead_weights = Some(1.0 - moved.count_ones() as f64 / all);
        } else {
            let moved = BitTensor::zeros(bits.rows(), bits.cols());
            self.epochs = Some(Epochs { last: bits.clone(), moved });
        }
        Observation { update_ratio: self.flipped.take(), dead_weights, ..Observation::default() }
    }
}
