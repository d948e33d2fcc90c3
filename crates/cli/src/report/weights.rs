//! Weights as pictures, before and after.

use onebit::record::LayerBits;

use super::{
    page::Panel,
    picture::{Picture, bit_colour},
    story::Story,
};

/// Columns that are shown at most.
const COLUMNS: usize = 192;

/// Neurons of a first layer whose weights are shown as images.
const NEURONS: usize = 24;

pub(super) fn panel(story: &Story, name: &str) -> Option<Panel> {
    let of = |all: &'_ [LayerBits]| all.iter().find(|layer| layer.layer == name).cloned();
    let before = of(&story.info.weights)?;
    let first = shown(story, &before)?;
    let after = of(&story.result.weights).filter(|after| after.image.rows == before.image.rows);
    let mut body = format!("<div class=\"bits\"><div>before{}</div>", first.html());
    if let Some(last) = after.as_ref().and_then(|after| shown(story, after)) {
        let changed: Vec<bool> = first.bits.iter().zip(&last.bits).map(|(a, b)| a != b).collect();
        let share = changed.iter().filter(|&&changed| changed).count() as f64 / changed.len().max(1) as f64;
        body += &format!("<div>after{}</div>", last.html());
        let changed = Grid { bits: changed, ..first };
        body += &format!("<div>changed: {:.1} % of these{}</div>", 100.0 * share, changed.html());
    }
    body += "</div>";
    let size = &before.image;
    let what = match (first.tiles, size.rows * first.columns < size.of_rows * size.of_cols) {
        (true, _) => format!(
            "The weights of the first {} units, each an image of what it looks for.",
            NEURONS.min(size.rows)
        ),
        (false, true) => {
            format!("The first {} outputs (rows) and {} inputs (columns).", size.rows, first.columns)
        }
        (false, false) => "Outputs are rows, inputs columns.".into(),
    };
    let how = format!("{what} Set is +1, clear is -1; stripes are outputs or inputs that are all the same.");
    Some(Panel::new("Weights", how, body).wide())
}

/// Bits in rows and columns.
struct Grid {
    rows: usize,
    columns: usize,
    bits: Vec<bool>,
    /// Whether these are images side by side.
    tiles: bool,
}

fn shown(story: &Story, layer: &LayerBits) -> Option<Grid> {
    let (image, bits) = (&layer.image, layer.image.decode()?);
    if let (Some([height, width, channels]), 1) = (story.info.data.image, layer.taps)
        && image.cols == image.of_cols
        && height.checked_mul(width)?.checked_mul(channels)? == image.cols
        && image.cols > 0
    {
        return Some(tiles(&bits, image.rows.min(NEURONS), [height, width, channels]));
    }
    let columns = image.cols.min(COLUMNS);
    let bits =
        (0..image.rows * columns).map(|at| bits[at / columns.max(1) * image.cols + at % columns.max(1)]);
    Some(Grid { rows: image.rows, columns, bits: bits.collect(), tiles: false })
}

/// The first channel of each neuron's weights as an image, eight in a row with a line between.
fn tiles(bits: &[bool], neurons: usize, [height, width, channels]: [usize; 3]) -> Grid {
    let across = neurons.min(8);
    let (rows, columns) = (neurons.div_ceil(across) * (height + 1), across * (width + 1));
    let features = height * width * channels;
    let bit = |at: usize| {
        let (row, column) = (at / columns, at % columns);
        let (neuron, y, x) =
            (row / (height + 1) * across + column / (width + 1), row % (height + 1), column % (width + 1));
        neuron < neurons && y < height && x < width && bits[neuron * features + (y * width + x) * channels]
    };
    Grid { rows, columns, bits: (0..rows * columns).map(bit).collect(), tiles: true }
}

impl Grid {
    fn html(&self) -> String {
        let picture = Picture::from_fn(self.columns, self.rows, |row, column| {
            bit_colour(self.bits[row * self.columns + column])
        });
        let scale = (320 / self.columns.max(1)).clamp(1, 6);
        format!(
            "<img alt=\"bits of weights\" width=\"{}\" height=\"{}\" src=\"{}\">",
            self.columns * scale,
            self.rows * scale,
            picture.uri()
        )
    }
}
