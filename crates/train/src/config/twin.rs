//! The float twin of a run: the same data, layer sizes and epochs, with real weights and ReLU.

use crate::{
    config::{Config, Method, RealProduct},
    training::Batch,
};

/// Maximum learning rate of a twin. Latent weights take larger steps, because of their scale and because only
/// their signs matter.
const RATE: f64 = 1e-3;

impl Config {
    /// Returns the same run with real weights under Adam, batch norm and ReLU; dropout stays. Rates become at
    /// most 1e-3. Phases of a flip run decay from 1e-3 to 1e-5.
    ///
    /// ```
    /// use onebit_train::{config, experiment};
    ///
    /// let twin = config::preset("digits")?.float_twin();
    /// let net = experiment::network(&twin, &experiment::load(&twin, None)?)?;
    /// assert_eq!(net.parameters().bits, 0);
    /// assert_eq!(twin.phases()?[0].rate, 1e-3);
    /// # Ok::<(), onebit_train::Error>(())
    /// ```
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
                    Batch::All => Batch::Size(32), // one step per epoch is too few for Adam
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
