//! The size and cost of a model: bytes and multiplications, layer by layer.

use std::collections::HashSet;

use onebit::{
    Model,
    model::{Conv, Dense, Layer, LayerSize, Size},
};
use serde_json::json;

use crate::{failure::Result, output, table::Table};

/// Prints a table or a JSON object, whose bytes add up to the size of the file.
pub(super) fn print(path: &str, model: &Model, file_bytes: usize, as_json: bool) -> Result<()> {
    let size = model.size();
    if as_json {
        return output::json(&json(model, &size, file_bytes));
    }
    let mut table = Table::new([
        "part",
        "kind",
        "shape",
        "1-bit weights",
        "32-bit numbers",
        "bytes",
        "bit MACs",
        "8-bit MACs",
    ]);
    let each = model.layers().iter().zip(&size.layers);
    for (index, (layer, LayerSize { bits, numbers, bytes, bit_macs, number_macs })) in each.enumerate() {
        let counts = [bits, numbers, bytes, bit_macs, number_macs].map(usize::to_string);
        table.row([index.to_string(), layer.name().into(), shape(layer)].into_iter().chain(counts));
    }
    for (part, numbers, bytes) in [
        ("features", 2 * model.inputs(), size.standardize),
        ("names", 0, size.names),
        ("columns", 0, size.columns),
        ("header, records", 0, size.framing),
    ] {
        if part == "columns" && bytes == 0 {
            continue;
        }
        let cells = ["", "", part, "0"].map(String::from).into_iter();
        table.row(cells.chain([numbers.to_string(), bytes.to_string(), "0".into(), "0".into()]));
    }
    let sum = |part: fn(&LayerSize) -> usize| size.layers.iter().map(part).sum::<usize>();
    let numbers = sum(|l| l.numbers) + 2 * model.inputs();
    let totals = [sum(|l| l.bits), numbers, size.total, sum(|l| l.bit_macs), sum(|l| l.number_macs)];
    let cells = ["", "", "total"].map(String::from).into_iter();
    table.row(cells.chain(totals.map(|n| n.to_string())));
    output::line(table.render())?;
    let units: usize = model.layers().iter().map(repeated).sum();
    output::line(format!(
        "\n{units} units repeat the weights of another unit up to their sign; they are computed all the same"
    ))?;
    let same = if size.total == file_bytes { "as predicted" } else { "not as predicted" };
    output::line(format!("{path} has {file_bytes} bytes, {same}"))
}

/// The number of units with the same weights as an earlier unit up to their sign, whose sums are known
/// already.
fn repeated(layer: &Layer) -> usize {
    let (Layer::Dense(Dense { weights, .. }) | Layer::Conv(Conv { weights, .. })) = layer else { return 0 };
    let up_to_sign = |unit| {
        let positive = weights.get(unit, 0);
        (0..weights.cols()).map(|i| weights.get(unit, i) == positive).collect::<Vec<_>>()
    };
    let different: HashSet<_> = (0..weights.rows()).map(up_to_sign).collect();
    weights.rows() - different.len()
}

/// The number of units and the size of the input that each of them sees.
fn shape(layer: &Layer) -> String {
    match layer {
        Layer::Binarize(b) => format!("{} by {} thresholds", b.features, b.thresholds.len()),
        Layer::Thermometer(t) => format!("{} by {} thresholds", t.features, t.depth()),
        Layer::Dense(dense) => format!("{} x {}", dense.weights.rows(), dense.weights.cols()),
        Layer::Conv(conv) => {
            let (h, w) = conv.geometry.kernel;
            format!("{} x {h}x{w}x{}", conv.geometry.c_out, conv.geometry.c_in / conv.geometry.groups.max(1))
        }
    }
}

fn json(model: &Model, size: &Size, file_bytes: usize) -> serde_json::Value {
    let each = model.layers().iter().zip(&size.layers);
    let layers = each.map(|(layer, of)| {
        json!({
            "kind": layer.name(),
            "shape": shape(layer),
            "weight_bits": of.bits,
            "numbers": of.numbers,
            "bytes": of.bytes,
            "bit_macs": of.bit_macs,
            "number_macs": of.number_macs,
            "repeated_units": repeated(layer),
        })
    });
    json!({
        "layers": layers.collect::<Vec<_>>(),
        "features_bytes": size.standardize,
        "names_bytes": size.names,
        "columns_bytes": size.columns,
        "framing_bytes": size.framing,
        "predicted_bytes": size.total,
        "file_bytes": file_bytes,
    })
}
