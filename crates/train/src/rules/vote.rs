//! The rule of flip backprop: a weight flips when enough samples of the batch ask for it.
//!
//! If `n` of `voters` samples ask for a flip, the weight flips where `n > p * voters`, with
//! `p = max(mean(n) / voters, p_min)`. The **update suppressor** then carries out a random share `rate` of
//! these flips; level `s` of the report is `rate = 2^-s`.

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

/// A vote of the samples, without any state per weight.
///
/// ```
/// use onebit_bits::Engine;
/// use onebit_train::{Signal, Votes, layer::Context, rules::{Rule, Vote}};
///
/// let mut vote = Vote::new();
/// let weights = vote.start(1, 4, 42)?;
/// // Of 10 samples 9, 6, 5 and 0 ask for a flip; the quorum is max(mean 5 / 10, 0.5) = 0.5.
/// let votes = Votes { rows: 1, cols: 4, voters: 10, counts: vec![9, 6, 5, 0] };
/// let cx = Context::train(&Engine::single());
/// let flips = vote.flips(&cx, weights.view(), &Signal::Votes(votes), 1.0)?;
/// assert_eq!([0, 1, 2, 3].map(|i| flips.get(0, i)), [true, true, false, false]);
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Vote {
    p_min: f64,
    seed: u64,
    step: u64,
    /// For reports: the share of voters that asked a weight to flip, for a sample of weights in the last
    /// inspected step.
    shares: Vec<f32>,
}

/// The largest number of weights whose votes are kept for reports.
const SHOWN: usize = 1 << 10;

impl Vote {
    /// Creates the rule of the report, with a quorum of half of the batch.
    pub fn new() -> Self {
        Self { p_min: 0.5, seed: 0, step: 0, shares: Vec::new() }
    }

    /// Creates the rule with the quorum `p_min`, from 0 to 1. Near 0 a single request flips a weight and
    /// learning is noise; near 1 only unanimous requests count and learning stops.
    ///
    /// # Errors
    /// [`Error::Setting`] if `p_min` is outside the range.
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
        // Stream 0 drew the initial weights.
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
