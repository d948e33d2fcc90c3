//! The sections with the observations of each layer, step by step.

use onebit::inspect::{BitMeans, Histogram, LayerReport};

use super::{
    chart::{Series, Unit, bars, curves, image, range},
    page::{Panel, Section},
    picture::{Picture, density_colour, share_colour},
    run_data::RunData,
    weights,
};

/// Number of rows of a density picture.
const ROWS: usize = 60;

/// Maximum number of feature names listed.
const NAMED: usize = 16;

/// A section for each layer.
pub(super) fn sections(run: &RunData) -> Vec<Section> {
    let layers = run.layers();
    layers.iter().map(|name| Section::new(format!("Layer {name}"), "", panels(run, name))).collect()
}

fn panels(run: &RunData, name: &str) -> Vec<Panel> {
    let seen: Vec<(f64, &LayerReport)> = run
        .steps
        .iter()
        .filter_map(|s| Some((s.report.step as f64, s.report.layers.iter().find(|l| l.layer == name)?)))
        .collect();
    let mut panels = Vec::new();
    panels.extend(mean_of_bits(run, &seen, run.info.layers.first().is_some_and(|first| first == name)));
    panels.extend(flips(run, &seen));
    let gradients = histograms(&seen, |layer| layer.gradient.as_ref());
    panels.extend(over_time(
        run,
        "Gradient received",
        "Distribution of the values at each step; darker means more frequent. A band that narrows to a line \
         at 0 means that the signal vanishes, or that the task is learned.",
        &gradients,
    ));
    panels.extend(zeros(run, &gradients));
    let outputs = histograms(&seen, |layer| layer.output.as_ref());
    let popcount = name.ends_with(" bma");
    let (title, how) = if popcount {
        (
            "Standardized popcount",
            "The scores in standard deviations of a random sum. In a trained network they spread as widely \
             as the normal distribution or more widely; a spike at 0 carries no information.",
        )
    } else {
        (
            "Real output",
            "Distribution of the layer's real outputs at each step; darker means more frequent. Outliers \
             late in a run suggest that the rate is too high.",
        )
    };
    panels.extend(over_time(run, title, how, &outputs));
    if popcount {
        panels.extend(popcounts(&outputs));
    }
    panels.extend(inertia(run, &seen));
    panels.extend(weights::panel(run, name));
    panels
}

type Histograms<'a> = Vec<(f64, &'a Histogram)>;

fn histograms<'a>(
    seen: &[(f64, &'a LayerReport)],
    of: impl Fn(&'a LayerReport) -> Option<&'a Histogram>,
) -> Histograms<'a> {
    let some = seen.iter().filter_map(|(step, layer)| Some((*step, of(layer)?)));
    some.filter(|(_, histogram)| !histogram.counts.is_empty()).collect()
}

/// The mean of each output bit over steps, as a heat map, and the share of constant bits.
fn mean_of_bits(run: &RunData, seen: &[(f64, &LayerReport)], first: bool) -> Vec<Panel> {
    let means: Vec<(f64, &BitMeans)> =
        seen.iter().filter_map(|(step, layer)| Some((*step, layer.bits.as_ref()?))).collect();
    let features = means.iter().map(|(_, means)| means.features.len()).max().unwrap_or(0);
    if features == 0 {
        return Vec::new();
    }
    let picture = Picture::from_fn(means.len(), features, |row, column| {
        means[column].1.features.get(row).map_or([0; 4], |&share| share_colour(share))
    });
    let x = (means[0].0, means[means.len() - 1].0);
    let mut body = image(widened(x), "step", (features as f64, 0.0), &picture.uri(), &run.phases());
    body += &format!(
        "<div class=\"legend\"><span>0</span><img alt=\"\" width=\"120\" height=\"10\" \
         src=\"{}\"><span>1</span></div>",
        Picture::from_fn(60, 1, |_, column| share_colour(column as f32 / 59.0)).uri()
    );
    let mut how = "Rows are features, columns are steps. A pale feature, near 0.5, is useful; a dark blue \
                   (0) or dark red (1) one is constant."
        .to_string();
    let names = &run.info.data.feature_names;
    if first && names.len() == features && features <= NAMED {
        how += &format!(" Rows from top to bottom: {}.", names.join(", "));
    }
    let constant = Series::new("constant bits", means.iter().map(|(s, m)| (*s, Some(m.constant))));
    let mean = Series::new("mean of all bits", means.iter().map(|(s, m)| (*s, Some(m.mean))));
    let lines: Vec<Series> = constant.into_iter().chain(mean).collect();
    vec![
        Panel::new("mean_of_bits", how, body),
        Panel::new(
            "Constant bits",
            "Share of the bits that are equal for all samples of the batch and carry no information. Small \
             batches have more of them by chance.",
            curves("step", Unit::Percent, &lines, &run.phases()),
        ),
    ]
}

fn flips(run: &RunData, seen: &[(f64, &LayerReport)]) -> Option<Panel> {
    let series = Series::new("flip_ratio", seen.iter().map(|(step, layer)| (*step, layer.flip_ratio)))?;
    let how = "Share of the layer's output bits that the backward signal asks to change, in single steps. \
               It falls to 0 when the outputs are what later layers need, or when the signal is lost on its \
               way.";
    Some(Panel::new("flip_ratio", how, curves("step", Unit::Number, &[series], &run.phases())))
}

fn zeros(run: &RunData, gradients: &Histograms) -> Option<Panel> {
    let zeros =
        Series::new("exact zeros", gradients.iter().map(|(step, h)| (*step, Some(f64::from(h.zeros)))))?;
    let some = zeros.points.iter().any(|point| point.1 > 0.0);
    let how = "Share of the gradient that is exactly 0, from samples already learned or from signals that \
               were lost.";
    some.then(|| {
        Panel::new("Zeros in the gradient", how, curves("step", Unit::Percent, &[zeros], &run.phases()))
    })
}

fn inertia(run: &RunData, seen: &[(f64, &LayerReport)]) -> Vec<Panel> {
    let all = histograms(seen, |layer| layer.inertia.as_ref().map(|inertia| &inertia.histogram));
    let Some(name) = seen.iter().find_map(|(_, layer)| Some(layer.inertia.as_ref()?.name.clone())) else {
        return Vec::new();
    };
    let how = match name.as_str() {
        "votes" => {
            "Share of the samples that vote to flip a weight. Weights above the quorum flip; in a narrow \
             band below it, nothing changes any more."
        }
        "counters" => {
            "Distance of the weights from flipping: a counter that crosses 0 flips its weight. Two peaks \
             away from 0 are settled weights."
        }
        "averages" => {
            "Averaged gradients. A weight flips when its average exceeds the threshold against \
                       the sign of the weight."
        }
        _ => {
            "The latent real weights, whose signs are the weights. Two peaks away from 0 are settled \
             weights; those in a peak at 0 still flip from step to step."
        }
    };
    let mut title = name.clone();
    title[..1].make_ascii_uppercase();
    let mut panels: Vec<Panel> = over_time(run, &title, how, &all).into_iter().collect();
    if let Some((step, last)) = all.last() {
        let bins: Vec<_> = last.bins().map(|(low, high, n)| (low, high, f64::from(n))).collect();
        panels.push(Panel::new(
            format!("{title} at step {step}"),
            "Histogram of a sample of the values at the end.",
            bars(&name, &bins, &[]),
        ));
    }
    panels
}

/// Histograms of the scores at the first and last step, with the normal distribution.
fn popcounts(outputs: &Histograms) -> Vec<Panel> {
    let (Some(first), Some(last)) = (outputs.first(), outputs.last()) else { return Vec::new() };
    let panel = |(step, histogram): &(f64, &Histogram)| {
        let total = histogram.total().max(1) as f64;
        let density =
            |(low, high, n): (f64, f64, u32)| (low, high, f64::from(n) / total / (high - low).max(1e-9));
        let bins: Vec<_> = histogram.bins().map(density).collect();
        let (low, high) = range(bins.iter().flat_map(|b| [b.0, b.1]));
        let normal = |z: f64| (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let curve: Vec<_> =
            (0..=60).map(|k| low + (high - low) * f64::from(k) / 60.0).map(|z| (z, normal(z))).collect();
        Panel::new(
            format!("Standardized popcount at step {step}"),
            "Bars are the scores of a batch; the dashed line is the standard normal distribution, that of a \
             random network.",
            bars("score", &bins, &curve),
        )
    };
    if first.0 == last.0 { vec![panel(last)] } else { vec![panel(first), panel(last)] }
}

/// Draws a histogram as a column for each step, darker where there are more values.
fn over_time(run: &RunData, title: &str, how: &str, all: &Histograms) -> Option<Panel> {
    let (low, high) = bulk(all)?;
    let width = (high - low) / ROWS as f64;
    let columns: Vec<Vec<f32>> = all.iter().map(|(_, histogram)| column(histogram, low, width)).collect();
    let picture =
        Picture::from_fn(columns.len(), ROWS, |row, at| density_colour(columns[at][ROWS - 1 - row]));
    let x = (all[0].0, all[all.len() - 1].0);
    let body = image(widened(x), "step", (low, high), &picture.uri(), &run.phases());
    Some(Panel::new(title, how, body))
}

/// The range of nearly all values, including 0; outliers may lie beyond it.
fn bulk(all: &Histograms) -> Option<(f64, f64)> {
    let lows = all.iter().map(|(_, h)| f64::from(h.min.max(h.mean - 4.0 * h.deviation)));
    let highs = all.iter().map(|(_, h)| f64::from(h.max.min(h.mean + 4.0 * h.deviation)));
    let (mut lows, mut highs): (Vec<f64>, Vec<f64>) = (lows.collect(), highs.collect());
    lows.sort_by(f64::total_cmp);
    highs.sort_by(f64::total_cmp);
    let few = lows.len() / 50;
    let (low, high) = (lows.get(few)?.min(0.0), highs.get(highs.len() - 1 - few)?.max(0.0));
    if high > low { Some((low, high)) } else { Some((low - 0.5, high + 0.5)) }
}

/// The density in each row, relative to the highest.
fn column(histogram: &Histogram, low: f64, width: f64) -> Vec<f32> {
    let mut rows = vec![0.0f64; ROWS];
    for (from, to, n) in histogram.bins().filter(|bin| bin.2 > 0) {
        let (from, to) = ((from - low) / width, (to - low) / width);
        let thickness = (to - from).max(1e-9);
        let (first, last) =
            (from.floor().max(0.0) as usize, to.floor().clamp(0.0, (ROWS - 1) as f64) as usize);
        if to < 0.0 || first >= ROWS {
            continue;
        }
        for (row, share) in rows.iter_mut().enumerate().take(last + 1).skip(first) {
            let inside = (to.min(row as f64 + 1.0) - from.max(row as f64)).max(0.0);
            *share += f64::from(n) * if thickness <= 1e-9 { 1.0 } else { inside / thickness };
        }
    }
    let most = rows.iter().copied().fold(0.0, f64::max).max(1e-9);
    rows.iter().map(|share| (share / most) as f32).collect()
}

/// A range of nonzero width, even for a single step.
fn widened((low, high): (f64, f64)) -> (f64, f64) {
    if high > low { (low, high) } else { (low - 0.5, high + 0.5) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_densities() {
        let values: Vec<f32> = (0..1000).map(|v| v as f32 / 999.0).collect();
        let even = column(&Histogram::of(&values), 0.0, 1.0 / ROWS as f64);
        assert!(even.iter().all(|&share| share > 0.9), "{even:?}");
        let one = column(&Histogram::of(&[0.5; 9]), 0.0, 1.0 / ROWS as f64);
        assert_eq!(one.iter().filter(|&&share| share == 1.0).count(), 1);
        let beyond = column(&Histogram::of(&[7.0; 9]), 0.0, 1.0 / ROWS as f64);
        assert!(beyond.iter().all(|&share| share == 0.0));
    }
}
