//! Weights: bits, the rule that decides which of them flip, and the bits packed for products.

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

/// The weights of a layer, `(o, i)` bits. There is one verb for every training method:
/// `weights ^= rule.flips(weights, signal)`.
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

/// What became of the weights from one report to the next.
struct Epochs {
    /// As they were at the last one: (o, i).
    last: BitTensor,
    /// Those that ever were another way than at the one before: (o, i).
    moved: BitTensor,
}

/// Weights packed once, and again when some have flipped.
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
    /// Weights as the rule wants them to start, `(o, i)`.
    ///
    /// # Errors
    /// Those of the rule, when a state that it was given does not fit.
    pub fn new(outputs: usize, inputs: usize, mut rule: Box<dyn Rule>, seed: u64) -> Result<Self> {
        let bits = rule.start(outputs, inputs, seed)?;
        let (flipped, epochs, version) = Default::default();
        let (rows, rows_for_reals, columns, columns_for_reals) = Default::default();
        Ok(Self { bits, rule, flipped, epochs, version, rows, rows_for_reals, columns, columns_for_reals })
    }

    /// The weights, `(o, i)` bits.
    pub fn bits(&self) -> &BitTensor {
        &self.bits
    }

    /// A view of the weights, `(o, i)` bits.
    pub fn view(&self) -> BitView<'_> {
        self.bits.view()
    }

    /// Packed for `x w^T`, x bits.
    pub fn rows(&mut self, engine: &Engine) -> &Panels {
        self.rows.get(engine, self.bits.view(), Panels::of_rows)
    }

    /// Packed for `x w^T`, x real.
    pub fn rows_for_reals(&mut self, engine: &Engine) -> &Panels {
        self.rows_for_reals.get(engine, self.bits.view(), Panels::of_rows_for_reals)
    }

    /// Packed for `dy w`, dy of -1, 0 and +1.
    pub fn columns(&mut self, engine: &Engine) -> &Panels {
        self.columns.get(engine, self.bits.view(), Panels::of_columns)
    }

    /// Packed for `dy w`, dy real.
    pub fn columns_for_reals(&mut self, engine: &Engine) -> &Panels {
        self.columns_for_reals.get(engine, self.bits.view(), Panels::of_columns_for_reals)
    }

    /// The rule behind the weights.
    pub fn rule(&self) -> &dyn Rule {
        &*self.rule
    }

    /// Lets the rule decide, flips, and returns the flips, `(o, i)`.
    ///
    /// # Errors
    /// Those of the rule.
    pub fn update(&mut self, cx: &Context, signal: &Signal, rate: f64) -> Result<BitTensor> {
        let flips = self.rule.flips(cx, self.bits.view(), signal, rate)?;
        self.bits.flip(flips.view())?;
        self.count(flips.count_ones());
        Ok(flips)
    }

    /// [`update`](Self::update) by a gradient that is not computed yet, and need never be stored.
    ///
    /// # Errors
    /// Those of the rule.
    pub fn descend(&mut self, cx: &Context, gradient: &mut WeightGradient, rate: f64) -> Result<()> {
        let flips = self.rule.descend(cx, &mut self.bits, gradient, rate)?;
        self.count(flips);
        Ok(())
    }

    /// Bits, rule and what was measured, as [`Layer::state`](crate::contract::layer::Layer::state).
    ///
    /// # Errors
    /// Those of `state`.
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

    /// What is packed is so no longer.
    fn changed(&mut self) {
        self.version += 1;
        for packed in
            [&mut self.rows, &mut self.rows_for_reals, &mut self.columns, &mut self.columns_for_reals]
        {
            packed.stale = true;
        }
    }

    /// A number that changes whenever the weights do, for who packs them in a way of its own.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many weights there are.
    pub fn parameters(&self) -> Parameters {
        Parameters { bits: self.bits.rows() * self.bits.cols(), reals: 0 }
    }

    /// Share of the weights that flipped, in the mean over the steps since the last call, and of those that were the same
    /// way at every call.
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
