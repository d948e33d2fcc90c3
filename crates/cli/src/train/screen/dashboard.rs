//! The dashboard of a run on the full terminal: curves, layers and time left.

use std::{
    io::Stdout,
    time::{Duration, Instant},
};

use onebit::{EpochReport, Event, Network, Progress};
use ratatui::{
    Frame, Terminal,
    backend::CrosstermBackend,
    crossterm::event::{self, KeyCode, KeyEventKind, KeyModifiers},
    layout::{Constraint, Layout, Rect},
    style::{Color, Style, Stylize},
    symbols::Marker,
    text::Line,
    widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, Paragraph, Row, Table},
};

use crate::{
    interrupt,
    text::{percent, plain, share},
};

/// Minimum time between two redraws.
const PAUSE: Duration = Duration::from_millis(100);

/// The state that is drawn.
pub(crate) struct View {
    name: String,
    began: Instant,
    /// Samples trained on before this process started.
    earlier: u64,
    progress: Option<Progress>,
    labels: Vec<String>,
    last: Option<EpochReport>,
    curves: Vec<Curve>,
    warning: Option<String>,
    stopping: bool,
}

/// A curve over epochs.
struct Curve {
    name: &'static str,
    colour: Color,
    of: fn(&EpochReport) -> Option<f64>,
    /// Whether the values are accuracies in percent; otherwise they are losses.
    accuracy: bool,
    points: Vec<(f64, f64)>,
}

impl View {
    pub(crate) fn new(name: &str) -> Self {
        let curve = |name, colour, accuracy, of: fn(&EpochReport) -> Option<f64>| {
            let points = Vec::new();
            Curve { name, colour, of, accuracy, points }
        };
        let curves = vec![
            curve("train", Color::Blue, true, |r| Some(100.0 * r.train_accuracy)),
            curve("validation", Color::Green, true, |r| r.validation_accuracy.map(|share| 100.0 * share)),
            curve("test", Color::Yellow, true, |r| r.test_accuracy.map(|share| 100.0 * share)),
            curve("train", Color::Blue, false, |r| Some(r.loss)),
            curve("validation", Color::Green, false, |r| r.validation_loss),
            curve("test", Color::Yellow, false, |r| r.test_loss),
        ];
        Self {
            name: plain(name),
            began: Instant::now(),
            earlier: 0,
            progress: None,
            labels: Vec::new(),
            last: None,
            curves,
            warning: None,
            stopping: false,
        }
    }

    pub(crate) fn hear(&mut self, event: &Event) {
        match event {
            Event::Begin { net, samples, .. } => self.begin(net, *samples),
            Event::Batch(progress) => self.progress = Some(*progress),
            Event::Epoch(report) => {
                for curve in &mut self.curves {
                    curve.points.extend((curve.of)(report).map(|y| (report.epoch as f64, y)));
                }
                self.last = Some((*report).clone());
            }
            Event::Warning(warning) => self.warning = Some(plain(warning)),
            _ => {}
        }
    }

    fn begin(&mut self, net: &Network, samples: u64) {
        self.labels = net.labels();
        self.earlier = samples;
        self.began = Instant::now();
    }

    pub(crate) fn draw(&self, frame: &mut Frame) {
        let rows = [
            Constraint::Length(3),
            Constraint::Min(8),
            Constraint::Max(self.height()),
            Constraint::Length(1),
        ];
        let [head, curves, layers, foot] = Layout::vertical(rows).areas(frame.area());
        self.draw_progress(frame, head);
        let [left, right] = Layout::horizontal([Constraint::Fill(1); 2]).areas(curves);
        self.draw_curves(frame, left, "accuracy, %", true);
        self.draw_curves(frame, right, "loss", false);
        self.draw_layers(frame, layers);
        let status = match (&self.warning, self.stopping) {
            (_, true) => "stopping after this batch; press Ctrl-C again to stop at once".to_string().bold(),
            (Some(warning), _) => format!("warning: {warning}").yellow(),
            _ => "q or Ctrl-C stops after this batch and saves".to_string().dim(),
        };
        frame.render_widget(Line::from(status), foot);
    }

    fn height(&self) -> u16 {
        let shown = self.measures().len().clamp(1, 12) as u16;
        shown + 3
    }

    fn draw_progress(&self, frame: &mut Frame, area: Rect) {
        let Some(p) = self.progress else {
            return frame
                .render_widget(Paragraph::new("starting").block(Block::bordered().title(&*self.name)), area);
        };
        let share_done = if p.total == 0 { 1.0 } else { (p.done as f64 / p.total as f64).clamp(0.0, 1.0) };
        let here = p.done.saturating_sub(self.earlier);
        let left =
            self.began.elapsed().as_secs_f64() * p.total.saturating_sub(p.done) as f64 / here.max(1) as f64;
        let speed = here as f64 / p.seconds.max(1e-9);
        let label = format!(
            "epoch {}/{}   loss {:.4}   accuracy {}   {speed:.0} samples/s   {} left",
            p.epoch,
            p.epochs,
            p.loss,
            percent(Some(p.accuracy)),
            duration(left),
        );
        let gauge = Gauge::default()
            .block(Block::bordered().title(&*self.name))
            .gauge_style(Style::new().blue())
            .ratio(share_done)
            .label(label);
        frame.render_widget(gauge, area);
    }

    fn draw_curves(&self, frame: &mut Frame, area: Rect, title: &str, accuracy: bool) {
        let curves = || self.curves.iter().filter(|c| c.accuracy == accuracy && !c.points.is_empty());
        let points = || curves().flat_map(|curve| &curve.points);
        let [(low_x, high_x), (low, high)] = [range(points().map(|p| p.0)), range(points().map(|p| p.1))];
        let dataset = |curve: &'_ Curve| {
            let last = curve.points.last().map_or(0.0, |point| point.1);
            let name = if accuracy {
                format!("{} {last:.2}", curve.name)
            } else {
                format!("{} {last:.4}", curve.name)
            };
            (name, curve.colour)
        };
        let datasets = curves().map(|curve| {
            let (name, colour) = dataset(curve);
            Dataset::default()
                .name(name)
                .marker(Marker::Braille)
                .graph_type(GraphType::Line)
                .style(Style::new().fg(colour))
                .data(&curve.points)
        });
        let number = |value: f64| if accuracy { format!("{value:.1}") } else { format!("{value:.3}") };
        let chart = Chart::new(datasets.collect())
            .block(Block::bordered().title(title))
            .x_axis(
                Axis::default()
                    .bounds([low_x, high_x])
                    .labels([format!("{low_x:.0}"), format!("epoch {high_x:.0}")]),
            )
            .y_axis(Axis::default().bounds([low, high]).labels([
                number(low),
                number((low + high) / 2.0),
                number(high),
            ]));
        frame.render_widget(chart, area);
    }

    /// Name and measures of each layer that has any.
    fn measures(&self) -> Vec<[String; 5]> {
        let layers = self.last.iter().flat_map(|report| self.labels.iter().zip(&report.layers));
        let row = layers.filter_map(|(label, (_, o))| {
            let measures = [o.flip_ratio, o.update_ratio, o.dead_weights, o.mean_of_bits];
            let [a, b, c, d] = measures.map(share);
            (measures != [None; 4]).then(|| [plain(label), a, b, c, d])
        });
        row.collect()
    }

    fn draw_layers(&self, frame: &mut Frame, area: Rect) {
        let widths = [
            Constraint::Min(16),
            Constraint::Length(11),
            Constraint::Length(13),
            Constraint::Length(13),
            Constraint::Length(13),
        ];
        let header = Row::new(["layer", "flip ratio", "update ratio", "dead weights", "mean of bits"]).bold();
        let table = Table::new(self.measures().into_iter().map(Row::new), widths)
            .header(header)
            .block(Block::bordered().title("layers, last epoch"));
        frame.render_widget(table, area);
    }
}

/// The terminal, which is restored on drop.
pub(crate) struct Dashboard {
    view: View,
    terminal: Terminal<CrosstermBackend<Stdout>>,
    drawn: Option<Instant>,
}

impl Dashboard {
    pub(crate) fn new(name: &str) -> std::io::Result<Self> {
        Ok(Self { view: View::new(name), terminal: ratatui::try_init()?, drawn: None })
    }

    pub(crate) fn hear(&mut self, event: &Event) -> std::io::Result<()> {
        self.view.hear(event);
        if self.drawn.is_some_and(|drawn| drawn.elapsed() < PAUSE) && !matches!(event, Event::Epoch(_)) {
            return Ok(());
        }
        while event::poll(Duration::ZERO)? {
            if let event::Event::Key(key) = event::read()?
                && key.kind == KeyEventKind::Press
                && (key.code == KeyCode::Char('q')
                    || key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL))
                && interrupt::request()
            {
                ratatui::restore();
                std::process::exit(interrupt::EXIT_CODE.into());
            }
        }
        self.view.stopping = interrupt::is_requested();
        self.drawn = Some(Instant::now());
        self.terminal.draw(|frame| self.view.draw(frame)).map(drop)
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// The range of an axis that shows all values.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let values = values.filter(|v| v.is_finite());
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low < high {
        (low, high)
    } else if low.is_finite() {
        (low - 0.5, low + 0.5)
    } else {
        (0.0, 1.0)
    }
}

/// Formats seconds in a readable unit.
fn duration(seconds: f64) -> String {
    match seconds as u64 {
        s @ 0..100 => format!("{s} s"),
        s @ 100..6000 => format!("{} min", s.div_ceil(60)),
        s => format!("{:.1} h", s as f64 / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use onebit::{config, experiment};
    use ratatui::backend::TestBackend;

    use super::*;

    /// Redraws after every event.
    struct Drawing {
        view: View,
        terminal: Terminal<TestBackend>,
    }

    impl onebit::Listener for Drawing {
        fn on_event(&mut self, event: Event) {
            self.view.hear(&event);
            self.terminal.draw(|frame| self.view.draw(frame)).unwrap();
        }
    }

    fn drawn(width: u16, height: u16) -> String {
        let mut drawing = Drawing {
            view: View::new("iris\u{7}"),
            terminal: Terminal::new(TestBackend::new(width, height)).unwrap(),
        };
        let config = config::preset("iris").unwrap();
        let parts = experiment::load(&config, None).unwrap();
        experiment::training(&config, &parts).unwrap().listener(&mut drawing).run().unwrap();
        let buffer = drawing.terminal.backend().buffer();
        let lines = buffer.content().chunks(width.into());
        lines.map(|line| line.iter().map(|cell| cell.symbol()).collect::<String>() + "\n").collect()
    }

    #[test]
    fn shows_progress_curves_and_layers() {
        let screen = drawn(120, 30);
        for word in [
            "iris\u{fffd}",
            "epoch 20/20",
            "samples/s",
            "0 s left",
            "accuracy, %",
            "loss",
            "train",
            "test",
            "1 bmab",
            "2 bma",
            "update ratio",
            "Ctrl-C stops",
        ] {
            assert!(screen.contains(word), "{word}\n{screen}");
        }
    }

    /// Fails only by a panic while drawing.
    #[test]
    fn small_terminals_do_not_panic() {
        for (width, height) in [(1, 1), (20, 5), (40, 12)] {
            drawn(width, height);
        }
    }

    #[test]
    fn time_left_is_short() {
        let cases = [(0.4, "0 s"), (99.0, "99 s"), (100.0, "2 min"), (5999.0, "100 min"), (7200.0, "2.0 h")];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
    }
}
