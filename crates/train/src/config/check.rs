//! What a configuration may say.

use super::{Config, LossName, Method, PhaseConfig, ScheduleName};
use crate::{
    error::{Error, Result},
    layer::check_quorum,
    layers::Thermometer,
    phase::Phase,
    schedule::Schedule,
};

/// More units than this in a layer are a mistake.
const MOST_UNITS: usize = 1 << 16;

impl Config {
    /// Says what is wrong with the settings, and with those that belong to the other method.
    pub(super) fn check(&self) -> Result<()> {
        for (name, share) in [("data.test", self.data.test), ("data.validation", self.data.validation)] {
            if !(0.0..1.0).contains(&share) {
                return Err(Error::setting(name, "a share from 0 to below 1", share));
            }
        }
        if let Some(units) = self.network.hidden.iter().find(|units| !(1..=MOST_UNITS).contains(*units)) {
            return Err(Error::setting("network.hidden", format!("1 to {MOST_UNITS} units a layer"), units));
        }
        if self.phases.is_empty() {
            return Err(Error::setting("phase", "at least one [[phase]]", "none"));
        }
        if let Some(levels) = self.network.thermometer {
            if !(1..=Thermometer::MOST_LEVELS).contains(&levels) {
                let expected = format!("1 to {} levels", Thermometer::MOST_LEVELS);
                return Err(Error::setting("network.thermometer", expected, levels));
            }
            if self.network.binary_input {
                let expected = "nothing beside network.binary_input";
                return Err(Error::setting("network.thermometer", expected, levels));
            }
        }
        let only = |name, present, method| match present {
            true => Err(Error::setting(name, format!("nothing: it belongs to method {method}"), "a value")),
            false => Ok(()),
        };
        match self.method {
            Method::StraightThrough => {
                only("network.thresholds", self.network.thresholds.is_some(), "flip")?;
                only("network.hidden_thresholds", self.network.hidden_thresholds.is_some(), "flip")?;
                only("training.order", self.training.order.is_some(), "flip")?;
                only("training.quorum", self.training.quorum.is_some(), "flip")?;
                only("training.activation_quorum", self.training.activation_quorum.is_some(), "flip")?;
            }
            Method::Flip => {
                let n = &self.network;
                only("network.convolutions", n.convolutions.is_some(), "straight-through")?;
                only("network.binary_input", n.binary_input, "straight-through")?;
                only("network.thermometer", n.thermometer.is_some(), "straight-through")?;
                only("network.real", !n.real.is_empty(), "straight-through")?;
                only("network.norm", n.norm.is_some(), "straight-through")?;
                only("network.activation", n.activation.is_some(), "straight-through")?;
                only("network.estimator", n.estimator.is_some(), "straight-through")?;
                only("network.border", n.border.is_some(), "straight-through")?;
                only("network.dropout_input", n.dropout_input != 0.0, "straight-through")?;
                only("network.dropout_hidden", n.dropout_hidden != 0.0, "straight-through")?;
                only("training.rule", self.training.rule.is_some(), "straight-through")?;
                only("training.optimizer", self.training.optimizer.is_some(), "straight-through")?;
                only("training.real_optimizer", self.training.real_optimizer.is_some(), "straight-through")?;
                only("training.gradient", self.training.gradient.is_some(), "straight-through")?;
                for (name, quorum) in [
                    ("training.quorum", self.training.quorum),
                    ("training.activation_quorum", self.training.activation_quorum),
                ] {
                    quorum.map(|quorum| check_quorum(name, quorum)).transpose()?;
                }
            }
        }
        let hinge = self.training.loss == LossName::SquaredHinge;
        if let Some(margin) = self.training.margin.filter(|m| !(hinge && *m > 0.0 && m.is_finite())) {
            return Err(Error::setting(
                "training.margin",
                "a positive number, with the squared hinge",
                margin,
            ));
        }
        for (name, given) in [
            ("training.temperature", self.training.temperature.is_some()),
            ("training.teacher_share", self.training.teacher_share.is_some()),
        ] {
            if given && self.training.teacher.is_none() {
                return Err(Error::setting(name, "a training.teacher beside it", "none"));
            }
        }
        // what is chosen by name says itself what is wrong with it
        let options = self.straight_through_options(None);
        options.rule.build(&options.optimizer)?;
        options.optimizer.build()?;
        options.real_optimizer.build()?;
        self.flip_options()?;
        self.phases().map(drop)
    }
}

impl PhaseConfig {
    /// The phase as the trainer takes it; `index` is its place, for messages.
    pub(super) fn phase(&self, index: usize, method: Method) -> Result<Phase> {
        let key = |name: &str| format!("phase.{index}.{name}");
        let rate = match (method, self.suppressor, self.rate, self.learning_rate) {
            // Probabilities are kept to 1/65536, so level 16 is the last that flips anything.
            (Method::Flip, Some(level @ 0..=16), None, None) => libm::pow(0.5, f64::from(level)),
            (Method::Flip, Some(level), None, None) => {
                return Err(Error::setting(key("suppressor"), "a level from 0 to 16", level));
            }
            (Method::Flip, None, Some(rate), None) => rate,
            (Method::Flip, ..) => {
                let got = "neither, both, or a learning_rate";
                return Err(Error::setting(key("suppressor"), "a suppressor or a rate, one of them", got));
            }
            (Method::StraightThrough, None, None, Some(rate)) => rate,
            (Method::StraightThrough, ..) => {
                let expected = "a learning_rate and no suppressor or rate";
                return Err(Error::setting(key("learning_rate"), expected, "something else"));
            }
        };
        for (name, share) in [("rate", Some(rate)), ("final_rate", self.final_rate), ("factor", self.factor)]
        {
            // 0 is refused below where it cannot be
            if let Some(share) = share.filter(|share| method == Method::Flip && !(0.0..=1.0).contains(share))
            {
                return Err(Error::setting(key(name), "a share above 0 and up to 1", share));
            }
        }
        let phase = Phase { epochs: self.epochs, batch: self.batch, rate, schedule: self.schedule(key)? };
        phase.check(&key(""))?;
        Ok(phase)
    }

    fn schedule(&self, key: impl Fn(&str) -> String) -> Result<Schedule> {
        use ScheduleName::{Cosine, Exponential, Linear, Step};
        let belongs =
            |name, given: bool, to: &[Option<ScheduleName>]| match given && !to.contains(&self.schedule) {
                true => Err(Error::setting(key(name), "nothing: it belongs to another schedule", "a value")),
                false => Ok(()),
            };
        let to_an_end = [None, Some(Exponential), Some(Cosine), Some(Linear)];
        belongs("final_rate", self.final_rate.is_some(), &to_an_end)?;
        belongs("factor", self.factor.is_some(), &[Some(Step)])?;
        belongs("every", self.every.is_some(), &[Some(Step)])?;
        belongs("warmup", self.warmup.is_some(), &[Some(Cosine)])?;
        let missing = |name| Error::setting(key(name), "a value: the schedule needs it", "none");
        Ok(match self.schedule {
            None => {
                self.final_rate.map_or(Schedule::Constant, |final_rate| Schedule::Exponential { final_rate })
            }
            Some(Exponential) => {
                Schedule::Exponential { final_rate: self.final_rate.ok_or_else(|| missing("final_rate"))? }
            }
            Some(Step) => Schedule::Step {
                factor: self.factor.ok_or_else(|| missing("factor"))?,
                every: self.every.ok_or_else(|| missing("every"))?,
            },
            Some(Cosine) => Schedule::Cosine {
                final_rate: self.final_rate.unwrap_or(0.0),
                warmup: self.warmup.unwrap_or(0),
            },
            Some(Linear) => Schedule::Linear { final_rate: self.final_rate.unwrap_or(0.0) },
        })
    }
}
