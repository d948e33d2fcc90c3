//! From rows of a table to the features of a model.

use onebit_model::{ColumnKind, Columns, Field};

use crate::{
    error::{DataError, TableError, shown},
    tables::{
        cell::{Cell, Rows, number},
        header::choose,
    },
};

/// Maps the columns of a file to those of a model, and their cells to features.
pub(crate) struct Encoder {
    columns: Columns,
    places: Vec<usize>,
    unknown: Vec<UnknownCategory>,
}

/// A category that the model does not know. All features of its column are 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCategory {
    /// The column.
    pub column: String,
    /// The first unknown category in the column.
    pub category: String,
}

impl Encoder {
    /// Chooses the columns by name, otherwise by position; the column `label` is left out.
    pub(crate) fn new(
        rows: &mut dyn Rows,
        columns: &Columns,
        label: Option<usize>,
    ) -> Result<Self, DataError> {
        let others = rows.columns().iter().enumerate().filter(|(at, _)| Some(*at) != label);
        let header: Vec<&String> = others.map(|(_, name)| name).collect();
        let wanted: Vec<&String> = columns.as_slice().iter().map(|column| &column.name).collect();
        if header.is_empty() {
            return Err(DataError::NoFeatures { name: rows.file().into() });
        }
        let behind = |at: usize| at + usize::from(label.is_some_and(|label| label <= at));
        let places: Vec<usize> = choose(rows.file(), &header, &wanted)?.into_iter().map(behind).collect();
        rows.select(&places.iter().copied().chain(label).collect::<Vec<_>>())?;
        Ok(Self { columns: columns.clone(), unknown: Vec::new(), places })
    }

    /// Encodes the current row as features.
    pub(crate) fn encode(&mut self, rows: &dyn Rows) -> Result<Vec<f32>, DataError> {
        let columns = self.columns.as_slice().iter().zip(&self.places);
        // A number may be the name of a category.
        let names: Vec<_> = columns
            .clone()
            .map(|(column, &at)| match column.kind {
                ColumnKind::Categories(_) => rows.cell(at).name(),
                ColumnKind::Number { .. } => None,
            })
            .collect();
        let mut fields = Vec::with_capacity(names.len());
        for ((column, &at), name) in columns.zip(&names) {
            let stands_in = match &column.kind {
                ColumnKind::Number { missing } => missing.is_some(),
                ColumnKind::Categories(categories) => categories[0].is_empty(),
            };
            fields.push(match (rows.cell(at), &column.kind, name) {
                (Cell::Missing, ..) if stands_in => Field::Missing,
                (Cell::Missing, ..) => {
                    return Err(TableError::MissingForModel { place: rows.place(at) }.into());
                }
                (_, ColumnKind::Categories(_), Some(name)) => Field::Text(name),
                (cell, ..) => Field::Number(number(rows, at, cell)?),
            });
        }
        let mut x = vec![0.0; self.columns.features()];
        let columns = &self.columns;
        let unknown = &mut self.unknown;
        let note = |at: usize| {
            let column = &columns.as_slice()[at].name;
            if unknown.iter().all(|known| known.column != *column) {
                let category = shown(names[at].as_deref().unwrap_or_default());
                unknown.push(UnknownCategory { column: column.clone(), category });
            }
        };
        columns.encode(&fields, &mut x, note).expect("each field is of its column's kind");
        Ok(x)
    }

    /// The unknown categories so far, one per column.
    pub(crate) fn unknown(&self) -> &[UnknownCategory] {
        &self.unknown
    }
}
