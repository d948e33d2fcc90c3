//! The float twin of a run: the same data, sizes and epochs, with real weights and rectified sums.

use crate::{
    config::{Config, Method, RealProduct},
    training::Batch,
};

/// Adam's rate in a twin: latent weights take larger steps, for their scale and because only signs count.
const RATE: f64 = 1e-3;

impl Config {
    /// The same run with real weights under Adam, batch norm and rectified sums. Dropout stays. Rates become at most 1e-3; a
    /// flip run's phases decay from there to a hundredth.
    #[must_use]
    pub fn float_twin(mut self) -> Self {
        let flip = self.method != Method::StraightThrough;
        self.method = Method::StraightThrough;
        self.network.real = vec![RealProduct::All];
        let n = &mut self.network;
        (n.thresholds, n.hidden_thresholds) = (None, None);
        (n.norm, n.activation, n.estimator) = (None, None, None);
        let t = &mut self.training;
        (t.order, t.quorum, t.activation_quorum, t.gradient) = (None, None, None, None);
        (t.rule, t.optimizer, t.real_optimizer) = (None, None, None);
        for phase in &mut self.phases {
            if flip {
                (phase.suppressor, phase.rate) = (None, None);
                (phase.learning_rate, phase.final_rate) = (Some(RATE), Some(RATE / 100.0));
                phase.batch = match phase.batch {
                    Batch::All => Batch::Size(32), // of so few steps Adam makes nothing
                    size => size,
                };
            }
            let rate = phase.learning_rate.unwrap_or(RATE);
            let share = RATE.min(rate) / rate;
            phase.learning_rate = Some(rate * share);
            phase.final_rate = phase.final_rate.map(|last| last * share);
        }
        self
    }
}
