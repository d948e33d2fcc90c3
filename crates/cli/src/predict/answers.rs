//! Labels and scores on standard output, as CSV or JSON.

use std::io::{self, BufWriter, Write};

use onebit::{
    Model,
    bits::Engine,
    model::{self, Session},
};
use serde_json::{Map, Value, json};

use super::inputs::Row;
use crate::{
    args::PredictArgs,
    failure::{Failure, Result},
};

/// Classifies rows and prints their labels and scores.
pub(super) struct Answers {
    session: Session<'static>,
    labels: Vec<String>,
    /// Feature names, if the model has any.
    features: Vec<String>,
    json: bool,
    /// Number of best classes to print; `None` prints the scores of all classes in their order.
    top: Option<usize>,
    /// Whether to print the input of each row.
    with_input: bool,
    /// Whether the header is still to be printed.
    header: bool,
}

impl Answers {
    pub(super) fn new(args: &PredictArgs, model: Model, engine: &Engine) -> Result<Self> {
        let with_input = args.inputs.len() > 1 || args.inputs.iter().any(|input| input.is_dir());
        let top = args.top.map(|top| top.min(model.classes()));
        let labels = model.labels().to_vec();
        let features = model.features().to_vec();
        let session = model.into_session(engine)?;
        Ok(Self { session, labels, features, json: args.json, top, with_input, header: !args.json })
    }

    /// Classifies and prints all rows, or those before the first one that the model refuses.
    pub(super) fn print(&mut self, rows: &[Row]) -> Result<()> {
        let x: Vec<f32> = rows.iter().flat_map(|row| &row.x).copied().collect();
        match self.session.scores(&x) {
            Ok(scores) => self.write(rows, &scores),
            Err(model::Error::NotFinite { row, feature, value }) => {
                self.refuse(rows, row, feature, "a number that stays finite when standardized", value)
            }
            Err(model::Error::NotByte { row, feature, value }) => {
                self.refuse(rows, row, feature, "a byte, a whole number from 0 to 255", value)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Prints the rows before a bad one, then returns the error about it.
    fn refuse(&mut self, rows: &[Row], bad: usize, feature: usize, expected: &str, value: f32) -> Result<()> {
        if bad > 0 {
            self.print(&rows[..bad])?;
        }
        let input = rows[bad].name();
        let row = rows[bad].row;
        let named = self.features.get(feature).cloned();
        let feature = named.unwrap_or_else(|| feature.to_string());
        Err(Failure::other(format!(
            "{input}, row {row}, feature `{feature}`: expected {expected}, got {value}"
        )))
    }

    /// Prints the header if no row has.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.write(&[], &[])
    }

    /// Prints rows, after the header if they are the first: a refused input thus prints nothing. Flushes,
    /// because the next row may be slow.
    fn write(&mut self, rows: &[Row], scores: &[f32]) -> Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        let rows = rows.iter().zip(scores.chunks_exact(self.labels.len()));
        if self.json {
            for (row, scores) in rows {
                writeln!(out, "{}", self.object(row, scores))?;
            }
            return Ok(out.flush()?);
        }
        let mut out = csv::Writer::from_writer(out);
        if std::mem::take(&mut self.header) {
            out.write_record(self.columns()).map_err(of_stream)?;
        }
        for (row, scores) in rows {
            out.write_record(self.record(row, scores)).map_err(of_stream)?;
        }
        Ok(out.flush()?)
    }

    fn columns(&self) -> Vec<String> {
        let mut columns = if self.with_input { vec!["input", "row"] } else { vec!["row"] };
        let scores: Vec<String> = match self.top {
            None => {
                columns.push("label");
                self.labels.iter().map(|label| format!("score {label}")).collect()
            }
            Some(top) => (1..=top).flat_map(|n| [format!("label {n}"), format!("score {n}")]).collect(),
        };
        columns.into_iter().map(String::from).chain(scores).collect()
    }

    fn record(&self, row: &Row, scores: &[f32]) -> Vec<String> {
        let mut record = vec![row.row.to_string()];
        if self.with_input {
            record.insert(0, row.input.to_string());
        }
        match self.top {
            None => {
                record.push(self.label(model::best(scores)).to_string());
                record.extend(scores.iter().map(f32::to_string));
            }
            Some(top) => {
                let best = model::top(scores, top);
                record.extend(best.flat_map(|class| [self.label(class).into(), scores[class].to_string()]));
            }
        }
        record
    }

    fn object(&self, row: &Row, scores: &[f32]) -> Value {
        let class = model::best(scores);
        let mut object = json!({
            "input": *row.input, "row": row.row, "class": self.label(class), "index": class,
        });
        let (key, value) = match self.top {
            None => {
                let named = self.labels.iter().cloned().zip(scores.iter().map(|score| json!(score)));
                ("scores", Value::Object(Map::from_iter(named)))
            }
            Some(top) => {
                let of_class = |k: usize| json!({"class": self.label(k), "index": k, "score": scores[k]});
                ("top", model::top(scores, top).map(of_class).collect())
            }
        };
        object[key] = value;
        object
    }

    fn label(&self, class: usize) -> &str {
        &self.labels[class]
    }
}

/// The error of the stream itself, which shows whether its reader closed it.
fn of_stream(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
