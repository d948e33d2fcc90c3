//! `onebit predict`: a label and scores for each row, in constant memory.

use std::{
    fs::File,
    io::{self, Cursor, Read, Write},
    path::Path,
};

use onebit::{
    Model,
    data::{self, DataError, FeatureRows},
    model::Session,
};
use serde_json::{Map, json};

use crate::{
    args::{Format, PredictArgs},
    failure::{Failure, Result},
    features::feature_names,
};

/// Rows classified at once.
const BATCH: usize = 256;

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let engine = args.engine.engine()?;
    let model = Model::load(&args.model)?;
    let (name, mut input): (String, Box<dyn Read>) = match args.data.as_path() {
        path if path == Path::new("-") => ("standard input".into(), Box::new(io::stdin().lock())),
        path => (path.display().to_string(), Box::new(open(path)?)),
    };
    // Put back instead of opened anew: a pipe can be read only once.
    let mut start = Vec::new();
    let read = input.by_ref().take(2).read_to_end(&mut start);
    read.map_err(|reason| DataError::Read { file: name.clone(), reason })?;
    let is_idx = is_idx(&start);
    let input = Cursor::new(start).chain(input);
    let session = model.session(&engine)?;
    let printer = Printer { model: &model, session, format: args.format, row: 0 };
    if is_idx { images(printer, input, &name) } else { rows(printer, input, &name) }
}

fn open(path: &Path) -> Result<File> {
    let opened = File::open(path);
    Ok(opened.map_err(|reason| DataError::Open { file: path.display().to_string(), reason })?)
}

/// Whether a file starts like idx or gzip; no CSV file does.
fn is_idx(start: &[u8]) -> bool {
    start == [0, 0] || start == [0x1f, 0x8b]
}

fn rows(mut printer: Printer, input: impl Read, name: &str) -> Result<()> {
    let rows = FeatureRows::new(input, name, &feature_names(printer.model))?;
    printer.header()?;
    let mut batch = Vec::new();
    let features = printer.model.inputs();
    for row in rows {
        match row {
            Ok(row) => batch.extend(row),
            Err(error) => {
                // What came before the bad row is still answered.
                printer.print(&batch)?;
                return Err(error.into());
            }
        }
        if batch.len() == BATCH * features {
            printer.print(&batch)?;
            batch.clear();
        }
    }
    printer.print(&batch)
}

fn images(mut printer: Printer, input: impl Read, name: &str) -> Result<()> {
    let images = data::read_idx_images_from(input, name)?;
    let (pixels, inputs) = (images.height * images.width, printer.model.inputs());
    if pixels != inputs {
        return Err(Failure::other(format!(
            "{name}: expected {inputs} features, as the model takes, got images of {pixels} pixels"
        )));
    }
    printer.header()?;
    for batch in images.pixels.chunks(BATCH * pixels) {
        let x: Vec<f32> = batch.iter().map(|&p| f32::from(p)).collect();
        printer.print(&x)?;
    }
    Ok(())
}

/// Writes predictions to standard output.
struct Printer<'a> {
    model: &'a Model,
    session: Session<'a>,
    format: Format,
    row: usize,
}

impl Printer<'_> {
    /// Once the input is known to fit, so that a refused one leaves nothing behind.
    fn header(&self) -> Result<()> {
        match self.format {
            Format::Csv => {
                let scores = self.model.labels().iter().map(|label| format!("score {label}"));
                write_csv([["row", "label"].map(String::from).into_iter().chain(scores).collect()])
            }
            Format::Json => Ok(()),
        }
    }

    /// Classifies and prints `x: (b, features)`.
    fn print(&mut self, x: &[f32]) -> Result<()> {
        let scores = self.session.scores(x)?;
        let first = self.row;
        let rows = scores.chunks_exact(self.model.classes()).zip(first..);
        self.row += x.len() / self.model.inputs();
        match self.format {
            Format::Csv => write_csv(rows.map(|(scores, row)| {
                let label = &self.model.labels()[onebit::model::best(scores)];
                let scores = scores.iter().map(f32::to_string);
                [row.to_string(), label.clone()].into_iter().chain(scores).collect::<Vec<_>>()
            })),
            Format::Json => {
                let mut out = io::stdout().lock();
                for (scores, row) in rows {
                    let label = &self.model.labels()[onebit::model::best(scores)];
                    let named = self.model.labels().iter().cloned().zip(scores.iter().map(|s| json!(s)));
                    writeln!(
                        out,
                        "{}",
                        json!({"row": row, "label": label, "scores": Map::from_iter(named)})
                    )?;
                }
                Ok(out.flush()?)
            }
        }
    }
}

fn write_csv(rows: impl IntoIterator<Item = Vec<String>>) -> Result<()> {
    let mut out = csv::Writer::from_writer(io::stdout().lock());
    for row in rows {
        out.write_record(&row).map_err(io::Error::from)?;
    }
    Ok(out.flush()?)
}
