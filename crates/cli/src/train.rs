//! `onebit train`: one run, or one for each of several seeds.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use onebit::{
    Batch, Engine, Outcome, Parts,
    checkpoint::{self, Checkpoints},
    config::{self, Config, Method},
    data::TableFormat,
    experiment::{self, Source},
};
use serde_json::{Value, json};

use crate::{
    args::TrainArgs,
    classes,
    failure::{Failure, Result},
    layers,
    output::{self, bytes, percent},
    progress::Listener,
    table::Table,
};

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    let job = Job::new(args)?;
    let engine = args.engine.engine()?;
    match args.seeds {
        Some(seeds) => repeat(args, job, &engine, seeds as u64),
        None => once(args, job, &engine),
    }
}

/// What is to be done.
struct Job {
    /// Of the preset or file, for headlines.
    name: String,
    config: Config,
    checkpoints: Checkpoints,
    /// The column of the classes, where nobody has said which.
    found_target: Option<String>,
}

impl Job {
    fn new(args: &TrainArgs) -> Result<Self> {
        if args.checkpoint_every.is_some() && args.checkpoint.is_none() && args.resume.is_none() {
            return Err(Failure::flag("--checkpoint-every: expected a --checkpoint to save, got none"));
        }
        let mut job = match (&args.resume, &args.config) {
            (Some(file), _) => Self::resumed(file)?,
            (None, Some(name)) => Self::begun(args, name)?,
            (None, None) => return Err(Failure::flag("expected a preset, a file or --resume, got none")),
        };
        if args.resume.is_some() || args.checkpoint.is_some() {
            if let Some(data) = &args.data {
                // Where it is found from another folder, too; a name of a built-in set is no path.
                let place = std::path::absolute(data).ok().filter(|path| path.exists());
                job.config.data.path = Some(place.unwrap_or_else(|| data.clone()));
            }
            job.checkpoints = job.checkpoints.describe(&job.name, &job.config)?;
        }
        if let Some(seconds) = args.checkpoint_every {
            job.checkpoints = job.checkpoints.every(Duration::from_secs(seconds));
        }
        Ok(job)
    }

    fn begun(args: &TrainArgs, name: &str) -> Result<Self> {
        let mut config = configure(args, name)?;
        let found_target = find_target(args, &mut config)?;
        let checkpoints = match &args.checkpoint {
            Some(file) => {
                check_out("the checkpoint", file)?;
                if checkpoint::exists(file) {
                    let file = file.display();
                    let message = format!(
                        "--checkpoint {file}: it is there already; go on with --resume {file}, or remove it"
                    );
                    return Err(Failure::flag(message));
                }
                Checkpoints::new(file)
            }
            None => Checkpoints::none(),
        };
        Ok(Self { name: name.into(), config, checkpoints, found_target })
    }

    fn resumed(file: &Path) -> Result<Self> {
        let checkpoints = Checkpoints::resume(file)?;
        let config = config::parse(&file.display().to_string(), checkpoints.configuration(), &[])?;
        Ok(Self { name: checkpoints.name().into(), config, checkpoints, found_target: None })
    }
}

/// Finds the column of the classes in a table if no one has said which it is, and puts it into the configuration.
fn find_target(args: &TrainArgs, config: &mut Config) -> Result<Option<String>> {
    let path = args.data.as_ref().or(config.data.path.as_ref());
    let Some(path) = path.filter(|_| config.data.target.is_none()) else { return Ok(None) };
    if let Source::Table(options) = experiment::source_at(path, &config.data.table_options())? {
        config.data.target = Some(options.target.clone());
        return Ok(Some(options.target));
    }
    Ok(None)
}

/// The preset or file of this name with some settings changed.
pub(crate) fn read_config(name: &str, set: &[String]) -> Result<Config> {
    let text = match config::preset_text(name) {
        Ok(text) => text.to_string(),
        Err(unknown) if !name.ends_with(".toml") && !Path::new(name).exists() => return Err(unknown.into()),
        Err(_) => fs::read_to_string(name).map_err(|e| Failure::other(format!("{name}: {e}")))?,
    };
    config::parse(name, &text, &[])?;
    // The text is fine, so what is wrong now is wrong with a flag.
    config::parse(name, &text, set).map_err(|e| Failure::flag(format!("--set {e}")))
}

/// The preset or file with the flags on top.
fn configure(args: &TrainArgs, name: &str) -> Result<Config> {
    let is_table = TableFormat::is_name(Path::new(name));
    if is_table && args.data.is_some() {
        return Err(Failure::flag(format!(
            "--data: expected nothing beside the table {name}, got a second one"
        )));
    }
    let mut config = read_config(if is_table { "table" } else { name }, &args.set)?;
    if is_table {
        // where it is found from another folder, too
        config.data.path = std::path::absolute(name).ok().filter(|_| args.checkpoint.is_some());
        config.data.path.get_or_insert_with(|| name.into());
    }
    if let Some(seed) = args.seed {
        config.seed = seed;
    }
    if let Some(target) = &args.target {
        config.data.target = Some(target.clone());
    }
    if !args.drop.is_empty() {
        config.data.drop.clone_from(&args.drop);
    }
    if let Some(missing) = args.missing {
        config.data.missing = missing;
    }
    if args.float {
        config = config.float_twin();
    }
    for phase in &mut config.phases {
        if let Some(epochs) = args.epochs {
            phase.epochs = epochs;
        }
        if let (Some(batch), Batch::Size(_)) = (args.batch, phase.batch) {
            phase.batch = Batch::Size(batch);
        }
    }
    Ok(config)
}

fn once(args: &TrainArgs, job: Job, engine: &Engine) -> Result<()> {
    let Job { name, config, mut checkpoints, found_target } = job;
    let config = &config;
    let out = args.out.clone().unwrap_or_else(|| default_out(&name));
    check_out("the model", &out)?;
    let start = Instant::now();
    let parts = experiment::load(config, args.data.as_deref())?;
    let headline = match args.json {
        true => classes::json(&parts, found_target.as_deref()),
        false => output::line(headline(&name, config, &parts))
            .and_then(|()| classes::print(&parts, found_target.as_deref())),
    };
    let mut listener = Listener::new(args.json);
    listener.say(headline);
    let outcome =
        experiment::run_with(config, &parts, engine, &mut checkpoints, |event| listener.hear(event));
    let said = listener.finish();
    let outcome = outcome?;
    let model = outcome.model.as_ref();
    model.map_or(Ok(()), |model| model.save(&out))?;
    // Only now: whoever stops reading the report still wants the model.
    said?;
    let seconds = start.elapsed().as_secs_f64();
    if args.json {
        let mut result = result_json(config, &outcome, seconds);
        result["model"] = json!(model.map(|_| out.display().to_string()));
        if let Some(reason) = &outcome.not_exported {
            result["no_model"] = json!(reason.to_string());
        }
        return output::json(&result);
    }
    output::line(format!("\n{}\n", layers::measures(&outcome)))?;
    output::line(format!("{}\n", layers::parameters(&outcome.summary)))?;
    let kept = outcome.kept();
    let mut table = Table::new(["result", ""]);
    table.row(["test accuracy".into(), percent(kept.test_accuracy)]);
    if kept.validation_accuracy.is_some() {
        table.row(["validation accuracy".into(), percent(kept.validation_accuracy)]);
    }
    table.row(["train accuracy".into(), percent(Some(kept.train_accuracy))]);
    table.row(["epoch kept".into(), format!("{} of {}", outcome.epoch, outcome.epochs.len())]);
    table.row(["seconds".into(), format!("{seconds:.2}")]);
    table.row(["samples/s".into(), format!("{:.0}", samples_per_second(&outcome))]);
    if let Some(model) = model {
        table.row(["model".into(), format!("{} ({})", out.display(), bytes(model.to_bytes().len()))]);
    }
    output::line(table.render().lines().skip(1).collect::<Vec<_>>().join("\n"))?;
    match &outcome.not_exported {
        Some(reason) => output::line(format!("no model written: {reason}")),
        None => Ok(()),
    }
}

/// The name of a preset or file, without its folder and `.toml`, with `.onebit`.
fn default_out(config: &str) -> PathBuf {
    let mut name = Path::new(config).file_stem().unwrap_or_default().to_os_string();
    name.push(".onebit");
    name.into()
}

/// Says before the work, not after it, that its result could not be written.
fn check_out(what: &str, out: &Path) -> Result<()> {
    let folder = match out.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    if out.is_dir() {
        return Err(Failure::other(format!(
            "{}: expected a file to write {what} to, got a folder",
            out.display()
        )));
    }
    match fs::metadata(folder) {
        Ok(meta) if meta.is_dir() => Ok(()),
        _ => Err(Failure::other(format!("{}: no such folder to write {what} to", folder.display()))),
    }
}

/// The same with the seeds `0..seeds`: split, first weights and shuffles all change.
fn repeat(args: &TrainArgs, job: Job, engine: &Engine, seeds: u64) -> Result<()> {
    let Job { name, mut config, found_target, .. } = job;
    let mut tests = Vec::new();
    let mut validations = Vec::new();
    let mut table = Table::new(["seed", "train", "validation", "test", "best epoch's test"]);
    for seed in 0..seeds {
        config.seed = seed;
        let start = Instant::now();
        let parts = experiment::load(&config, args.data.as_deref())?;
        if seed == 0 && args.json {
            classes::json(&parts, found_target.as_deref())?;
        } else if seed == 0 {
            output::line(headline(&name, &config, &parts))?;
            classes::print(&parts, found_target.as_deref())?;
        }
        let outcome = experiment::run(&config, &parts, engine, |_| {})?;
        let kept = outcome.kept();
        tests.extend(kept.test_accuracy);
        validations.extend(kept.validation_accuracy);
        if args.json {
            output::json(&result_json(&config, &outcome, start.elapsed().as_secs_f64()))?;
        } else {
            let best = outcome
                .epochs
                .iter()
                .filter_map(|e| e.test_accuracy)
                .fold(None, |a: Option<f64>, b| Some(a.map_or(b, |a| a.max(b))));
            let shares = [Some(kept.train_accuracy), kept.validation_accuracy, kept.test_accuracy, best];
            table.row([seed.to_string()].into_iter().chain(shares.map(percent)));
        }
    }
    let (test, validation) = (Summary::of(&tests), Summary::of(&validations));
    if args.json {
        let mut line = json!({"event": "summary", "config": name, "seeds": seeds});
        for (name, summary) in [("test_accuracy", test), ("validation_accuracy", validation)] {
            for (what, value) in
                ["mean", "std", "min", "max"].into_iter().zip(summary.map_or([None; 4], Summary::parts))
            {
                line[format!("{name}_{what}")] = json!(value);
            }
        }
        return output::json(&line);
    }
    output::line(table.render())?;
    for (name, summary) in [("validation", validation), ("test", test)] {
        if let Some(Summary { mean, std, min, max }) = summary {
            let [mean, std, min, max] = [mean, std, min, max].map(|share| percent(Some(share)));
            output::line(format!("{name}: mean {mean}, deviation {std}, least {min}, greatest {max}"))?;
        }
    }
    Ok(())
}

/// What several runs have in common.
#[derive(Clone, Copy)]
struct Summary {
    mean: f64,
    std: f64,
    min: f64,
    max: f64,
}

impl Summary {
    /// Mean, standard deviation (of the population of runs), least and greatest; nothing for no runs.
    fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let (first, rest) = values.split_first()?;
        let mean = values.iter().sum::<f64>() / n;
        let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let (min, max) = rest.iter().fold((*first, *first), |(lo, hi), &v| (lo.min(v), hi.max(v)));
        Some(Self { mean, std, min, max })
    }

    fn parts(self) -> [Option<f64>; 4] {
        [self.mean, self.std, self.min, self.max].map(Some)
    }
}

fn samples_per_second(outcome: &Outcome) -> f64 {
    outcome.samples as f64 / outcome.seconds.max(1e-9)
}

fn result_json(config: &Config, outcome: &Outcome, seconds: f64) -> Value {
    let kept = outcome.kept();
    json!({
        "event": "result",
        "seed": config.seed,
        "epoch": outcome.epoch,
        "epochs": outcome.epochs.len(),
        "train_accuracy": kept.train_accuracy,
        "validation_accuracy": kept.validation_accuracy,
        "test_accuracy": kept.test_accuracy,
        "seconds": seconds,
        "samples_per_second": samples_per_second(outcome),
        "parameters": layers::parameters_json(&outcome.summary),
        "model_bytes": outcome.model.as_ref().map(|model| model.to_bytes().len()),
    })
}

fn headline(name: &str, config: &Config, parts: &Parts) -> String {
    let order = || serde_json::json!(config.order()).as_str().unwrap_or_default().to_string();
    let method = match config.method {
        Method::Flip => format!("flip backprop, {}", order()),
        Method::IntegerFlip => format!("integer flip backprop, {}", order()),
        Method::StraightThrough => "straight-through training".into(),
    };
    let count = |part: &Option<onebit::data::Dataset>| part.as_ref().map_or(0, |part| part.len());
    format!(
        "{name}: {method}; {} features, {} classes; {} samples to learn from, {} for validation, {} for the test",
        parts.train.features(),
        parts.train.classes(),
        parts.train.len(),
        count(&parts.validation),
        count(&parts.test),
    )
}
