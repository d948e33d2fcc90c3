//! SVG charts. Colours come from the page, so that charts are legible in its light and dark themes.

use std::fmt::Write;

use super::page::escaped;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 220.0;
/// Space for labels: left, right, top, bottom.
const MARGIN: [f64; 4] = [46.0, 12.0, 14.0, 30.0];
/// Number of colours in the style of the page.
const COLOURS: usize = 6;

/// A named line.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

impl Series {
    /// A line through the points with finite values; `None` without any.
    pub(super) fn new(
        name: impl Into<String>,
        points: impl Iterator<Item = (f64, Option<f64>)>,
    ) -> Option<Self> {
        let points = points.filter_map(|(x, y)| Some((x, y.filter(|y| y.is_finite())?)));
        let points: Vec<_> = points.collect();
        (!points.is_empty()).then(|| Self { name: name.into(), points })
    }
}

/// The kind of numbers on an axis.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Unit {
    /// Shares, shown as percentages.
    Percent,
    /// Numbers on a linear scale.
    Number,
    /// Positive numbers on a logarithmic scale.
    Logarithm,
}

/// A labelled vertical line.
pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) word: String,
}

/// A map from numbers to coordinates.
pub(super) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    logarithm: bool,
}

impl Scale {
    fn new(low: f64, high: f64, from: f64, to: f64, unit: Unit) -> Self {
        let logarithm = unit == Unit::Logarithm && low > 0.0;
        let (low, high) = match (logarithm, high != low) {
            (true, _) => (low.log10().floor(), high.log10().ceil().max(low.log10().floor() + 1.0)),
            (false, true) => (low, high),
            (false, false) => (low - 0.5 * low.abs().max(1e-9), low + 0.5 * low.abs().max(1e-9)),
        };
        Self { low, high, from, to, logarithm }
    }

    fn place(&self, value: f64) -> f64 {
        let value = if self.logarithm { value.max(f64::MIN_POSITIVE).log10() } else { value };
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// About `n` round numbers.
    fn ticks(&self, n: f64) -> Vec<f64> {
        if self.logarithm {
            let step = ((self.high - self.low) / n).ceil().max(1.0) as i32;
            let exponents = (self.low as i32..=self.high as i32).step_by(step as usize);
            return exponents.map(|exponent| 10f64.powi(exponent)).collect();
        }
        let (low, high) = (self.low.min(self.high), self.low.max(self.high));
        let step = round_step((high - low) / n);
        let first = (low / step - 1e-9).ceil();
        let count = ((high / step + 1e-9).floor() - first).clamp(-1.0, 50.0) as i64;
        (0..=count).map(|k| (first + k as f64) * step).collect()
    }
}

/// Rounds up to the next of .., 1, 2, 5, 10, 20, ..
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.max(1e-300).log10().floor());
    let rounded = [1.0, 2.0, 5.0, 10.0].into_iter().find(|r| r * power >= step * 0.999).unwrap_or(10.0);
    rounded * power
}

/// Formats a number in few characters.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if value == 0.0 || size < 1e-12 => "0".into(),
        _ if size >= 1e6 => format!("{}M", trimmed(value / 1e6, 1)),
        _ if size >= 1e4 => format!("{}k", trimmed(value / 1e3, 1)),
        _ if size >= 100.0 => format!("{value:.0}"),
        _ if size >= 1.0 => trimmed(value, 2),
        _ if size >= 1e-3 => trimmed(value, 4),
        _ => format!("{value:.0e}"),
    }
}

fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{} %", trimmed(100.0 * value, 2)),
        Unit::Number | Unit::Logarithm => short(value),
    }
}

/// An empty chart: axes, ticks and marks.
struct Frame {
    svg: String,
    x: Scale,
    y: Scale,
}

impl Frame {
    fn new(x: (f64, f64), x_name: &str, y: (f64, f64), unit: Unit, marks: &[Mark]) -> Self {
        let [left, right, above, below] = MARGIN;
        let x = Scale::new(x.0, x.1, left, WIDTH - right, Unit::Number);
        let y = Scale::new(y.0, y.1, HEIGHT - below, above, unit);
        let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">");
        for value in y.ticks(4.0) {
            let at = y.place(value);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{left}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - right,
                left - 5.0,
                at + 3.5,
                shown(value, unit),
            );
        }
        for value in x.ticks(5.0) {
            let at = x.place(value);
            let _ = write!(
                svg,
                "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                HEIGHT - below + 14.0,
                short(value)
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - right,
            HEIGHT - 3.0,
            escaped(x_name)
        );
        for Mark { at, word } in marks {
            let at = x.place(*at);
            let _ = write!(
                svg,
                "<line class=\"phase\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{above}\" y2=\"{:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                HEIGHT - below,
                at + 3.0,
                above - 4.0,
                escaped(word)
            );
        }
        Self { svg, x, y }
    }
}

/// Draws lines over a common axis, with their last values in the legend.
pub(super) fn curves(x_name: &str, unit: Unit, series: &[Series], marks: &[Mark]) -> String {
    let all = || series.iter().flat_map(|s| &s.points);
    let x = range(all().map(|p| p.0));
    let (low, high) = range(all().map(|p| p.1));
    let y = match unit {
        Unit::Percent => ((low - 0.02).max(0.0), (high + 0.02).min(1.0).max(high)),
        Unit::Number if low >= 0.0 && low < 0.4 * high => (0.0, high * 1.04),
        _ => (low, high),
    };
    let mut frame = Frame::new(x, x_name, y, unit, marks);
    let mut legend = String::new();
    for (index, Series { name, points }) in series.iter().enumerate() {
        let colour = format!("var(--c{})", index % COLOURS);
        let places: Vec<_> =
            points.iter().map(|p| format!("{:.1},{:.1}", frame.x.place(p.0), frame.y.place(p.1))).collect();
        let _ = match &places[..] {
            [one] => {
                let (x, y) = one.split_once(',').expect("it was written so");
                write!(frame.svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\"/>")
            }
            _ => write!(
                frame.svg,
                "<polyline class=\"line\" stroke=\"{colour}\" points=\"{}\"/>",
                places.join(" ")
            ),
        };
        let last = points.last().map_or(0.0, |p| p.1);
        let _ = write!(
            legend,
            "<span><i style=\"background:{colour}\"></i>{} {}</span>",
            escaped(name),
            shown(last, unit)
        );
    }
    format!("{}</svg><div class=\"legend\">{legend}</div>", frame.svg)
}

/// Draws an image over an axis of steps, from `y.0` at its bottom to `y.1` at its top; either may be greater.
pub(super) fn image(x: (f64, f64), x_name: &str, y: (f64, f64), uri: &str, marks: &[Mark]) -> String {
    let frame = Frame::new(x, x_name, y, Unit::Number, marks);
    let (left, top) = (frame.x.place(x.0), frame.y.place(y.1));
    let (width, height) = (frame.x.place(x.1) - left, frame.y.place(y.0) - top);
    format!(
        "{}<image x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
         preserveAspectRatio=\"none\" href=\"{uri}\"/></svg>",
        frame.svg
    )
}

/// Draws bars `(left, right, height)`, and a curve over them unless it is empty.
pub(super) fn bars(x_name: &str, bins: &[(f64, f64, f64)], curve: &[(f64, f64)]) -> String {
    let x = range(bins.iter().flat_map(|b| [b.0, b.1]));
    let highest = range(bins.iter().map(|b| b.2).chain(curve.iter().map(|p| p.1))).1;
    let mut frame = Frame::new(x, x_name, (0.0, highest.max(1e-9) * 1.04), Unit::Number, &[]);
    for (low, high, value) in bins {
        let (left, right) = (frame.x.place(*low), frame.x.place(*high));
        let (top, bottom) = (frame.y.place(*value), frame.y.place(0.0));
        let _ = write!(
            frame.svg,
            "<rect fill=\"var(--c0)\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            (right - left - 0.6).max(0.8),
            (bottom - top).max(0.0)
        );
    }
    let places: Vec<_> =
        curve.iter().map(|p| format!("{:.1},{:.1}", frame.x.place(p.0), frame.y.place(p.1))).collect();
    if !places.is_empty() {
        let _ = write!(frame.svg, "<polyline class=\"normal\" points=\"{}\"/>", places.join(" "));
    }
    frame.svg + "</svg>"
}

/// Minimum and maximum of the finite values; 0 and 1 without any.
pub(super) fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let values = values.filter(|v| v.is_finite());
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low <= high { (low, high) } else { (0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let ticks = |low, high| Scale::new(low, high, 0.0, 1.0, Unit::Number).ticks(4.0);
        assert_eq!(ticks(0.0, 100.0), [0.0, 50.0, 100.0]);
        assert_eq!(ticks(-1.0, 1.0), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(ticks(3.0, 3.0).first(), Some(&2.0));
        let scale = Scale::new(0.003, 40.0, 0.0, 1.0, Unit::Logarithm);
        assert_eq!(scale.ticks(9.0), [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]);
        assert!((scale.place(1.0) - 0.6).abs() < 1e-9);
    }

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (1234.4, "1234"),
            (12345.0, "12.3k"),
            (2.5e6, "2.5M"),
            (0.25, "0.25"),
            (-3.0, "-3"),
            (1e-5, "1e-5"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn strange_numbers_are_drawn_too() {
        for y in [0.0, 1e300, -1e300, 1e-300] {
            let series =
                Series::new("a<b", [(1.0, Some(y)), (2.0, Some(f64::NAN)), (3.0, Some(0.0))].into_iter());
            for unit in [Unit::Percent, Unit::Number, Unit::Logarithm] {
                let svg = curves(
                    "step",
                    unit,
                    &[series
                        .as_ref()
                        .map(|s| Series { name: s.name.clone(), points: s.points.clone() })
                        .unwrap()],
                    &[],
                );
                assert!(svg.contains("a&lt;b") && !svg.contains("NaN") && !svg.contains("inf"), "{y} {svg}");
            }
        }
        assert!(Series::new("none", [(1.0, Some(f64::NAN)), (2.0, None)].into_iter()).is_none());
    }
}
