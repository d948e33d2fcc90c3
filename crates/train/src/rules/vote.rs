//! Flip backprop's rule: a weight flips when enough of the batch asks for it.
//!
//! `n` of `voters` ask for a flip: `p = max(mean(n) / voters, p_min)`, flip where `n > p * voters`.
//! The **update suppressor** then carries out a share `rate` of these flips, chosen at random:
//! level `s` of the report is `rate = 2^-s`.

use onebit_bits::{BitTensor, BitView, Probability, mask, votes_to_flips};

use crate::{
    contract::{
        check::check_quorum,
        context::Context,
        rule::{Rule, even_sample},
        state::State,
        value::Signal,
    },
    error::{Error, Result},
};

/// Majority of the samples, without any memory.
#[derive(Clone, Debug)]
pub struct Vote {
    p_min: f64,
    seed: u64,
    step: u64,
    /// Of the last step that was looked at: the share of the voters that asked each of some weights to flip.
    shares: Vec<f32>,
}

/// Weights whose votes are kept to be looked at, at most.
const SHOWN: usize = 1 << 10;

impl Vote {
    /// The report's rule: more than half of the batch.
    pub fn new() -> Self {
        Self { p_min: 0.5, seed: 0, step: 0, shares: Vec::new() }
    }

    /// Another quorum than 1/2. Range 0 to 1; near 0 every weight that anyone complains about flips
    /// and learning is noise, near 1 only unanimous requests are heard and learning stops.
    ///
    /// # Errors
    /// [`Error::Setting`] outside the range.
    pub fn with_quorum(p_min: f64) -> Result<Self> {
        Ok(Self { p_min: check_quorum("quorum", p_min)?, ..Self::new() })
    }
}

impl Default for Vote {
    fn default() -> Self {
        Self::new()
    }
}

impl Rule for Vote {
    fn start(&mut self, rows: usize, cols: usize, seed: u64) -> Result<BitTensor> {
        self.seed = seed;
        Ok(onebit_bits::random_bits(seed, 0, rows, cols))
    }

    fn flips(&mut self, cx: &Context, weights: BitView, signal: &Signal, rate: f64) -> Result<BitTensor> {
        let Signal::Votes(votes) = signal else {
            return Err(Error::Kind { layer: "vote", expected: "votes", got: signal.kind() });
        };
        if (votes.rows, votes.cols) != (weights.rows(), weights.cols()) {
            return Err(Error::shape(
                "vote",
                format!("votes of {} x {}", weights.rows(), weights.cols()),
                format!("{} x {}", votes.rows, votes.cols),
            ));
        }
        if cx.inspected {
            let share = |&n: &u32| n as f32 / votes.voters.max(1) as f32;
            self.shares = even_sample(&votes.counts, SHOWN).map(share).collect();
        }
        let asked = votes_to_flips(votes.rows, votes.cols, &votes.counts, votes.voters, self.p_min)?;
        // Stream 0 drew the first weights.
        self.step = self.step.wrapping_add(1);
        let carried_out = mask(self.seed, self.step, votes.rows, votes.cols, Probability::new(rate)?);
        Ok(asked.and(carried_out.view())?)
    }

    fn inertia(&self, most: usize) -> Option<(&'static str, Vec<f32>)> {
        let shares = even_sample(&self.shares, most).copied().collect();
        (!self.shares.is_empty()).then_some(("votes", shares))
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.count("step", &mut self.step)
    }
}
