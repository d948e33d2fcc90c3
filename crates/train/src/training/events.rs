//! The events of a run, and the listener that receives them.

use serde::{Deserialize, Serialize};

use crate::{contract::meter::Observation, network::Network, training::inspect::StepReport};

/// The measures of an epoch.
///
/// Evaluation uses the exported model; if a layer cannot be exported, it uses the network in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// Epoch over all phases, from 1.
    pub epoch: usize,
    /// Phase, from 1.
    pub phase: usize,
    /// Rate of the epoch.
    pub rate: f64,
    /// Mean loss over the batches of the epoch, measured before each update.
    pub loss: f64,
    /// Share of the training samples that were classified correctly, measured before each update.
    pub train_accuracy: f64,
    /// Accuracy on the validation part.
    pub validation_accuracy: Option<f64>,
    /// Mean loss on the validation part; a teacher does not contribute to it.
    #[serde(default)]
    pub validation_loss: Option<f64>,
    /// Accuracy on the test part.
    pub test_accuracy: Option<f64>,
    /// Mean loss on the test part; a teacher does not contribute to it.
    #[serde(default)]
    pub test_loss: Option<f64>,
    /// Name and measures of each layer.
    pub layers: Vec<(String, Observation)>,
}

impl EpochReport {
    /// Returns the mean share of weights that flip in a step, averaged over the layers that measure it.
    pub fn update_ratio(&self) -> Option<f64> {
        let ratios: Vec<f64> = self.layers.iter().filter_map(|(_, o)| o.update_ratio).collect();
        (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64)
    }
}

/// The progress of a run after a batch.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Samples trained on since the start of the run.
    pub done: u64,
    /// Samples of the whole run.
    pub total: u64,
    /// Epoch over all phases, from 1.
    pub epoch: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// Mean loss of the epoch so far.
    pub loss: f64,
    /// Share of correctly classified samples of the epoch so far.
    pub accuracy: f64,
    /// Seconds spent on training steps, without evaluation, since the run began or was last resumed.
    pub seconds: f64,
}

/// An event of a run.
#[non_exhaustive]
pub enum Event<'a> {
    /// The run begins, or resumes from a checkpoint.
    Begin {
        /// The network in its initial or restored state.
        net: &'a Network,
        /// Number of finished steps.
        steps: u64,
        /// Number of samples in these steps.
        samples: u64,
    },
    /// A step was inspected, because [`Listener::wants_step`] asked for it.
    Step(&'a StepReport),
    /// A batch is finished.
    Batch(Progress),
    /// An epoch is finished and evaluated.
    Epoch(&'a EpochReport),
    /// All epochs are finished.
    End {
        /// The kept network; if that was kept as a model, the network after the last epoch.
        net: &'a mut Network,
        /// Whether the run has a model to deploy.
        deployed: bool,
    },
    /// A problem that does not stop the run, such as a checkpoint that could not be saved or was damaged.
    Warning(&'a str),
}

/// Receives the events of a run, chooses the steps to inspect, and may stop the run.
///
/// For a closure that only receives events, use [`Training::on_event`](crate::Training::on_event).
///
/// ```
/// use onebit_train::{Event, Listener, config, experiment};
///
/// struct StopAfter {
///     epochs: usize,
/// }
///
/// impl Listener for StopAfter {
///     fn on_event(&mut self, event: Event) {
///         if let Event::Epoch(_) = event {
///             self.epochs -= 1;
///         }
///     }
///
///     fn should_stop(&mut self) -> bool {
///         self.epochs == 0
///     }
/// }
///
/// let config = config::preset("iris")?;
/// let split = experiment::load(&config, None)?;
/// let stopped = experiment::training(&config, &split)?.listener(StopAfter { epochs: 2 }).run();
/// assert_eq!(stopped.err().unwrap().to_string(), "stopped in epoch 3 after batch 1");
/// # Ok::<(), onebit_train::Error>(())
/// ```
pub trait Listener {
    /// Receives an event.
    fn on_event(&mut self, event: Event);

    /// Whether to inspect step `step` of `steps`, counted from 1. Its report follows as an [`Event::Step`].
    fn wants_step(&mut self, _step: u64, _steps: u64) -> bool {
        false
    }

    /// Whether to stop the run after the current batch. A stopped run saves a checkpoint, if it has any, and
    /// ends with [`Error::Stopped`](crate::Error::Stopped).
    fn should_stop(&mut self) -> bool {
        false
    }
}

impl<L: Listener + ?Sized> Listener for &mut L {
    fn on_event(&mut self, event: Event) {
        (**self).on_event(event);
    }

    fn wants_step(&mut self, step: u64, steps: u64) -> bool {
        (**self).wants_step(step, steps)
    }

    fn should_stop(&mut self) -> bool {
        (**self).should_stop()
    }
}

/// Whether `step` of `steps`, counted from 1, belongs to an evenly spaced sample of `most` steps.
///
/// The sample always includes the first and the last step, even if `most` is less than 2. If `steps <= most`,
/// it includes every step.
///
/// ```
/// use onebit_train::is_sampled;
///
/// let sample: Vec<u64> = (1..=9).filter(|&step| is_sampled(step, 9, 3)).collect();
/// assert_eq!(sample, [1, 5, 9]);
/// ```
pub fn is_sampled(step: u64, steps: u64, most: u64) -> bool {
    if steps <= most || step <= 1 || step >= steps {
        return true;
    }
    let sampled_up_to = |step: u64| (step - 1) * (most.max(2) - 1) / (steps - 1);
    sampled_up_to(step) > sampled_up_to(step - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_even() {
        let sample =
            |steps, most| (1..=steps).filter(|&step| is_sampled(step, steps, most)).collect::<Vec<_>>();
        assert_eq!(sample(5, 8), [1, 2, 3, 4, 5]);
        assert_eq!(sample(9, 3), [1, 5, 9]);
        for (steps, most) in [(1000, 200), (1001, 7), (50_000, 200), (3, 2)] {
            let sample = sample(steps, most);
            assert_eq!(sample.len() as u64, most, "{steps}");
            assert_eq!((sample[0], sample[sample.len() - 1]), (1, steps));
            let gaps = || sample.windows(2).map(|w| w[1] - w[0]);
            assert!(gaps().max().unwrap() - gaps().min().unwrap() <= 1, "{steps} {most}");
        }
    }
}
