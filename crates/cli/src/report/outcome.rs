//! The sections with the outcome of a run: confusion matrix, mistakes, sizes and origin.

use onebit::{
    layer::Parameters,
    record::{Confusion, Mistake},
};

use super::{
    page::{Panel, Section, escaped, table},
    picture::Picture,
    run_data::RunData,
};
use crate::text::{bytes, percent, share};

/// Maximum number of classes for a full confusion matrix.
const CLASSES: usize = 30;

/// Number of confused pairs listed if there are more classes.
const PAIRS: usize = 20;

pub(super) fn answers(run: &RunData) -> Section {
    let mut panels = Vec::new();
    if let Some(found) = &run.result.examination {
        panels.push(confusion(&found.confusion));
        panels.extend(mistakes(run, &found.confusion, &found.mistakes));
    }
    Section::new("Answers", "", panels)
}

fn confusion(found: &Confusion) -> Panel {
    let Confusion { part, classes, counts } = found;
    let name = |class: usize| classes.get(class).map_or_else(|| class.to_string(), Clone::clone);
    if classes.len() > CLASSES {
        let mut pairs: Vec<_> = counts
            .iter()
            .enumerate()
            .flat_map(|(label, row)| row.iter().enumerate().map(move |(taken, n)| (*n, label, taken)))
            .filter(|(n, label, taken)| label != taken && *n > 0)
            .collect();
        pairs.sort_by(|a, b| b.cmp(a));
        let rows: Vec<_> = pairs
            .iter()
            .take(PAIRS)
            .map(|(n, label, taken)| vec![name(*label), name(*taken), n.to_string()])
            .collect();
        let how = format!("The most frequently confused pairs of classes in the {part} part.");
        return Panel::new("Confusions", how, table(&["class", "predicted", "samples"], &rows));
    }
    let mut html = String::from("<div class=\"scroll\"><table class=\"confusion\"><thead><tr><th></th>");
    classes.iter().for_each(|class| html += &format!("<th>{}</th>", escaped(class)));
    html += "<th>correct</th></tr></thead><tbody>";
    for (label, row) in counts.iter().enumerate() {
        let total = row.iter().sum::<usize>().max(1) as f64;
        html += &format!("<tr><th>{}</th>", escaped(&name(label)));
        for (taken, &n) in row.iter().enumerate() {
            let kind = if taken == label { "good" } else { "bad" };
            let strength = if n == 0 { 0.0 } else { 0.12 + 0.75 * n as f64 / total };
            html += &format!("<td style=\"background:rgba(var(--{kind}),{strength:.2})\">{n}</td>");
        }
        let right = row.get(label).map_or(0.0, |&n| n as f64 / total);
        html += &format!("<td>{}</td></tr>", percent(Some(right)));
    }
    html += "</tbody></table></div>";
    let how = format!(
        "Samples of the {part} part: rows are true classes, columns are predicted ones. Mistakes lie off \
         the diagonal."
    );
    Panel::new("Confusion matrix", how, html).wide()
}

fn mistakes(run: &RunData, found: &Confusion, mistakes: &[Mistake]) -> Option<Panel> {
    if mistakes.is_empty() {
        return None;
    }
    let name = |class: usize| found.classes.get(class).map_or_else(|| class.to_string(), Clone::clone);
    let how = "The wrong answers with the largest margins, largest first. Look for wrong labels, and for \
               what these samples have in common.";
    let data = &run.info.data;
    let Some([height, width, channels]) = data.image else {
        let features = mistakes.iter().map(|m| m.values.len()).max().unwrap_or(0);
        let names: Vec<&str> = data.feature_names.iter().map(String::as_str).take(features).collect();
        let header: Vec<&str> = ["row", "class", "predicted", "margin"].into_iter().chain(names).collect();
        let row = |m: &Mistake| {
            let values = m.values.iter().map(|v| format!("{v}"));
            let first = [m.row.to_string(), name(m.label), name(m.predicted), format!("{:.3}", m.margin)];
            first.into_iter().chain(values).collect()
        };
        let rows: Vec<Vec<String>> = mistakes.iter().map(row).collect();
        return Some(Panel::new("Most confident mistakes", how, table(&header, &rows)).wide());
    };
    let mut html = String::from("<div class=\"pictures\">");
    for mistake in mistakes {
        let pixels = mistake.decode().filter(|pixels| pixels.len() == height * width * channels);
        let Some(pixels) = pixels else { continue };
        let picture = Picture::from_fn(width, height, |row, column| {
            let pixel = &pixels[(row * width + column) * channels..][..channels];
            match pixel {
                [red, green, blue, ..] => [*red, *green, *blue, 255],
                [grey, ..] => [*grey, *grey, *grey, 255],
                [] => [0; 4],
            }
        });
        html += &format!(
            "<div class=\"picture\"><img alt=\"\" src=\"{}\">{} predicted as {} (+{:.2})</div>",
            picture.uri(),
            escaped(&name(mistake.label)),
            escaped(&name(mistake.predicted)),
            mistake.margin
        );
    }
    Some(Panel::new("Most confident mistakes", how, html + "</div>").wide())
}

pub(super) fn sizes(run: &RunData) -> Section {
    let layers = &run.result.layers;
    let mut panels = Vec::new();
    if !layers.is_empty() {
        let row = |name: String,
                   Parameters { bits, reals }: Parameters,
                   unique: Option<(f64, f64)>,
                   angle: Option<f64>| {
            let parameters = Parameters { bits, reals };
            vec![
                name,
                bits.to_string(),
                reals.to_string(),
                parameters.count().to_string(),
                parameters.size_in_bits().to_string(),
                bytes(parameters.size_in_bits().div_ceil(8)),
                bytes(4 * parameters.count()),
                unique.map_or_else(
                    || "-".into(),
                    |(seen, random)| format!("{} ({})", share(Some(seen)), share(Some(random))),
                ),
                angle.map_or_else(|| "-".into(), |angle| format!("{angle:.1}")),
            ]
        };
        let mut rows: Vec<_> = layers
            .iter()
            .map(|(index, layer)| {
                row(format!("{index} {}", layer.name), layer.parameters, layer.unique_filters, layer.angle)
            })
            .collect();
        let total: Parameters = layers.iter().map(|(_, layer)| layer.parameters).sum();
        rows.push(row("total".into(), total, None, None));
        let header = [
            "layer",
            "binary",
            "real",
            "N_param",
            "N_bits",
            "memory",
            "in f32",
            "unique filters (random)",
            "angle, degrees",
        ];
        let how = "A binary weight takes 1 bit, a real parameter 32. Unique filters: the share of distinct \
                   kernels per input channel up to their sign, with that of random kernels in brackets; a \
                   smaller share means repeated kernels. The angle between real weights and their signs is \
                   37 degrees for normally distributed weights, 0 for weights of equal magnitude.";
        panels.push(Panel::new("Layers with parameters", how, table(&header, &rows)).wide());
    }
    Section::new("Size", "", panels)
}

pub(super) fn origin(run: &RunData) -> Section {
    let data = &run.info.data;
    let header: Vec<&str> = ["part", "samples"]
        .into_iter()
        .chain(data.classes.iter().take(CLASSES).map(String::as_str))
        .collect();
    let rows: Vec<Vec<String>> = data
        .parts
        .iter()
        .map(|part| {
            let counts = part.counts.iter().take(CLASSES).map(usize::to_string);
            [part.part.clone(), part.counts.iter().sum::<usize>().to_string()]
                .into_iter()
                .chain(counts)
                .collect()
        })
        .collect();
    let how = "Number of samples in each class. An accuracy below the share of the largest class is worse \
               than always answering with that class.";
    let mut panels = vec![Panel::new("Data", how, table(&header, &rows)).wide()];
    let e = &run.info.environment;
    let facts = [
        ("began", run.info.started.clone()),
        ("resumed", run.info.resumed.join(", ")),
        ("ended", run.result.ended.clone()),
        ("command", e.command.join(" ")),
        ("onebit", e.onebit.clone()),
        ("machine", format!("{} {}, {} cores", e.os, e.arch, e.cores)),
        ("processor", e.processor.clone()),
        ("kernels", format!("{}, {} threads", e.isa, e.threads)),
        ("folder", run.folder.path().display().to_string()),
    ];
    let rows: Vec<_> = facts
        .into_iter()
        .filter(|fact| !fact.1.is_empty())
        .map(|(name, fact)| vec![name.into(), fact])
        .collect();
    panels.push(Panel::new("Time and place", "", table(&[], &rows)));
    if let Some(config) = &run.config {
        let body = format!("<pre>{}</pre>", escaped(config));
        panels.push(Panel::new(
            "Settings",
            "To repeat this run, save these settings as file.toml and run `onebit train file.toml`.",
            body,
        ));
    }
    Section::new("Origin", "", panels)
}
