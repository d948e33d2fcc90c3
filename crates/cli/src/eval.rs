//! `onebit eval`: accuracy and confusion matrix on labelled data.

use onebit::{
    Model,
    data::{Dataset, Location, TableOptions},
};
use serde_json::json;

use crate::{
    args::EvalArgs,
    failure::{Failure, Result},
    features::{columns, warn_unknown},
    output,
    table::Table,
    text::{guessed_target, percent},
};

pub(crate) fn run(args: &EvalArgs) -> Result<()> {
    let engine = args.engine.engine()?;
    let model = Model::load(&args.model)?;
    let (data, target) = load(args, &model)?;
    if data.features() != model.inputs() {
        return Err(Failure::other(format!(
            "{}: expected {} features, the inputs of the model, got {}",
            args.data.display(),
            model.inputs(),
            data.features()
        )));
    }
    let confusion = onebit::confusion(&model, &engine, &data)?;
    let right: usize = (0..model.classes()).map(|class| confusion[class][class]).sum();
    let accuracy = right as f64 / data.len() as f64;
    if args.json {
        return output::json(&json!({
            "target": target,
            "accuracy": accuracy,
            "samples": data.len(),
            "labels": model.labels(),
            "confusion": confusion,
        }));
    }
    output::line(format!("accuracy {} ({right} of {})\n", percent(Some(accuracy)), data.len()))?;
    let mut table = Table::with_header([vec!["true \\ predicted".into()], model.labels().to_vec()].concat());
    for (label, counts) in model.labels().iter().zip(&confusion) {
        table.row([label.clone()].into_iter().chain(counts.iter().map(usize::to_string)));
    }
    output::line(table.render())
}

/// Reads the data with columns and classes in the model's order. For a table, also returns the target column.
fn load(args: &EvalArgs, model: &Model) -> Result<(Dataset, Option<String>)> {
    let options = TableOptions { target: args.target.clone().unwrap_or_default(), ..TableOptions::default() };
    let source = Location::of(&args.data).open(args.dir.named().as_ref(), &options)?;
    let name = source.path().unwrap_or(&args.data).display().to_string();
    let target = source.target().map(String::from);
    let (data, unknown) = source.read_for_model(model.labels(), &columns(model)?)?;
    unknown.iter().for_each(|unknown| warn_unknown(&name, unknown));
    if let (Some(target), None, false) = (&target, &args.target, args.json) {
        output::line(guessed_target(target))?;
    }
    if data.label_names() != model.labels() {
        return Err(Failure::other(format!(
            "{name}: expected the classes of the model, {}, got {}",
            model.labels().join(", "),
            data.label_names().join(", ")
        )));
    }
    Ok((data, target))
}
