//! Checks the values of a configuration, and which keys a method takes.

use crate::{
    config::{Config, LossName, Method, PhaseConfig, ScheduleName},
    contract::check::check_quorum,
    error::{Error, Result},
    layers::Thermometer,
    losses::IntegerSoftmax,
    optimizers::schedule::Schedule,
    rules::RuleConfig,
    training::Phase,
};

/// Maximum number of units in a layer; a larger number is taken for a mistake.
const MOST_UNITS: usize = 1 << 16;

impl Config {
    /// Checks all settings.
    pub(crate) fn check(&self) -> Result<()> {
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
                let expected = "no thermometer together with network.binary_input";
                return Err(Error::setting("network.thermometer", expected, levels));
            }
        }
        self.check_method()?;
        let hinge = self.loss() == LossName::SquaredHinge;
        if let Some(margin) = self.training.margin.filter(|m| !(hinge && *m > 0.0 && m.is_finite())) {
            return Err(Error::setting(
                "training.margin",
                "a positive number, with the squared hinge",
                margin,
            ));
        }
        if let Some(levels) = self.training.levels {
            if self.loss() != LossName::IntegerSoftmax {
                return Err(Error::setting(
                    "training.levels",
                    "nothing: it belongs to the integer softmax",
                    levels,
                ));
            }
            IntegerSoftmax::new(levels)?;
        }
        for (name, given) in [
            ("training.temperature", self.training.temperature.is_some()),
            ("training.teacher_share", self.training.teacher_share.is_some()),
        ] {
            if given && self.training.teacher.is_none() {
                return Err(Error::setting(name, "a value for training.teacher too", "none"));
            }
        }
        // rules and optimizers check their own settings
        let options = self.straight_through_options(None);
        options.rule.build(&options.optimizer)?;
        options.optimizer.build()?;
        options.real_optimizer.build()?;
        self.flip_options()?;
        self.phases().map(drop)
    }
}

impl Config {
    /// Refuses settings that belong to another method.
    fn check_method(&self) -> Result<()> {
        use Method::{Flip, IntegerFlip, StraightThrough};
        let (n, t) = (&self.network, &self.training);
        let belongs = [
            ("network.thresholds", n.thresholds.is_some(), &[Flip][..]),
            ("network.hidden_thresholds", n.hidden_thresholds.is_some(), &[Flip]),
            ("training.quorum", t.quorum.is_some(), &[Flip]),
            ("training.activation_quorum", t.activation_quorum.is_some(), &[Flip]),
            ("training.order", t.order.is_some(), &[Flip, IntegerFlip]),
            ("network.convolutions", n.convolutions.is_some(), &[StraightThrough, IntegerFlip]),
            ("network.border", n.border.is_some(), &[StraightThrough, IntegerFlip]),
            ("network.binary_input", n.binary_input, &[StraightThrough, IntegerFlip]),
            ("network.dropout_input", n.dropout_input != 0.0, &[StraightThrough, IntegerFlip]),
            ("network.dropout_hidden", n.dropout_hidden != 0.0, &[StraightThrough, IntegerFlip]),
            ("training.rule", t.rule.is_some(), &[StraightThrough, IntegerFlip]),
            ("training.gradient", t.gradient.is_some(), &[StraightThrough, IntegerFlip]),
            ("network.heads", n.heads.is_some(), &[IntegerFlip]),
            ("network.real", !n.real.is_empty(), &[StraightThrough]),
            ("network.norm", n.norm.is_some(), &[StraightThrough]),
            ("network.activation", n.activation.is_some(), &[StraightThrough]),
            ("network.estimator", n.estimator.is_some(), &[StraightThrough]),
            ("training.optimizer", t.optimizer.is_some(), &[StraightThrough]),
            ("training.real_optimizer", t.real_optimizer.is_some(), &[StraightThrough]),
        ];
        let foreign = |(_, given, to): &&(_, bool, &[Method])| *given && !to.contains(&self.method);
        if let Some((key, _, to)) = belongs.iter().find(foreign) {
            let names: Vec<_> = to.iter().map(|method| method.name()).collect();
            let expected = format!("nothing: it belongs to method {}", names.join(" or "));
            return Err(Error::setting(key, expected, "a value"));
        }
        if let (IntegerFlip, Some(rule)) = (self.method, t.rule)
            && !matches!(rule, RuleConfig::Counter(_))
        {
            let expected = "counter: other rules have real weights";
            return Err(Error::setting("training.rule", expected, "another"));
        }
        for (name, quorum) in
            [("training.quorum", t.quorum), ("training.activation_quorum", t.activation_quorum)]
        {
            quorum.map(|quorum| check_quorum(name, quorum)).transpose()?;
        }
        Ok(())
    }
}

impl PhaseConfig {
    /// Returns the phase for the trainer; `index` is its position, for error messages.
    pub(crate) fn phase(&self, index: usize, method: Method) -> Result<Phase> {
        let key = |name: &str| format!("phase.{index}.{name}");
        let rate = match (method, self.suppressor, self.rate, self.learning_rate) {
            // probabilities are multiples of 1/65536, so level 16 is the last that flips anything
            (Method::Flip, Some(level @ 0..=16), None, None) => libm::pow(0.5, f64::from(level)),
            (Method::Flip, Some(level), None, None) => {
                return Err(Error::setting(key("suppressor"), "a level from 0 to 16", level));
            }
            (Method::Flip | Method::IntegerFlip, None, Some(rate), None) => rate,
            (Method::Flip, ..) => {
                let got = "neither, both, or a learning_rate";
                return Err(Error::setting(key("suppressor"), "a suppressor or a rate, one of them", got));
            }
            (Method::IntegerFlip, ..) => {
                let expected = "a rate and no suppressor or learning_rate";
                return Err(Error::setting(key("rate"), expected, "something else"));
            }
            (Method::StraightThrough, None, None, Some(rate)) => rate,
            (Method::StraightThrough, ..) => {
                let expected = "a learning_rate and no suppressor or rate";
                return Err(Error::setting(key("learning_rate"), expected, "something else"));
            }
        };
        for (name, share) in [("rate", Some(rate)), ("final_rate", self.final_rate), ("factor", self.factor)]
        {
            // a rate of 0 is refused by `Phase::check`
            let shares = method != Method::StraightThrough;
            if let Some(share) = share.filter(|share| shares && !(0.0..=1.0).contains(share)) {
                return Err(Error::setting(key(name), "a share above 0 and up to 1", share));
            }
        }
        let phase = Phase { epochs: self.epochs, batch: self.batch, rate, schedule: self.schedule(key)? };
        phase.check(&key(""))?;
        Ok(phase)
    }

    /// Returns the schedule of the phase; `key` completes the name of a setting.
    fn schedule(&self, key: impl Fn(&str) -> String) -> Result<Schedule> {
        use ScheduleName::{Cosine, Exponential, Linear, Step};
        let belongs = |name, given: bool, to: &[Option<ScheduleName>]| {
            if given && !to.contains(&self.schedule) {
                Err(Error::setting(key(name), "nothing: it belongs to another schedule", "a value"))
            } else {
                Ok(())
            }
        };
        let with_final_rate = [None, Some(Exponential), Some(Cosine), Some(Linear)];
        belongs("final_rate", self.final_rate.is_some(), &with_final_rate)?;
        belongs("factor", self.factor.is_some(), &[Some(Step)])?;
        belongs("every", self.every.is_some(), &[Some(Step)])?;
        belongs("warmup", self.warmup.is_some(), &[Some(Cosine)])?;
        let missing = |name| Error::setting(key(name), "a value for this schedule", "none");
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
