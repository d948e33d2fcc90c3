//! `onebit compare RUN RUN..`: several runs side by side.

use onebit::{
    model,
    record::{EpochLine, RunFolder},
};
use serde_json::{Value, json};

use super::{
    chart::{Series, Unit, curves},
    page::{Panel, Section, page, table},
    story::Story,
};
use crate::{
    args::CompareArgs,
    failure::Result,
    output::{self, percent},
    table::Table,
};

pub(crate) fn run(args: &CompareArgs) -> Result<()> {
    let stories =
        args.runs.iter().map(|path| Story::read(RunFolder::open(path)?)).collect::<Result<Vec<_>>>()?;
    if let Some(out) = &args.out {
        model::replace(&[(out.clone(), html(&stories).as_bytes())])?;
    }
    if args.json {
        return stories.iter().try_for_each(|story| output::json(&json(story)));
    }
    let (header, rows) = rows(&stories);
    let mut text = Table::with_header(header.iter().map(|cell| (*cell).to_string()).collect());
    rows.into_iter().for_each(|row| text.row(row));
    output::line(text.render())?;
    let different = differences(&stories);
    if !different.is_empty() {
        let header = [String::from("setting")].into_iter().chain(stories.iter().map(Story::short_name));
        let mut text = Table::with_header(header.collect());
        different.into_iter().for_each(|row| text.row(row));
        output::line(format!("\n{}", text.render()))?;
    }
    args.out.as_ref().map_or(Ok(()), |out| output::line(format!("\n{}", out.display())))
}

fn json(story: &Story) -> Value {
    let result = &story.result;
    json!({
        "run": story.folder.path().display().to_string(),
        "name": story.info.name,
        "status": result.status.name(),
        "epochs": story.epochs.len(),
        "train_accuracy": result.train_accuracy,
        "validation_accuracy": result.validation_accuracy,
        "test_accuracy": result.test_accuracy,
        "seconds": story.epochs.last().map(|line| line.seconds),
        "samples_per_second": result.samples_per_second,
        "model_bytes": result.model_bytes,
    })
}

type Rows = (Vec<&'static str>, Vec<Vec<String>>);

/// A line a run.
fn rows(stories: &[Story]) -> Rows {
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
    let row = |story: &Story| {
        let (result, last) = (&story.result, story.epochs.last());
        let or_last =
            |kept: Option<f64>, of: fn(&EpochLine) -> Option<f64>| percent(kept.or(last.and_then(of)));
        let best = story
            .epochs
            .iter()
            .filter_map(held_out)
            .fold(None, |a: Option<f64>, b| Some(a.map_or(b, |a| a.max(b))));
        vec![
            story.short_name(),
            result.status.name().into(),
            story.epochs.len().to_string(),
            or_last(result.train_accuracy, |e| Some(e.train_accuracy)),
            or_last(result.validation_accuracy, |e| e.validation_accuracy),
            or_last(result.test_accuracy, |e| e.test_accuracy),
            percent(best),
            last.map_or("-".into(), |e| format!("{:.4}", e.loss)),
            last.map_or("-".into(), |e| format!("{:.1}", e.seconds)),
            last.map_or("-".into(), |e| format!("{:.0}", e.samples_per_second)),
            result.model_bytes.map_or("-".into(), output::bytes),
        ]
    };
    (header, stories.iter().map(row).collect())
}

/// The accuracy that one would choose by.
fn held_out(line: &EpochLine) -> Option<f64> {
    line.validation_accuracy.or(line.test_accuracy)
}

/// The settings that are not the same in all runs, a row each.
fn differences(stories: &[Story]) -> Vec<Vec<String>> {
    let settings: Vec<_> = stories
        .iter()
        .map(|story| onebit::config::flat(story.config.as_deref().unwrap_or_default()))
        .collect();
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

fn html(stories: &[Story]) -> String {
    let draw = |title: &str, how: &str, unit: Unit, of: fn(&EpochLine) -> Option<f64>| {
        let line = |story: &Story| {
            Series::new(story.short_name(), story.epochs.iter().map(|e| (e.epoch as f64, of(e))))
        };
        let series: Vec<Series> = stories.iter().filter_map(line).collect();
        (!series.is_empty()).then(|| Panel::new(title, how, curves("epoch", unit, &series, &[])))
    };
    let curves = [
        draw(
            "Test accuracy",
            "Higher is better; compare where the curves end, not single peaks.",
            Unit::Percent,
            |e| e.test_accuracy,
        ),
        draw("Validation accuracy", "What settings are chosen by.", Unit::Percent, |e| e.validation_accuracy),
        draw("Train accuracy", "While learning, with dropout and other noise.", Unit::Percent, |e| {
            Some(e.train_accuracy)
        }),
        draw("Train loss", "Only runs with the same loss can be compared.", Unit::Number, |e| Some(e.loss)),
        draw("Test loss", "Only runs with the same loss can be compared.", Unit::Number, |e| e.test_loss),
        draw("Samples a second", "Without evaluation.", Unit::Number, |e| Some(e.samples_per_second)),
    ];
    let (header, rows) = rows(stories);
    let mut tables = vec![Panel::new("Results", "A row is a run.", table(&header, &rows)).wide()];
    let different = differences(stories);
    if !different.is_empty() {
        let names: Vec<String> = stories.iter().map(Story::short_name).collect();
        let header: Vec<&str> = ["setting"].into_iter().chain(names.iter().map(String::as_str)).collect();
        tables.push(
            Panel::new("Settings that differ", "All others are the same.", table(&header, &different)).wide(),
        );
    }
    let sections = [
        Section::new("Runs", "", tables),
        Section::new("Curves", "", curves.into_iter().flatten().collect()),
    ];
    page("Runs side by side", "", &sections)
}
