//! Labels and scores on standard output, as CSV or JSON.

use std::io::{self, BufWriter, Write};

use onebit::{
    Model,
    model::{self, Session},
};
use serde_json::{Map, Value, json};

use super::inputs::Row;
use crate::{
    args::PredictArgs,
    failure::{Failure, Result},
};

/// Classifies rows and prints what they are.
pub(super) struct Answers<'a> {
    model: &'a Model,
    session: Session<'a>,
    json: bool,
    /// How many classes, the best first; without it, the scores of all in their order.
    top: Option<usize>,
    /// Whether a column says which input a row is from.
    many: bool,
    header: bool,
}

impl<'a> Answers<'a> {
    pub(super) fn new(args: &PredictArgs, model: &'a Model, session: Session<'a>) -> Self {
        let many = args.inputs.len() > 1 || args.inputs.iter().any(|input| input.is_dir());
        let top = args.top.map(|top| top.min(model.classes()));
        Self { model, session, json: args.json, top, many, header: !args.json }
    }

    /// Answers all rows, or those before one that the model cannot take.
    pub(super) fn print(&mut self, rows: &[Row]) -> Result<()> {
        let x: Vec<f32> = rows.iter().flat_map(|row| &row.x).copied().collect();
        match self.session.scores(&x) {
            Ok(scores) => self.write(rows, &scores),
            Err(model::Error::NotFinite { row, feature, value }) => {
                self.refuse(rows, row, feature, "a number that stays finite", value)
            }
            Err(model::Error::NotByte { row, feature, value }) => {
                self.refuse(rows, row, feature, "a byte, a whole number from 0 to 255", value)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Answers the rows before a bad one, then says what is wrong with it.
    fn refuse(&mut self, rows: &[Row], bad: usize, feature: usize, expected: &str, value: f32) -> Result<()> {
        if bad > 0 {
            self.print(&rows[..bad])?;
        }
        let (input, row) = (rows[bad].name(), rows[bad].row);
        let named = self.model.features().get(feature).cloned();
        let feature = named.unwrap_or_else(|| feature.to_string());
        Err(Failure::other(format!(
            "{input}, row {row}, feature `{feature}`: expected {expected}, got {value}"
        )))
    }

    /// The header, if there was no row to print it for.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.write(&[], &[])
    }

    /// Once there is something to say, so that a refused input leaves nothing behind; flushed, for rows may be slow.
    fn write(&mut self, rows: &[Row], scores: &[f32]) -> Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        let rows = rows.iter().zip(scores.chunks_exact(self.model.classes()));
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
        let mut columns = vec!["input", "row"].split_off(usize::from(!self.many));
        let scores: Vec<String> = match self.top {
            None => {
                columns.push("label");
                self.model.labels().iter().map(|label| format!("score {label}")).collect()
            }
            Some(top) => (1..=top).flat_map(|n| [format!("label {n}"), format!("score {n}")]).collect(),
        };
        columns.into_iter().map(String::from).chain(scores).collect()
    }

    fn record(&self, row: &Row, scores: &[f32]) -> Vec<String> {
        let mut record = vec![row.input.to_string(), row.row.to_string()].split_off(usize::from(!self.many));
        match self.top {
            None => {
                record.push(self.label(model::best(scores)).to_string());
                record.extend(scores.iter().map(f32::to_string));
            }
            Some(top) => {
                let best = best(scores, top).into_iter();
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
                let named = self.model.labels().iter().cloned().zip(scores.iter().map(|score| json!(score)));
                ("scores", Value::Object(Map::from_iter(named)))
            }
            Some(top) => {
                let best = best(scores, top).into_iter();
                let of_class = |k: usize| json!({"class": self.label(k), "index": k, "score": scores[k]});
                ("top", best.map(of_class).collect())
            }
        };
        object[key] = value;
        object
    }

    fn label(&self, class: usize) -> &str {
        &self.model.labels()[class]
    }
}

/// The error of the stream itself, which tells whether its reader has left.
fn of_stream(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

/// The classes with the highest scores, the best first; of equal ones the first, and those that are no numbers last.
fn best(scores: &[f32], top: usize) -> Vec<usize> {
    let key = |class: &usize| match scores[*class] {
        score if score.is_nan() => f32::NEG_INFINITY,
        score => score + 0.0, // -0 is 0
    };
    let mut classes: Vec<usize> = (0..scores.len()).collect();
    classes.sort_by(|a, b| key(b).total_cmp(&key(a)));
    classes.truncate(top);
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_first() {
        assert_eq!(best(&[1.0, 3.0, 2.0], 2), [1, 2]);
        assert_eq!(best(&[0.0, -0.0, 1.0, 0.0], 4), [2, 0, 1, 3]);
        assert_eq!(best(&[f32::NAN, f32::NEG_INFINITY, f32::INFINITY], 9), [2, 0, 1]);
        for scores in [&[1.0, 3.0, 3.0][..], &[-0.0, 0.0], &[f32::NEG_INFINITY; 3]] {
            assert_eq!(best(scores, 1), [model::best(scores)]);
        }
    }
}
