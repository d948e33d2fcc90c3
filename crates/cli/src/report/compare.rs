//! `onebit compare`: several runs side by side.

use onebit::{
    model,
    record::{EpochLine, RunFolder},
};
use serde_json::{Value, json};

use super::{
    chart::{Series, Unit, curves},
    page::{Panel, Section, page, table},
    run_data::RunData,
};
use crate::{
    args::CompareArgs,
    failure::Result,
    output,
    table::Table,
    text::{bytes, percent},
};

pub(crate) fn run(args: &CompareArgs) -> Result<()> {
    let runs =
        args.runs.iter().map(|path| RunData::read(RunFolder::open(path)?)).collect::<Result<Vec<_>>>()?;
    if let Some(out) = &args.out {
        model::replace(&[(out.clone(), html(&runs).as_bytes())])?;
    }
    if args.json {
        return runs.iter().try_for_each(|run| output::json(&json(run)));
    }
    let (header, rows) = rows(&runs);
    let mut text = Table::with_header(header.iter().map(|cell| (*cell).to_string()).collect());
    rows.into_iter().for_each(|row| text.row(row));
    output::line(text.render())?;
    let different = differences(&runs);
    if !different.is_empty() {
        let header = [String::from("setting")].into_iter().chain(runs.iter().map(RunData::short_name));
        let mut text = Table::with_header(header.collect());
        different.into_iter().for_each(|row| text.row(row));
        output::line(format!("\n{}", text.render()))?;
    }
    args.out.as_ref().map_or(Ok(()), |out| output::line(format!("\n{}", out.display())))
}

fn json(run: &RunData) -> Value {
    let result = &run.result;
    json!({
        "run": run.folder.path().display().to_string(),
        "name": run.info.name,
        "status": result.status.name(),
        "epochs": run.epochs.len(),
        "train_accuracy": result.train_accuracy,
        "validation_accuracy": result.validation_accuracy,
        "test_accuracy": result.test_accuracy,
        "seconds": run.epochs.last().map(|line| line.seconds),
        "samples_per_second": result.samples_per_second,
        "model_bytes": result.model_bytes,
    })
}

type Rows = (Vec<&'static str>, Vec<Vec<String>>);

/// The header and a row per run.
fn rows(runs: &[RunData]) -> Rows {
    let header = vec![
        "run",
        "status",
        "epochs",
        "train",
        "validation",
        "test",
        "best",
        "loss",
        "seconds",
        "samples/s",
        "model",
    ];
    let row = |run: &RunData| {
        let (result, last) = (&run.result, run.epochs.last());
        let or_last =
            |kept: Option<f64>, of: fn(&EpochLine) -> Option<f64>| percent(kept.or(last.and_then(of)));
        let best = run.epochs.iter().filter_map(held_out).reduce(f64::max);
        vec![
            run.short_name(),
            result.status.name().into(),
            run.epochs.len().to_string(),
            or_last(result.train_accuracy, |e| Some(e.train_accuracy)),
            or_last(result.validation_accuracy, |e| e.validation_accuracy),
            or_last(result.test_accuracy, |e| e.test_accuracy),
            percent(best),
            last.map_or("-".into(), |e| format!("{:.4}", e.loss)),
            last.map_or("-".into(), |e| format!("{:.1}", e.seconds)),
            last.map_or("-".into(), |e| format!("{:.0}", e.samples_per_second)),
            result.model_bytes.map_or("-".into(), bytes),
        ]
    };
    (header, runs.iter().map(row).collect())
}

/// The accuracy to choose an epoch by: on validation data if there are any, otherwise on test data.
fn held_out(line: &EpochLine) -> Option<f64> {
    line.validation_accuracy.or(line.test_accuracy)
}

/// A row for each setting that differs between the runs.
fn differences(runs: &[RunData]) -> Vec<Vec<String>> {
    let settings: Vec<_> =
        runs.iter().map(|run| onebit::config::flat(run.config.as_deref().unwrap_or_default())).collect();
    let mut keys: Vec<&String> = settings.iter().flat_map(|of| of.iter().map(|(key, _)| key)).collect();
    keys.sort();
    keys.dedup();
    let value = |of: &[(String, String)], key: &String| {
        of.iter().find(|(name, _)| name == key).map_or_else(|| "-".to_string(), |(_, value)| value.clone())
    };
    let row = |key: &String| -> Vec<String> {
        std::iter::once(key.clone()).chain(settings.iter().map(|of| value(of, key))).collect()
    };
    keys.into_iter().map(row).filter(|row| row[1..].iter().any(|value| *value != row[1])).collect()
}

fn html(runs: &[RunData]) -> String {
    let draw = |title: &str, how: &str, unit: Unit, of: fn(&EpochLine) -> Option<f64>| {
        let line =
            |run: &RunData| Series::new(run.short_name(), run.epochs.iter().map(|e| (e.epoch as f64, of(e))));
        let series: Vec<Series> = runs.iter().filter_map(line).collect();
        (!series.is_empty()).then(|| Panel::new(title, how, curves("epoch", unit, &series, &[])))
    };
    let curves = [
        draw(
            "Test accuracy",
            "Higher is better. Compare where the curves end, not single peaks.",
            Unit::Percent,
            |e| e.test_accuracy,
        ),
        draw(
            "Validation accuracy",
            "Choose settings by this accuracy, not by the test accuracy.",
            Unit::Percent,
            |e| e.validation_accuracy,
        ),
        draw(
            "Train accuracy",
            "Measured during training, with dropout and other noise.",
            Unit::Percent,
            |e| Some(e.train_accuracy),
        ),
        draw("Train loss", "Comparable only between runs with the same loss function.", Unit::Number, |e| {
            Some(e.loss)
        }),
        draw("Test loss", "Comparable only between runs with the same loss function.", Unit::Number, |e| {
            e.test_loss
        }),
        draw("Samples per second", "Training speed, without evaluation.", Unit::Number, |e| {
            Some(e.samples_per_second)
        }),
    ];
    let (header, rows) = rows(runs);
    let mut tables = vec![Panel::new("Results", "Each row is a run.", table(&header, &rows)).wide()];
    let different = differences(runs);
    if !different.is_empty() {
        let names: Vec<String> = runs.iter().map(RunData::short_name).collect();
        let header: Vec<&str> = ["setting"].into_iter().chain(names.iter().map(String::as_str)).collect();
        tables.push(
            Panel::new("Settings that differ", "All other settings are equal.", table(&header, &different))
                .wide(),
        );
    }
    let sections = [
        Section::new("Runs", "", tables),
        Section::new("Curves", "", curves.into_iter().flatten().collect()),
    ];
    page("Runs side by side", "", &sections)
}
