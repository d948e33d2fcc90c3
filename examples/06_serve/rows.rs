//! From JSON to features: `{"rows": [{"petal width": 0.2, ...}, ...]}`, by the columns of the model.

use onebit::{
    Model,
    model::{Columns, Error, Field},
};
use serde_json::{Map, Value};

/// How the model's columns become features. A model of numbers alone has only the names of its features.
pub(crate) fn columns_of(model: &Model) -> Result<Columns, Error> {
    match model.columns() {
        Some(columns) => Ok(columns.clone()),
        None => Columns::numbers(model.features().iter().cloned()),
    }
}

pub(crate) struct Rows {
    columns: Columns,
}

impl Rows {
    pub(crate) fn new(columns: Columns) -> Self {
        Self { columns }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.columns.as_slice().iter().map(|column| column.name.as_str()).collect()
    }

    /// The features of all rows of a request, row after row: `(b, features)`.
    pub(crate) fn read(&self, body: &str) -> Result<Vec<f32>, String> {
        let body: Value = serde_json::from_str(body).map_err(|e| format!("body: {e}"))?;
        let rows = body["rows"].as_array().ok_or("body: expected an object with an array `rows`")?;
        let width = self.columns.features();
        let mut x = vec![0.0; rows.len() * width];
        for (number, (row, x)) in rows.iter().zip(x.chunks_exact_mut(width)).enumerate() {
            self.encode(row, x).map_err(|problem| format!("row {number}: {problem}"))?;
        }
        Ok(x)
    }

    fn encode(&self, row: &Value, x: &mut [f32]) -> Result<(), String> {
        let row = row.as_object().ok_or("expected an object with a value for each column")?;
        if let Some(other) = row.keys().find(|key| !self.names().contains(&key.as_str())) {
            return Err(format!("no column `{other}`; the columns are {}", self.names().join(", ")));
        }
        let fields = self.names().into_iter().map(|name| field(row, name));
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        let mut unknown = None;
        self.columns.encode(&fields, x, |column| unknown = Some(column)).map_err(|e| e.to_string())?;
        match unknown.map(|column| (self.names()[column], fields[column])) {
            Some((name, Field::Text(text))) => {
                Err(format!("column `{name}`: the model does not know `{text}`"))
            }
            _ => Ok(()),
        }
    }
}

fn field<'a>(row: &'a Map<String, Value>, name: &str) -> Result<Field<'a>, String> {
    match row.get(name) {
        None | Some(Value::Null) => Ok(Field::Missing),
        Some(Value::String(text)) if text.is_empty() => Ok(Field::Missing),
        Some(Value::String(text)) => Ok(Field::Text(text)),
        Some(Value::Number(number)) => Ok(Field::Number(number.as_f64().unwrap_or(f64::NAN) as f32)),
        Some(other) => Err(format!("column `{name}`: expected a number or a text, got {other}")),
    }
}
