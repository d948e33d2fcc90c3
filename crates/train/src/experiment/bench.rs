//! Measures the time of training steps and of their parts.
//!
//! The data are random, in the shape of the configuration's source, so no file is read. The time of a step
//! does not depend on the values of the data.
//!
//! ```
//! use onebit_train::{bench, config};
//!
//! let times = bench::measure(&config::preset("digits")?, &onebit_bits::Engine::single(), 1, 5)?;
//! assert_eq!(times.len(), 5);
//! let median = bench::median(&times).expect("there are five");
//! assert!(median.whole >= median.forward + median.update);
//! # Ok::<(), onebit_train::Error>(())
//! ```

use std::time::{Duration, Instant};

use onebit_bits::Engine;
use onebit_data::{Dataset, Location, Samples, Split, builtin};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    config::Config,
    contract::{
        context::Context,
        layer::Layer,
        step::{Verb, Watch},
    },
    error::{Error, Result},
    experiment,
    training::Batch,
};

/// The time of one step and of its parts. A layer with binary weights counts as a product, any other layer as
/// element-wise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepTimes {
    /// Samples in the step.
    pub samples: usize,
    /// Time to gather the batch.
    pub data: Duration,
    /// Time of the products in the forward pass.
    pub forward: Duration,
    /// Time of the products in the backward pass: the signals about the inputs.
    pub backward: Duration,
    /// Time of the weight updates: the products for the weights' signals, optimizer and flips.
    pub update: Duration,
    /// Time of the element-wise layers.
    pub elements: Duration,
    /// Time of the loss.
    pub loss: Duration,
    /// Time of the whole step.
    pub whole: Duration,
}

impl StepTimes {
    /// Returns the samples per second.
    pub fn samples_per_second(&self) -> f64 {
        self.samples as f64 / self.whole.as_secs_f64()
    }

    /// Returns the parts of a step by name, in the order in which a step begins them.
    pub fn parts(&self) -> [(&'static str, Duration); 6] {
        [
            ("data", self.data),
            ("forward", self.forward),
            ("elements", self.elements),
            ("loss", self.loss),
            ("backward", self.backward),
            ("update", self.update),
        ]
    }
}

impl Watch for StepTimes {
    fn verb<T>(&mut self, verb: Verb, layer: &mut dyn Layer, act: impl FnOnce(&mut dyn Layer) -> T) -> T {
        let part = match verb {
            _ if layer.parameters().bits == 0 => &mut self.elements,
            Verb::Forward => &mut self.forward,
            Verb::Send => &mut self.backward,
            Verb::Receive | Verb::Correct | Verb::Update => &mut self.update,
        };
        timed(part, || act(layer))
    }

    fn load<T>(&mut self, act: impl FnOnce() -> T) -> T {
        timed(&mut self.data, act)
    }

    fn judge<T>(&mut self, act: impl FnOnce() -> T) -> T {
        timed(&mut self.loss, act)
    }
}

fn timed<T>(part: &mut Duration, act: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = act();
    *part += start.elapsed();
    result
}

/// Trains the network of `config` for `warm_up + steps` steps on random data and returns the times of the
/// last `steps`. Batch size and rate are those of the first phase.
///
/// # Errors
/// [`Error::Setting`] for a source whose shape is unknown, such as a table, and for the batch `all`; the
/// errors of the layers.
pub fn measure(config: &Config, engine: &Engine, warm_up: usize, steps: usize) -> Result<Vec<StepTimes>> {
    let trainer = experiment::trainer(config)?;
    let phase = trainer.phases.first().ok_or_else(|| Error::setting("phases", "at least one", "none"))?;
    let Batch::Size(samples) = phase.batch else {
        return Err(Error::setting("phase.0.batch", "a number of samples", "all"));
    };
    let parts = random_data(&config.data.source, samples)?;
    let mut net = experiment::network(config, &parts)?;
    let mut cx = Context::train(engine);
    let rows: Vec<usize> = (0..parts.train.len()).collect();
    let mut measured = Vec::with_capacity(steps);
    for (step, rows) in rows.chunks_exact(samples).cycle().take(warm_up + steps).enumerate() {
        let mut times = StepTimes { samples, ..StepTimes::default() };
        let mut whole = Duration::ZERO;
        timed(&mut whole, || trainer.learn(&mut net, &mut cx, (&parts, rows), phase.rate, &mut times))?;
        times.whole = whole;
        if step >= warm_up {
            measured.push(times);
        }
    }
    Ok(measured)
}

/// Returns the step with the median time; `None` without steps.
pub fn median(times: &[StepTimes]) -> Option<StepTimes> {
    let mut sorted = times.to_vec();
    sorted.sort_by_key(|times| times.whole);
    sorted.get(sorted.len() / 2).copied()
}

/// Number of different batches.
const BATCHES: usize = 4;

fn random_data(source: &str, samples: usize) -> Result<Split> {
    let mut published = None;
    let (features, classes) = match Location::named(source) {
        Some(Location::Published(set)) => {
            published = Some(set);
            (set.image.height * set.image.width * set.image.channels, set.classes)
        }
        Some(Location::Builtin(name)) => {
            let data = builtin(name).expect("a location has only known names");
            (data.features(), data.classes())
        }
        Some(Location::Path(_)) | None => {
            let known = "iris, digits, mnist, fashion-mnist, cifar10 or svhn, whose shape is known";
            return Err(Error::setting("data.source", known, source));
        }
    };
    let rows = samples * BATCHES;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let samples = if published.is_some() {
        Samples::Bytes { cols: features, values: (0..rows * features).map(|_| rng.random()).collect() }
    } else {
        let values = (0..rows * features).map(|_| rng.random_range(-2.0..2.0)).collect();
        Samples::Real { cols: features, values }
    };
    let labels = (0..rows).map(|row| (row % classes) as u32).collect();
    let names = (0..classes).map(|class| class.to_string()).collect();
    let mut data = Dataset::new(samples, labels, names, Vec::new())?;
    if let Some(set) = published {
        data = data.with_image(set.image)?;
    }
    Ok(Split::new(data, None, None))
}
