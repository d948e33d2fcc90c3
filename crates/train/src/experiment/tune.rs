//! Hyper-parameter search: the settings to vary, their ranges, and the settings of each trial.
//!
//! Random search (Bergstra and Bengio, JMLR 13, 2012). The settings of a trial depend only on the seed and
//! the number of the trial, so a search can be interrupted and continued, and each trial can be repeated
//! alone. Trial 0 is the unchanged configuration.
//!
//! | method | varied by default | range |
//! |---|---|---|
//! | all | `phase.N.batch`, unless it is `"all"` | 8, 16, 32, .. up to a quarter of the samples, at most 512 |
//! | flip | `phase.N.suppressor`, if set | 0 to 5 |
//! | | `phase.N.rate`, if set | an eighth of its value to 1, log-uniform |
//! | | `training.quorum` | 0.1 to 0.6 |
//! | integer flip | `phase.N.rate` | an eighth to eight times its value, log-uniform |
//! | straight-through | `phase.N.learning_rate` | an eighth to eight times its value, log-uniform |
//!
//! A `final_rate` keeps its ratio to the rate.
//!
//! ```
//! use onebit_train::{config, tune};
//!
//! let config = config::preset("iris")?;
//! let dimensions = tune::dimensions(&config, 96);
//! assert_eq!(dimensions[1].key, "phase.0.suppressor");
//! assert_eq!(dimensions[1].range, tune::Range::Whole(0, 5));
//! assert!(tune::settings(&config, &dimensions, 7, 0).is_empty());
//! let trial = tune::settings(&config, &dimensions, 7, 1); // such as "phase.0.suppressor=3"
//! let tuned = config::parse("trial 1", config::preset_text("iris")?, &trial)?;
//! assert!(tuned.phases[0].suppressor <= Some(5));
//! # Ok::<(), onebit_train::Error>(())
//! ```

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{
    config::{Config, Method},
    error::{Error, Result},
    numeric::mix::mix,
    training::Batch,
};

/// A setting to vary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dimension {
    /// Key, such as `phase.0.batch`.
    pub key: String,
    /// Its possible values.
    pub range: Range,
}

/// The possible values of a setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Range {
    /// One of several values, in TOML.
    Choice(Vec<String>),
    /// A whole number from the first to the second, both included.
    Whole(i64, i64),
    /// A uniformly distributed number.
    Even(f64, f64),
    /// A log-uniformly distributed number.
    Logarithmic(f64, f64),
}

impl Dimension {
    /// Parses `KEY=a|b|c` or `KEY=LOW..HIGH`. Two whole ends are a range of whole numbers; other ranges are
    /// log-uniform if `LOW` is above 0 and `HIGH` at least ten times `LOW`, and uniform otherwise.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong =
            || Error::setting("a setting to vary", "KEY=a|b|c or KEY=LOW..HIGH with LOW below HIGH", text);
        let (key, range) = text.split_once('=').ok_or_else(wrong)?;
        let (key, range) = (key.trim(), range.trim());
        if key.is_empty() || range.is_empty() {
            return Err(wrong());
        }
        let range = match range.split_once("..") {
            None => {
                let choices: Vec<String> = range.split('|').map(|choice| choice.trim().to_string()).collect();
                if choices.len() < 2 || choices.iter().any(String::is_empty) {
                    return Err(wrong());
                }
                Range::Choice(choices)
            }
            Some((low, high)) => match (low.trim().parse::<i64>(), high.trim().parse::<i64>()) {
                (Ok(low), Ok(high)) if low < high => Range::Whole(low, high),
                _ => {
                    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|v| v.is_finite());
                    match (number(low), number(high)) {
                        (Some(low), Some(high)) if 0.0 < low && 10.0 * low <= high => {
                            Range::Logarithmic(low, high)
                        }
                        (Some(low), Some(high)) if low < high => Range::Even(low, high),
                        _ => return Err(wrong()),
                    }
                }
            },
        };
        Ok(Self { key: key.into(), range })
    }
}

impl Range {
    /// Draws a value, in TOML.
    fn draw(&self, rng: &mut ChaCha8Rng) -> String {
        let share: f64 = rng.random();
        match self {
            Range::Choice(choices) => {
                let at = (share * choices.len() as f64) as usize;
                choices[at.min(choices.len() - 1)].clone()
            }
            Range::Whole(low, high) => {
                let values = (high - low) as f64 + 1.0;
                (low + ((share * values) as i64).min(high - low)).to_string()
            }
            Range::Even(low, high) => rounded(low + share * (high - low)),
            Range::Logarithmic(low, high) => rounded((low.ln() + share * (high.ln() - low.ln())).exp()),
        }
    }
}

/// Rounds to three significant digits.
fn rounded(value: f64) -> String {
    let value: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    value.to_string()
}

/// Batch sizes to try.
const BATCHES: [usize; 7] = [8, 16, 32, 64, 128, 256, 512];

/// Returns the settings to vary by default, for a training part of `samples` samples.
pub fn dimensions(config: &Config, samples: usize) -> Vec<Dimension> {
    let mut all = Vec::new();
    for (index, phase) in config.phases.iter().enumerate() {
        let mut vary = |key: &str, range| all.push(Dimension { key: format!("phase.{index}.{key}"), range });
        let fitting = BATCHES.iter().filter(|size| 4 * **size <= samples).map(usize::to_string);
        let batches: Vec<String> = fitting.collect();
        if phase.batch != Batch::All && batches.len() > 1 {
            vary("batch", Range::Choice(batches));
        }
        let around = |rate: f64| Range::Logarithmic(rate / 8.0, rate * 8.0);
        match (config.method, phase.suppressor, phase.rate, phase.learning_rate) {
            (Method::Flip, Some(_), ..) => vary("suppressor", Range::Whole(0, 5)),
            (Method::Flip, None, Some(rate), _) => {
                vary("rate", Range::Logarithmic((rate / 8.0).min(1.0), 1.0))
            }
            (_, _, Some(rate), _) => vary("rate", around(rate)),
            (_, _, _, Some(rate)) => vary("learning_rate", around(rate)),
            _ => {}
        }
    }
    if config.method == Method::Flip {
        all.push(Dimension { key: "training.quorum".into(), range: Range::Even(0.1, 0.6) });
    }
    all
}

/// Returns the settings of trial `trial`, counted from 0, each as `KEY=VALUE`: the varied ones and the final
/// rates that follow from them.
pub fn settings(config: &Config, dimensions: &[Dimension], seed: u64, trial: u64) -> Vec<String> {
    if trial == 0 {
        return Vec::new();
    }
    let mut rng = ChaCha8Rng::seed_from_u64(mix(seed, trial));
    let mut all = Vec::new();
    for Dimension { key, range } in dimensions {
        let value = range.draw(&mut rng);
        all.extend(final_rate(config, key, &value));
        all.push(format!("{key}={value}"));
    }
    all
}

/// Returns `phase.N.final_rate=VALUE` if `key` is the rate of a phase with a final rate.
fn final_rate(config: &Config, key: &str, value: &str) -> Option<String> {
    let (index, name) = key.strip_prefix("phase.")?.split_once('.')?;
    let phase = config.phases.get(index.parse::<usize>().ok()?)?;
    let rate = match name {
        "rate" => phase.rate?,
        "learning_rate" => phase.learning_rate?,
        _ => return None,
    };
    let ratio = phase.final_rate? / rate;
    Some(format!("phase.{index}.final_rate={}", rounded(value.parse::<f64>().ok()? * ratio)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn ranges_are_read() {
        let range = |text: &str| Dimension::parse(&format!("a.b={text}")).map(|dimension| dimension.range);
        assert_eq!(
            range("1|2|\"all\"").unwrap(),
            Range::Choice(["1", "2", "\"all\""].map(String::from).to_vec())
        );
        assert_eq!(range("0..5").unwrap(), Range::Whole(0, 5));
        assert_eq!(range("0.001..0.1").unwrap(), Range::Logarithmic(0.001, 0.1));
        assert_eq!(range("0.1 .. 0.6").unwrap(), Range::Even(0.1, 0.6));
        assert_eq!(range("-1.5..2").unwrap(), Range::Even(-1.5, 2.0));
        for bad in ["", "1", "1|", "5..0", "0.5..0.5", "a..b", "0..inf"] {
            let message = range(bad).unwrap_err().to_string();
            assert!(message.contains("LOW..HIGH"), "{bad}: {message}");
        }
        assert!(Dimension::parse("no value").is_err() && Dimension::parse("=1|2").is_err());
    }

    #[test]
    fn trials_depend_on_seed_and_number_alone() {
        let config = config::preset("iris").unwrap();
        let space = dimensions(&config, 96);
        let keys: Vec<_> = space.iter().map(|d| d.key.as_str()).collect();
        assert_eq!(keys, ["phase.0.batch", "phase.0.suppressor", "phase.1.suppressor", "training.quorum"]);
        assert_eq!(space[0].range, Range::Choice(["8", "16"].map(String::from).to_vec()));
        let trial = |seed, trial| settings(&config, &space, seed, trial);
        assert!(trial(1, 0).is_empty());
        assert_eq!(trial(1, 7), trial(1, 7));
        assert_ne!(trial(1, 7), trial(2, 7));
        let all: std::collections::HashSet<_> = (1..50).map(|k| trial(1, k)).collect();
        assert!(all.len() > 40, "{}", all.len());
    }

    /// Every preset can be tuned: the drawn settings are valid.
    #[test]
    fn what_is_drawn_is_sound() {
        for (name, text, _) in config::PRESETS {
            let config = config::preset(name).unwrap();
            let space = dimensions(&config, 50_000);
            assert!(!space.is_empty(), "{name}");
            for trial in 0..20 {
                let drawn = settings(&config, &space, 3, trial);
                let parsed =
                    config::parse(name, text, &drawn).unwrap_or_else(|e| panic!("{name} {drawn:?}: {e}"));
                parsed.phases().unwrap_or_else(|e| panic!("{name} {drawn:?}: {e}"));
            }
        }
    }

    #[test]
    fn ranges_are_filled() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut draw =
            |range: Range| -> Vec<f64> { (0..500).map(|_| range.draw(&mut rng).parse().unwrap()).collect() };
        let whole = draw(Range::Whole(-1, 2));
        assert!((-1..=2).all(|v| whole.iter().filter(|w| **w == f64::from(v)).count() > 80), "{whole:?}");
        let even = draw(Range::Even(1.0, 3.0));
        assert!(even.iter().all(|v| (1.0..=3.0).contains(v)));
        assert!((even.iter().sum::<f64>() / 500.0 - 2.0).abs() < 0.1);
        let logarithmic = draw(Range::Logarithmic(0.001, 1.0));
        assert!(logarithmic.iter().all(|v| (0.000_99..=1.001).contains(v)));
        let below = logarithmic.iter().filter(|v| **v < 0.0316).count();
        assert!((200..300).contains(&below), "{below}");
    }
}
