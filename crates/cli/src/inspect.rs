//! `onebit inspect`: the contents of a model file.

use onebit::{
    Model,
    model::{self, Column, ColumnKind, Conv, Layer, Limits, Output, TensorInfo, Thresholds},
};
use serde_json::{Value, json};

use crate::{
    args::InspectArgs,
    failure::{Failure, Result},
    output,
    table::Table,
};

pub(crate) fn run(args: &InspectArgs) -> Result<()> {
    let path = args.model.display().to_string();
    let file = model::read(&args.model)?;
    let named = |e: onebit::model::Error| Failure::other(format!("{path}: {e}"));
    let model = Model::from_bytes(&file).map_err(named)?;
    let tensors = Model::tensors(&file).map_err(named)?;
    if args.json { print_json(&file, &model, &tensors) } else { print(&path, &file, &model, &tensors) }
}

fn print_json(file: &[u8], model: &Model, tensors: &[TensorInfo]) -> Result<()> {
    let tensors = tensors.iter().map(
        |t| json!({"name": t.name, "kind": t.kind.name(), "rows": t.rows, "cols": t.cols, "bytes": t.bytes}),
    );
    output::json(&json!({
        "file_bytes": file.len(),
        "predicted_bytes": model.size().total,
        "inputs": model.inputs(),
        "classes": model.classes(),
        "labels": model.labels(),
        "features": model.features(),
        "columns": model.columns().map(|c| c.as_slice().iter().map(column_json).collect::<Vec<_>>()),
        "weight_bits": weights(model),
        "layers": model.layers().iter().map(layer_json).collect::<Vec<_>>(),
        "tensors": tensors.collect::<Vec<_>>(),
    }))
}

fn print(path: &str, file: &[u8], model: &Model, tensors: &[TensorInfo]) -> Result<()> {
    output::line(format!("{path}: {} features to {} classes", model.inputs(), model.classes()))?;
    output::line(format!("classes: {}\n", model.labels().join(", ")))?;
    let mut table = Table::new(["layer", "kind", "inputs", "units", "output", "weights"]);
    for (index, layer) in model.layers().iter().enumerate() {
        let (units, output) = describe(layer);
        let cells = [index.to_string(), layer.name().into(), layer.inputs().to_string()];
        table.row(cells.into_iter().chain([units.to_string(), output, layer.weights().to_string()]));
    }
    output::line(table.render())?;
    if let Some(columns) = model.columns() {
        let mut table = Table::new(["column", "features", "content"]);
        for column in columns.as_slice() {
            table.row([column.name.clone(), column.features().to_string(), content(column)]);
        }
        output::line(format!("\n{}", table.render()))?;
    }
    let mut table = Table::new(["tensor", "type", "rows", "columns", "bytes"]);
    for t in tensors {
        let sizes = [t.rows, t.cols, t.bytes].map(|n| n.to_string());
        table.row([t.name.clone(), t.kind.name().into()].into_iter().chain(sizes));
    }
    output::line(format!("\n{}\n", table.render()))?;
    output::line(format!("{} weights of one bit; the file has {} bytes", weights(model), file.len()))
}

fn weights(model: &Model) -> usize {
    model.layers().iter().map(Layer::weights).sum()
}

/// A description of a column of a raw table.
fn content(column: &Column) -> String {
    const SHOWN: usize = 8;
    match &column.kind {
        ColumnKind::Number { missing: None } => "numbers".into(),
        ColumnKind::Number { missing: Some(number) } => format!("numbers; {number} replaces a missing one"),
        ColumnKind::Categories(categories) => {
            let shown = categories.iter().filter(|category| !category.is_empty()).take(SHOWN);
            let mut shown = shown.map(String::as_str).collect::<Vec<_>>().join(", ");
            if categories.len() > SHOWN + usize::from(categories[0].is_empty()) {
                shown.push_str(", ...");
            }
            let missing = if categories[0].is_empty() { "; one is for missing values" } else { "" };
            format!("categories {shown}{missing}")
        }
    }
}

fn column_json(column: &Column) -> Value {
    match &column.kind {
        ColumnKind::Number { missing } => {
            json!({"name": column.name, "kind": "number", "missing": missing})
        }
        ColumnKind::Categories(categories) => {
            json!({"name": column.name, "kind": "categories", "categories": categories})
        }
    }
}

/// The number of units of a layer, and a description of its output.
fn describe(layer: &Layer) -> (usize, String) {
    match layer {
        Layer::Binarize(b) => (b.features, bits_each(b.thresholds.len())),
        Layer::Thermometer(t) => {
            let pixels = match t.features / t.channels {
                1 => String::new(),
                pixels => format!(" for {pixels} pixels"),
            };
            (t.channels, bits_each(t.depth()) + &pixels)
        }
        Layer::Dense(dense) => {
            let units = dense.weights.rows();
            let output = match &dense.output {
                Output::Bits(t) => bits_by_limits(t, units),
                Output::Scores(_) => "scores".into(),
            };
            (units, output)
        }
        Layer::Conv(conv) => {
            let units = conv.geometry.c_out;
            let by = |(h, w): (usize, usize)| format!("{h} x {w}");
            let pooled = conv.pool.map_or(String::new(), |pool| format!(", largest of {}", by(pool.kernel)));
            let output = format!(
                "{} for {} pixels, kernel {}{pooled}",
                bits_by_limits(&conv.thresholds, units),
                by(output_image(conv)),
                by(conv.geometry.kernel),
            );
            (units, output)
        }
    }
}

/// Height and width of the output, after pooling.
fn output_image(conv: &Conv) -> (usize, usize) {
    // The model was checked when it was read, so the output exists.
    conv.output().map_or((0, 0), |(_, output)| (output.h, output.w))
}

fn bits_by_limits(t: &Thresholds, units: usize) -> String {
    let kind = if matches!(t.limits, Limits::Integer(_)) { "integer" } else { "real" };
    format!("{} by {kind} limits", bits_each(t.limits.len() / units))
}

fn bits_each(depth: usize) -> String {
    format!("{depth} {} each", if depth == 1 { "bit" } else { "bits" })
}

fn layer_json(layer: &Layer) -> Value {
    let (units, output) = describe(layer);
    let mut shown = json!({
        "kind": layer.name(),
        "inputs": layer.inputs(),
        "units": units,
        "outputs": layer.outputs(),
        "output": output,
        "weight_bits": layer.weights(),
    });
    if let Layer::Conv(conv) = layer {
        let geometry = conv.geometry;
        let padding = conv.geometry.padding;
        shown["conv"] = json!({
            "image": conv.image,
            "channels": [geometry.c_in, geometry.c_out],
            "kernel": geometry.kernel,
            "stride": geometry.stride,
            "padding": [padding.top, padding.left, padding.bottom, padding.right],
            "pad": format!("{:?}", geometry.pad).to_lowercase(),
            "groups": geometry.groups,
            "pool": conv.pool.map(|pool| json!({"kernel": pool.kernel, "stride": pool.stride})),
            "output_image": output_image(conv),
        });
    }
    shown
}
