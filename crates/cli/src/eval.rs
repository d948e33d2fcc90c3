//! `onebit eval`: accuracy and confusion matrix on labelled data.

use onebit::{
    Model,
    data::{self, Dataset, TableOptions},
    experiment::{self, Source},
};
use serde_json::json;

use crate::{
    args::EvalArgs,
    data::locate,
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
    let path = &locate(&args.data, &args.dir)?;
    let options = TableOptions { target: args.target.clone().unwrap_or_default(), ..TableOptions::default() };
    let data = match experiment::source_at(path, &options)? {
        Source::Table(TableOptions { target, .. }) => {
            let (data, unknown) =
                data::read_table_with_labels(path, &target, model.labels(), &columns(model)?)?;
            unknown.iter().for_each(|unknown| warn_unknown(&path.display().to_string(), unknown));
            if args.target.is_none() && !args.json {
                output::line(guessed_target(&target))?;
            }
            return Ok((data, Some(target)));
        }
        source => source.read_test(path)?,
    };
    if data.label_names() != model.labels() {
        return Err(Failure::other(format!(
            "{}: expected the classes of the model, {}, got {}",
            path.display(),
            model.labels().join(", "),
            data.label_names().join(", ")
        )));
    }
    Ok((data, None))
}
