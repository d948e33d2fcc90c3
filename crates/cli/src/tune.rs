//! `onebit tune`: tries settings, and ranks them by validation accuracy.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use onebit::{
    Engine, Error, Event, Parts,
    checkpoint::Checkpoints,
    config::{self, Config},
    experiment, model,
    tune::{Dimension, dimensions, settings},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    args::TuneArgs,
    data::fetch_for,
    failure::{Failure, Result},
    output::{self, percent},
    table::Table,
    train::{interrupt, read_config_or_table},
};

/// Share held out for validation where the configuration holds out nothing.
const VALIDATION: f64 = 0.2;

/// What a search is: a folder of another one is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Search {
    name: String,
    seed: u64,
    seeds: u64,
    varied: Vec<Dimension>,
    /// The configuration of trial 0.
    configuration: String,
}

/// A trial that is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trial {
    trial: u64,
    settings: Vec<String>,
    /// Of each seed.
    validation: Vec<f64>,
    seconds: f64,
    /// Why it failed, if it did.
    failed: Option<String>,
}

impl Trial {
    fn mean(&self) -> Option<f64> {
        let n = self.validation.len() as f64;
        (self.failed.is_none() && n > 0.0).then(|| self.validation.iter().sum::<f64>() / n)
    }

    fn deviation(&self) -> Option<f64> {
        let (mean, n) = (self.mean()?, self.validation.len() as f64);
        Some((self.validation.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
    }
}

pub(crate) fn run(args: &TuneArgs) -> Result<()> {
    let name = &args.preset;
    let mut base = read_config_or_table(name, &args.set, &args.table)?;
    if base.data.validation == 0.0 {
        base.data.validation = VALIDATION;
    }
    if let Some(epochs) = args.epochs {
        base.phases.iter_mut().for_each(|phase| phase.epochs = epochs);
    }
    let engine = args.engine.engine()?;
    if args.download {
        fetch_for(experiment::published_set(&base, args.data.as_deref()), &args.dir, args.json)?;
    }
    let data = experiment::data_path(&base, args.data.as_deref(), args.dir.named().as_ref())?;
    if let Some(data) = &data {
        base.data.path =
            Some(std::path::absolute(data).ok().filter(|path| path.exists()).unwrap_or_else(|| data.clone()));
    }
    // the parts of every seed, read once
    let parts: Vec<Parts> = (0..args.seeds as u64)
        .map(|seed| experiment::load(&Config { seed, ..base.clone() }, data.as_deref()))
        .collect::<onebit::Result<_>>()?;
    let varied = match &args.vary[..] {
        [] => dimensions(&base, parts[0].train.len()),
        given => given
            .iter()
            .map(|text| Dimension::parse(text))
            .collect::<onebit::Result<_>>()
            .map_err(Failure::flag)?,
    };
    if varied.is_empty() {
        return Err(Failure::flag(
            "--vary: expected a setting to vary, and this configuration has none by default",
        ));
    }
    check_drawn(&base, &varied, args.seed)?;
    let stem = Path::new(name).file_stem().unwrap_or_default();
    let folder = args.out.clone().unwrap_or_else(|| Path::new("tune").join(stem));
    let configuration = base.to_toml();
    let search =
        Search { name: name.clone(), seed: args.seed, seeds: args.seeds as u64, varied, configuration };
    let mut trials = begin(&folder, &search)?;
    let bar = bar(args);
    interrupt::listen();
    for trial in 0..args.trials as u64 {
        if trials.contains_key(&trial) {
            continue;
        }
        let best = best(&trials).and_then(Trial::mean);
        bar.set_message(format!("best validation accuracy {}", percent(best)));
        bar.set_position(trials.len() as u64);
        let drawn = settings(&base, &search.varied, search.seed, trial);
        let Some(done) = try_out(trial, drawn, &base, &parts, &engine)? else {
            bar.finish_and_clear();
            let message = "stopped; the trials before are kept: the same command goes on";
            return Err(Failure::stopped(format!("{message} in {}", folder.display())));
        };
        keep(&folder, &done)?;
        if args.json {
            output::json(&json!({
                "event": "trial",
                "trial": done.trial,
                "settings": done.settings,
                "validation_accuracy": done.mean(),
                "validation": done.validation,
                "seconds": done.seconds,
                "failed": done.failed,
            }))?;
        }
        trials.insert(trial, done);
    }
    bar.finish_and_clear();
    conclude(args, &folder, &base, &trials)
}

/// Says before the work that a setting to vary does not exist, or cannot be what it may be.
fn check_drawn(base: &Config, varied: &[Dimension], seed: u64) -> Result<()> {
    let drawn = settings(base, varied, seed, 1);
    config::parse("", &base.to_toml(), &drawn).map(drop).map_err(|e| Failure::flag(format!("--vary {e}")))
}

/// Runs a configuration with each seed; nothing when it was stopped.
fn try_out(
    trial: u64,
    drawn: Vec<String>,
    base: &Config,
    parts: &[Parts],
    engine: &Engine,
) -> Result<Option<Trial>> {
    let begin = Instant::now();
    let mut done = Trial { trial, settings: drawn, validation: Vec::new(), seconds: 0.0, failed: None };
    let config = config::parse("", &base.to_toml(), &done.settings);
    for (seed, parts) in (0..).zip(parts) {
        let outcome = match &config {
            Ok(config) => {
                let config = Config { seed, ..config.clone() };
                experiment::run_and_tell(&config, parts, engine, &mut Checkpoints::none(), &mut Stopping)
            }
            Err(reason) => {
                done.failed = Some(reason.to_string());
                break;
            }
        };
        match outcome {
            Ok(outcome) => done.validation.extend(outcome.kept().validation_accuracy),
            Err(Error::Stopped { .. }) => return Ok(None),
            // settings that lead nowhere are a result too
            Err(reason @ (Error::Diverged { .. } | Error::Setting { .. })) => {
                done.failed = Some(reason.to_string());
                break;
            }
            Err(other) => return Err(other.into()),
        }
    }
    done.seconds = begin.elapsed().as_secs_f64();
    Ok(Some(done))
}

/// Hears nothing, and stops when it is asked to.
struct Stopping;

impl onebit::Listener for Stopping {
    fn hear(&mut self, _event: Event) {}

    fn stops(&mut self) -> bool {
        interrupt::asked()
    }
}

/// Makes the folder, or reads the trials that are in it.
fn begin(folder: &Path, search: &Search) -> Result<BTreeMap<u64, Trial>> {
    let (file, trials) = (folder.join("search.json"), trials_file(folder));
    let failed = |path: &Path, e: &dyn std::fmt::Display| Failure::other(format!("{}: {e}", path.display()));
    if !file.exists() {
        fs::create_dir_all(folder).map_err(|e| failed(folder, &e))?;
        let text = serde_json::to_vec_pretty(search).expect("it has only names and numbers");
        model::replace(&[(file, &text), (trials, b"")])?;
        return Ok(BTreeMap::new());
    }
    let text = fs::read(&file).map_err(|e| failed(&file, &e))?;
    let there: Search = serde_json::from_slice(&text).map_err(|e| failed(&file, &e))?;
    if there != *search {
        let message = "expected the folder of this search, and it is of another (other settings, seeds or ranges); \
                       choose another --out, or remove it";
        return Err(Failure::flag(format!("--out {}: {message}", folder.display())));
    }
    let text = fs::read_to_string(&trials).map_err(|e| failed(&trials, &e))?;
    let mut all = BTreeMap::new();
    let mut whole = String::new();
    // a last line without its end is of a search that was killed
    for (index, line) in text.split_inclusive('\n').enumerate().filter(|(_, line)| line.ends_with('\n')) {
        let trial: Trial =
            serde_json::from_str(line).map_err(|e| failed(&trials, &format!("line {}: {e}", index + 1)))?;
        all.insert(trial.trial, trial);
        whole += line;
    }
    if whole.len() < text.len() {
        model::replace(&[(trials, whole.as_bytes())])?;
    }
    Ok(all)
}

fn trials_file(folder: &Path) -> PathBuf {
    folder.join("trials.jsonl")
}

fn keep(folder: &Path, trial: &Trial) -> Result<()> {
    let path = trials_file(folder);
    let mut line = serde_json::to_vec(trial).expect("it has only names and numbers");
    line.push(b'\n');
    let written = OpenOptions::new().append(true).open(&path).and_then(|mut file| file.write_all(&line));
    written.map_err(|e| Failure::other(format!("{}: {e}", path.display())))
}

/// Best first; the earlier of equals, those that failed last.
fn ranked(trials: &BTreeMap<u64, Trial>) -> Vec<&Trial> {
    let mut all: Vec<&Trial> = trials.values().collect();
    all.sort_by(|a, b| b.mean().unwrap_or(-1.0).total_cmp(&a.mean().unwrap_or(-1.0)));
    all
}

fn best(trials: &BTreeMap<u64, Trial>) -> Option<&Trial> {
    ranked(trials).first().copied().filter(|trial| trial.mean().is_some())
}

fn conclude(args: &TuneArgs, folder: &Path, base: &Config, trials: &BTreeMap<u64, Trial>) -> Result<()> {
    let mut table = Table::new(["rank", "trial", "validation", "deviation", "seconds", "settings"]);
    for (rank, trial) in ranked(trials).into_iter().enumerate() {
        let settings = match (&trial.failed, trial.trial) {
            (Some(reason), _) => format!("failed: {reason}"),
            (None, 0) => "as they are".into(),
            (None, _) => trial.settings.join(" "),
        };
        table.row([
            (rank + 1).to_string(),
            trial.trial.to_string(),
            percent(trial.mean()),
            percent(trial.deviation()),
            format!("{:.1}", trial.seconds),
            settings,
        ]);
    }
    let text = table.render() + "\n";
    let ranking = folder.join("ranking.txt");
    let Some(best) = best(trials) else {
        model::replace(&[(ranking, text.as_bytes())])?;
        output::line(text.trim_end())?;
        return Err(Failure::other("every trial failed"));
    };
    let best_config = config::parse("", &base.to_toml(), &best.settings)?;
    let best_file = folder.join("best.toml");
    model::replace(&[
        (ranking.clone(), text.as_bytes()),
        (best_file.clone(), best_config.to_toml().as_bytes()),
    ])?;
    if args.json {
        return output::json(&json!({
            "event": "best",
            "trial": best.trial,
            "settings": best.settings,
            "validation_accuracy": best.mean(),
            "config": best_file.display().to_string(),
            "ranking": ranking.display().to_string(),
        }));
    }
    let shown: Vec<&str> = text.lines().take(SHOWN + 1).collect();
    output::line(shown.join("\n"))?;
    if trials.len() > SHOWN {
        output::line(format!("and {} more in {}", trials.len() - SHOWN, ranking.display()))?;
    }
    output::line(format!("\ntrain with the best: onebit train {}", best_file.display()))
}

/// Trials that are shown at the end.
const SHOWN: usize = 10;

fn bar(args: &TuneArgs) -> ProgressBar {
    use std::io::IsTerminal;
    if args.json || !std::io::stdout().is_terminal() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:24} trial {pos}/{len}  {msg}  {eta} left");
    let bar = ProgressBar::new(args.trials as u64).with_style(style.expect("the template is well-formed"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
