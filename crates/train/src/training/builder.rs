//! Starts a run.

use std::borrow::{Borrow, BorrowMut};

use onebit_bits::Engine;
use onebit_data::Split;

use crate::{
    error::Result,
    network::Network,
    training::{
        checkpoint::Checkpoints,
        events::{Event, Listener},
        outcome::Outcome,
        run::Run,
        trainer::Trainer,
    },
};

/// A training run that is ready to start.
///
/// Without further settings it computes on one thread, saves no checkpoints and reports to nobody.
///
/// ```
/// use onebit_train::{
///     Batch, Event, FlipOptions, Network, Split, Phase, Trainer, Training, data, flip::thresholds,
/// };
///
/// let split = Split::random(&data::iris(), 0.2, 42)?;
/// let mut net = Network::flip(4, &[64], 3, &FlipOptions::new(&thresholds(3)?), 42)?;
/// let trainer = Trainer::flip(vec![Phase::new(10, Batch::Size(32), 1.0)], 42);
/// let mut batches = 0;
/// let outcome = Training::new(&trainer, &mut net, &split)
///     .on_event(|event| batches += usize::from(matches!(event, Event::Batch(_))))
///     .run()?;
/// assert_eq!((outcome.epochs.len(), batches), (10, 30)); // 120 samples are 3 batches of 32
/// assert!(outcome.kept().test_accuracy > Some(0.6));
/// # Ok::<(), onebit_train::Error>(())
/// ```
#[must_use = "a training does nothing until it is run"]
pub struct Training<'a, T, N> {
    trainer: T,
    net: N,
    parts: &'a Split,
    engine: Engine,
    checkpoints: Option<&'a mut Checkpoints>,
    listener: Box<dyn Listener + 'a>,
}

impl<'a, T: Borrow<Trainer>, N: BorrowMut<Network>> Training<'a, T, N> {
    /// Trains `net` on `split.train` with the settings of `trainer`. Both may be passed by value or by
    /// reference.
    pub fn new(trainer: T, net: N, parts: &'a Split) -> Self {
        let listener = Box::new(OnEvent(|_: Event| {}));
        Self { trainer, net, parts, engine: Engine::single(), checkpoints: None, listener }
    }

    /// Sets the threads and the instruction set to compute with; the default is one thread. The result is the
    /// same with any engine.
    pub fn engine(self, engine: &Engine) -> Self {
        Self { engine: engine.clone(), ..self }
    }

    /// Saves the run to `checkpoints`, or resumes from them if they were [opened](Checkpoints::resume) for
    /// that. To resume, the network must be new and built exactly as it was when the run began.
    pub fn checkpoints(self, checkpoints: &'a mut Checkpoints) -> Self {
        Self { checkpoints: Some(checkpoints), ..self }
    }

    /// Sets the listener, which replaces an earlier one.
    pub fn listener(self, listener: impl Listener + 'a) -> Self {
        Self { listener: Box::new(listener), ..self }
    }

    /// Sets a closure as the listener, which replaces an earlier one.
    pub fn on_event(self, listener: impl FnMut(Event) + 'a) -> Self {
        self.listener(OnEvent(listener))
    }

    /// Runs all remaining epochs. A best network that cannot be exported is left in the network passed to
    /// [`new`](Self::new); otherwise that holds the network after the last epoch.
    ///
    /// A checkpoint that cannot be saved is an [`Event::Warning`].
    ///
    /// # Errors
    /// - [`Error::Setting`](crate::Error::Setting) for a phase that cannot be run,
    /// - [`Error::EmptyClass`](crate::Error::EmptyClass) if a class has no training sample,
    /// - [`Error::Diverged`](crate::Error::Diverged) if the loss is no longer finite,
    /// - [`Error::Checkpoint`](crate::Error::Checkpoint) for a checkpoint of another run; the state of the
    ///   network is then unspecified,
    /// - [`Error::Stopped`](crate::Error::Stopped) if the listener stops the run,
    /// - the errors of the layers.
    pub fn run(mut self) -> Result<Outcome> {
        let mut none = Checkpoints::none();
        let checkpoints = self.checkpoints.unwrap_or(&mut none);
        let run =
            Run::new(self.trainer.borrow(), self.net.borrow_mut(), self.parts, &self.engine, checkpoints)?;
        run.finish(&mut *self.listener)
    }
}

/// A closure as a listener.
struct OnEvent<F>(F);

impl<F: FnMut(Event)> Listener for OnEvent<F> {
    fn on_event(&mut self, event: Event) {
        (self.0)(event);
    }
}
