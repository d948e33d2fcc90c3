//! The sections with curves over the whole run.

use onebit::record::EpochLine;

use super::{
    chart::{Series, Unit, curves, range},
    page::{Panel, Section},
    run_data::RunData,
};

/// A line of one value per epoch, over steps.
fn by_epoch(run: &RunData, name: &str, of: impl Fn(&EpochLine) -> Option<f64>) -> Option<Series> {
    Series::new(name, run.epochs.iter().map(|line| (line.step as f64, of(line))))
}

/// Accuracy, loss, rate and speed.
pub(super) fn section(run: &RunData) -> Section {
    let phases = run.phases();
    let mut panels = Vec::new();
    let mut draw = |title: &str, how: &str, unit: Unit, series: Vec<Option<Series>>| {
        let series: Vec<Series> = series.into_iter().flatten().collect();
        if !series.is_empty() {
            panels.push(Panel::new(title, how, curves("step", unit, &series, &phases)));
        }
    };
    draw(
        "Accuracy",
        "Share of correct answers after each epoch. Train accuracy far above the others means that the \
         network memorizes its samples (overfitting). If all are low, it is too small or needs more epochs.",
        Unit::Percent,
        vec![
            by_epoch(run, "train", |e| Some(e.train_accuracy)),
            by_epoch(run, "validation", |e| e.validation_accuracy),
            by_epoch(run, "test", |e| e.test_accuracy),
        ],
    );
    draw(
        "Loss",
        "The loss function that training minimizes. It falls and flattens as training converges. When it \
         rises on held-out samples while train loss falls, overfitting begins.",
        Unit::Number,
        vec![
            by_epoch(run, "train", |e| Some(e.loss)),
            by_epoch(run, "validation", |e| e.validation_loss),
            by_epoch(run, "test", |e| e.test_loss),
        ],
    );
    draw(
        "Loss of single steps",
        "Loss of the recorded steps. It varies from batch to batch; waves mean that the rate is too high.",
        Unit::Number,
        vec![Series::new("batch", run.steps.iter().map(|s| (s.report.step as f64, Some(s.report.loss))))],
    );
    let (least, most) = range(run.epochs.iter().map(|e| e.rate));
    draw(
        "Rate",
        "The learning rate. In flip training, the share of the requested flips that is carried out (2^-s for \
         suppressor s).",
        if least > 0.0 && most > 30.0 * least { Unit::Logarithm } else { Unit::Number },
        vec![by_epoch(run, "rate", |e| Some(e.rate))],
    );
    draw(
        "Samples per second",
        "Training speed, without evaluation. A dip usually means that another program used the same cores.",
        Unit::Number,
        vec![by_epoch(run, "samples/s", |e| Some(e.samples_per_second))],
    );
    let about = "A dashed line marks the start of a phase with other settings.";
    Section::new("Learning", if phases.is_empty() { "" } else { about }, panels)
}

/// The measures of all layers, with a line for each layer.
pub(super) fn signals(run: &RunData) -> Section {
    let phases = run.phases();
    let layers = run.layers();
    let of_layer = |name: &String, of: fn(&onebit::layer::Observation) -> Option<f64>| {
        let value = |line: &EpochLine| of(&line.layers.iter().find(|layer| layer.layer == *name)?.measures);
        by_epoch(run, name, value)
    };
    let mut panels = Vec::new();
    let mut draw =
        |title: &str, how: &str, unit: Unit, of: fn(&onebit::layer::Observation) -> Option<f64>| {
            let series: Vec<Series> = layers.iter().filter_map(|name| of_layer(name, of)).collect();
            if !series.is_empty() {
                panels.push(Panel::new(title, how, curves("step", unit, &series, &phases)));
            }
        };
    draw(
        "flip_ratio",
        "Share of a layer's output bits that the backward signal asks to change. Near 0 only in layers \
         close to the input means that the signal vanished on the way; near 0 everywhere means that the \
         outputs are correct.",
        Unit::Number,
        |o| o.flip_ratio,
    );
    draw(
        "update_ratio",
        "Share of a layer's weights that flipped in a step. It should fall as training converges. A layer \
         at 0 from the start does not learn.",
        Unit::Number,
        |o| o.update_ratio,
    );
    draw(
        "dead weights",
        "Share of the weights whose bit was the same after every epoch. Near 0 late in a run, the weights \
         flip at random; near 1 early in a run, the rate is too low.",
        Unit::Percent,
        |o| o.dead_weights,
    );
    draw(
        "mean_of_bits",
        "Share of ones in a layer's output. Near 0.5 the bits carry the most information; near 0 or 1 they \
         are almost constant.",
        Unit::Number,
        |o| o.mean_of_bits,
    );
    Section::new("Layers side by side", "Each point is the mean over an epoch.", panels)
}
