//! `onebit predict`: a label and scores for each row, in constant memory.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use onebit::{
    Engine, Model,
    data::{self, DataError, FeatureRows},
};
use serde_json::{Map, json};

use crate::{
    args::{Format, PredictArgs},
    failure::{Failure, Result},
};

/// Rows classified at once.
const BATCH: usize = 256;

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let engine = args.engine.engine()?;
    let model = Model::load(&args.model)?;
    let mut printer = Printer::new(&model, args.format)?;
    if args.data == Path::new("-") {
        return rows(
            &mut printer,
            &engine,
            FeatureRows::new(io::stdin().lock(), "standard input", &wanted(&model))?,
        );
    }
    if is_idx(&args.data)? {
        return images(&mut printer, &engine, &args.data);
    }
    let file = open(&args.data)?;
    rows(&mut printer, &engine, FeatureRows::new(file, &args.data.display().to_string(), &wanted(&model))?)
}

/// The model's names for its features, or names that no file has.
fn wanted(model: &Model) -> Vec<String> {
    match model.features() {
        [] => (0..model.inputs()).map(|i| format!("feature {i} of the model")).collect(),
        names => names.to_vec(),
    }
}

fn open(path: &Path) -> Result<File> {
    let opened = File::open(path);
    Ok(opened.map_err(|reason| DataError::Open { file: path.display().to_string(), reason })?)
}

/// Whether a file starts like idx or gzip; no CSV file does.
fn is_idx(path: &Path) -> Result<bool> {
    let mut start = [0; 2];
    let read = open(path)?.read(&mut start);
    let read = read.map_err(|reason| DataError::Read { file: path.display().to_string(), reason })?;
    Ok(read == 2 && (start == [0, 0] || start == [0x1f, 0x8b]))
}

fn rows<R: Read>(printer: &mut Printer, engine: &Engine, rows: FeatureRows<R>) -> Result<()> {
    let mut batch = Vec::new();
    let features = printer.model.inputs();
    for row in rows {
        match row {
            Ok(row) => batch.extend(row),
            Err(error) => {
                // What came before the bad row is still answered.
                printer.print(engine, &batch)?;
                return Err(error.into());
            }
        }
        if batch.len() == BATCH * features {
            printer.print(engine, &batch)?;
            batch.clear();
        }
    }
    printer.print(engine, &batch)
}

fn images(printer: &mut Printer, engine: &Engine, path: &Path) -> Result<()> {
    let images = data::read_idx_images(path)?;
    let (pixels, inputs) = (images.height * images.width, printer.model.inputs());
    if pixels != inputs {
        return Err(Failure::other(format!(
            "{}: expected {inputs} features, as the model takes, got images of {pixels} pixels",
            path.display()
        )));
    }
    for batch in images.pixels.chunks(BATCH * pixels) {
        let x: Vec<f32> = batch.iter().map(|&p| f32::from(p)).collect();
        printer.print(engine, &x)?;
    }
    Ok(())
}

/// Writes predictions to standard output.
struct Printer<'a> {
    model: &'a Model,
    format: Format,
    row: usize,
}

impl<'a> Printer<'a> {
    fn new(model: &'a Model, format: Format) -> Result<Self> {
        if let Format::Csv = format {
            let scores = model.labels().iter().map(|label| format!("score {label}"));
            write_csv([["row".to_string(), "label".to_string()]
                .into_iter()
                .chain(scores)
                .collect::<Vec<_>>()])?;
        }
        Ok(Self { model, format, row: 0 })
    }

    /// Classifies and prints `x: (b, features)`.
    fn print(&mut self, engine: &Engine, x: &[f32]) -> Result<()> {
        let scores = self.model.scores(engine, x)?;
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
