//! The tables of layers at the end of a run.

use onebit::{LayerSummary, Outcome, layer::Parameters};
use serde_json::{Value, json};

use crate::{
    table::Table,
    text::{bytes, share},
};

/// A table of the last epoch's measures, for each layer that has any.
pub(crate) fn measures(outcome: &Outcome) -> String {
    let mut table =
        Table::new(["layer", "kind", "flip ratio", "update ratio", "dead weights", "mean of bits"]);
    let last = outcome.epochs.last().map_or(&[][..], |report| &report.layers);
    for (index, (name, o)) in last.iter().enumerate() {
        let measures = [o.flip_ratio, o.update_ratio, o.dead_weights, o.mean_of_bits];
        if measures != [None; 4] {
            table.row([index.to_string(), name.clone()].into_iter().chain(measures.map(share)));
        }
    }
    table.render()
}

/// A table of the parameters of each layer and of statistics about its weights.
pub(crate) fn parameters(layers: &[(usize, LayerSummary)]) -> String {
    let mut table =
        Table::new(["layer", "kind", "bits", "reals", "memory", "unique filters", "of random", "angle"]);
    for (index, layer) in layers {
        let Parameters { bits, reals } = layer.parameters;
        let (unique, random) = layer.unique_filters.unzip();
        table.row([
            index.to_string(),
            layer.name.clone(),
            bits.to_string(),
            reals.to_string(),
            memory(layer.parameters.size_in_bits()),
            share(unique),
            share(random),
            match (layer.rotation, layer.angle) {
                (Some([before, after]), Some(angle)) => {
                    format!("{angle:.2} deg; rotated {before:.2} to {after:.2}")
                }
                (_, Some(angle)) => format!("{angle:.2} deg"),
                _ => "-".into(),
            },
        ]);
    }
    let total = total(layers);
    format!(
        "{}\nN_param {}, N_bits {} ({}); the same network in f32: {} bits, {:.1} times as many",
        table.render(),
        total.count(),
        total.size_in_bits(),
        memory(total.size_in_bits()),
        32 * total.count(),
        (32 * total.count()) as f64 / total.size_in_bits().max(1) as f64,
    )
}

pub(crate) fn parameters_json(layers: &[(usize, LayerSummary)]) -> Value {
    let total = total(layers);
    let each = layers.iter().map(|(index, layer)| {
        let (unique, random) = layer.unique_filters.unzip();
        json!({
            "layer": index,
            "kind": layer.name,
            "bits": layer.parameters.bits,
            "reals": layer.parameters.reals,
            "unique_filters": unique,
            "unique_filters_of_random": random,
            "angle": layer.angle,
            "rotated_from_to": layer.rotation,
        })
    });
    json!({
        "n_param": total.count(),
        "n_bits": total.size_in_bits(),
        "layers": each.collect::<Vec<_>>(),
    })
}

fn total(layers: &[(usize, LayerSummary)]) -> Parameters {
    layers.iter().fold(Parameters::default(), |sum, (_, layer)| Parameters {
        bits: sum.bits + layer.parameters.bits,
        reals: sum.reals + layer.parameters.reals,
    })
}

fn memory(bits: usize) -> String {
    bytes(bits.div_ceil(8))
}
