//! The weights before and after training, as pictures.

use onebit::record::LayerBits;

use super::{
    page::Panel,
    picture::{Picture, bit_colour},
    run_data::RunData,
};

/// Maximum number of columns shown.
const COLUMNS: usize = 192;

/// Maximum number of units of a first layer shown as images.
const UNITS: usize = 24;

pub(super) fn panel(run: &RunData, name: &str) -> Option<Panel> {
    let of = |all: &'_ [LayerBits]| all.iter().find(|layer| layer.layer == name).cloned();
    let before = of(&run.info.weights)?;
    let first = shown(run, &before)?;
    let after = of(&run.result.weights).filter(|after| after.image.rows == before.image.rows);
    let mut body = format!("<div class=\"bits\"><div>before{}</div>", first.html());
    if let Some(last) = after.as_ref().and_then(|after| shown(run, after)) {
        let changed: Vec<bool> = first.bits.iter().zip(&last.bits).map(|(a, b)| a != b).collect();
        let share = changed.iter().filter(|&&changed| changed).count() as f64 / changed.len().max(1) as f64;
        body += &format!("<div>after{}</div>", last.html());
        let changed = Grid { bits: changed, ..first };
        body += &format!("<div>changed: {:.1} %{}</div>", 100.0 * share, changed.html());
    }
    body += "</div>";
    let size = &before.image;
    let what = match (first.tiles, size.rows * first.columns < size.of_rows * size.of_cols) {
        (true, _) => format!(
            "The weights of the first {} units, each drawn as the image that it responds to most.",
            UNITS.min(size.rows)
        ),
        (false, true) => {
            format!("Rows are the first {} outputs, columns the first {} inputs.", size.rows, first.columns)
        }
        (false, false) => "Rows are outputs, columns are inputs.".into(),
    };
    let how = format!(
        "{what} Blue is +1, empty is -1. A stripe is an output or input whose weights all \
                       agree."
    );
    Some(Panel::new("Weights", how, body).wide())
}

/// Bits in rows and columns.
struct Grid {
    rows: usize,
    columns: usize,
    bits: Vec<bool>,
    /// Whether the grid shows images side by side.
    tiles: bool,
}

fn shown(run: &RunData, layer: &LayerBits) -> Option<Grid> {
    let (image, bits) = (&layer.image, layer.image.decode()?);
    if let (Some([height, width, channels]), 1) = (run.info.data.image, layer.taps)
        && image.cols == image.of_cols
        && height.checked_mul(width)?.checked_mul(channels)? == image.cols
        && image.cols > 0
    {
        return Some(tiles(&bits, image.rows.min(UNITS), [height, width, channels]));
    }
    let columns = image.cols.min(COLUMNS);
    let bits =
        (0..image.rows * columns).map(|at| bits[at / columns.max(1) * image.cols + at % columns.max(1)]);
    Some(Grid { rows: image.rows, columns, bits: bits.collect(), tiles: false })
}

/// The first channel of each unit's weights as an image, eight per row with a line between them.
fn tiles(bits: &[bool], units: usize, [height, width, channels]: [usize; 3]) -> Grid {
    let across = units.min(8);
    let (rows, columns) = (units.div_ceil(across) * (height + 1), across * (width + 1));
    let features = height * width * channels;
    let bit = |at: usize| {
        let (row, column) = (at / columns, at % columns);
        let (unit, y, x) =
            (row / (height + 1) * across + column / (width + 1), row % (height + 1), column % (width + 1));
        unit < units && y < height && x < width && bits[unit * features + (y * width + x) * channels]
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
