//! Curves over the whole run.

use onebit::record::EpochLine;

use super::{
    chart::{Series, Unit, curves, range},
    page::{Panel, Section},
    story::Story,
};

/// One number of each epoch over steps.
fn by_epoch(story: &Story, name: &str, of: impl Fn(&EpochLine) -> Option<f64>) -> Option<Series> {
    Series::new(name, story.epochs.iter().map(|line| (line.step as f64, of(line))))
}

/// The curves of a run.
pub(super) fn section(story: &Story) -> Section {
    let phases = story.phases();
    let mut panels = Vec::new();
    let mut draw = |title: &str, how: &str, unit: Unit, series: Vec<Option<Series>>| {
        let series: Vec<Series> = series.into_iter().flatten().collect();
        if !series.is_empty() {
            panels.push(Panel::new(title, how, curves("step", unit, &series, &phases)));
        }
    };
    draw(
        "Accuracy",
        "Share of right answers after each epoch. Train well above the others means that the network learns its \
         samples by heart; both low means that it is too small, or still learning.",
        Unit::Percent,
        vec![
            by_epoch(story, "train", |e| Some(e.train_accuracy)),
            by_epoch(story, "validation", |e| e.validation_accuracy),
            by_epoch(story, "test", |e| e.test_accuracy),
        ],
    );
    draw(
        "Loss",
        "What training lowers. It falls and flattens when learning converges; a rise on held-out samples while train \
         falls is the beginning of learning by heart.",
        Unit::Number,
        vec![
            by_epoch(story, "train", |e| Some(e.loss)),
            by_epoch(story, "validation", |e| e.validation_loss),
            by_epoch(story, "test", |e| e.test_loss),
        ],
    );
    draw(
        "Loss of single steps",
        "Of the steps that were looked at. Its noise is that of a batch; waves mean that the rate is too high.",
        Unit::Number,
        vec![Series::new("batch", story.steps.iter().map(|s| (s.report.step as f64, Some(s.report.loss))))],
    );
    let (least, most) = range(story.epochs.iter().map(|e| e.rate));
    draw(
        "Rate",
        "The learning rate of real parameters; of flip training the share of the requested flips that is carried out \
         (suppressor s: 2^-s).",
        if least > 0.0 && most > 30.0 * least { Unit::Logarithm } else { Unit::Number },
        vec![by_epoch(story, "rate", |e| Some(e.rate))],
    );
    draw(
        "Samples a second",
        "Without evaluation. A dip is another program on the same cores.",
        Unit::Number,
        vec![by_epoch(story, "samples/s", |e| Some(e.samples_per_second))],
    );
    let about = "Dashed lines mark where a phase with other settings begins.";
    Section::new("Learning", if phases.is_empty() { "" } else { about }, panels)
}

/// Measures of all layers, each a line.
pub(super) fn signals(story: &Story) -> Section {
    let phases = story.phases();
    let layers = story.layers();
    let of_layer = |name: &String, of: fn(&onebit::layer::Observation) -> Option<f64>| {
        let value = |line: &EpochLine| of(&line.layers.iter().find(|layer| layer.layer == *name)?.measures);
        by_epoch(story, name, value)
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
        "Share of the bits that a layer is asked to change. Near 0 in a layer in front means that the signal vanished \
         on its way; near 0 everywhere means that the outputs are what they should be.",
        Unit::Number,
        |o| o.flip_ratio,
    );
    draw(
        "update_ratio",
        "Share of a layer's weights that flipped in a step. It should fall as learning converges; 0 from the start \
         is a layer that does not learn.",
        Unit::Number,
        |o| o.update_ratio,
    );
    draw(
        "dead weights",
        "Share of the weights whose bit was the same after every epoch. All alive late in a run is noise, all dead \
         early is a rate that is too low.",
        Unit::Percent,
        |o| o.dead_weights,
    );
    draw(
        "mean_of_bits",
        "Share of ones in what a layer hands on. Near 0.5 its bits tell most; near 0 or 1 they are always the same.",
        Unit::Number,
        |o| o.mean_of_bits,
    );
    Section::new("Layers side by side", "Means over each epoch.", panels)
}
