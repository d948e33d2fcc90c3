//! A column of a table while it is read: numbers, or a few categories.
//!
//! A text file does not declare types. While a column has few different texts, it keeps them; a column of
//! numbers soon has more and then keeps only numbers. A cell thus takes four bytes, and a column at most a
//! few texts.

use std::collections::HashMap;

use onebit_model::{Column, ColumnKind};

use crate::{
    error::{DataError, TableError, shown},
    tables::{
        cell::{Cell, Rows, number},
        options::Missing,
    },
};

/// Maximum number of different numbers that may still turn out to be codes: `2`, `3`, `4`, `5more`.
const CODES: usize = 32;
/// Maximum number of categories.
const MOST_CATEGORIES: usize = 1000;
/// Up to this number of different texts, they are categories however few the rows.
const FEW: usize = 20;
/// The bits of a cell without a value: a NaN, which is no index of a text either.
const GAP: u32 = 0x7fc0_0000;

/// A feature column while it is read.
pub(crate) struct RawColumn {
    column: usize,
    name: String,
    kind: Kind,
    values: usize, // number of cells with a value
}

enum Kind {
    /// Each cell is the bits of an f32.
    Numbers,
    /// Each cell is the index of a text.
    Few(Box<Few>),
}

#[derive(Default)]
struct Few {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
    cells_of_numbers: usize,
    first_text: Option<DataError>, // the error if this is a column of numbers
    first_infinite: Option<DataError>,
}

impl RawColumn {
    pub(crate) fn new(column: usize, name: &str) -> Self {
        Self { column, name: name.into(), kind: Kind::Few(Box::default()), values: 0 }
    }

    /// Reads the cell of the current row. `cells` are those of all columns in earlier rows; `at` selects this
    /// column's.
    pub(crate) fn read(
        &mut self,
        rows: &dyn Rows,
        missing: Missing,
        cells: &mut [u32],
        at: Strided,
    ) -> Result<u32, DataError> {
        let cell = rows.cell(self.column);
        if cell == Cell::Missing {
            return match missing {
                Missing::Refuse => Err(TableError::Missing { place: rows.place(self.column) }.into()),
                Missing::Mean => Ok(GAP),
            };
        }
        self.values += 1;
        if let (Kind::Few(few), Cell::Text(text)) = (&mut self.kind, cell) {
            if let Some(code) = few.take(rows, self.column, text)? {
                return Ok(code);
            }
            self.become_numbers(cells, at)?;
        } else if matches!(self.kind, Kind::Few(_)) {
            self.become_numbers(cells, at)?; // the file declares the type
        }
        Ok(number(rows, self.column, cell)?.to_bits())
    }

    /// Replaces the indices of texts by the numbers that they stand for.
    fn become_numbers(&mut self, cells: &mut [u32], at: Strided) -> Result<(), DataError> {
        let Kind::Few(few) = std::mem::replace(&mut self.kind, Kind::Numbers) else { return Ok(()) };
        if let Some(error) = few.first_infinite {
            return Err(error);
        }
        let values: Vec<u32> = few.texts.iter().map(|text| text.parse().map_or(GAP, f32::to_bits)).collect();
        for cell in cells.iter_mut().skip(at.first).step_by(at.step) {
            *cell = values.get(*cell as usize).copied().unwrap_or(GAP);
        }
        Ok(())
    }

    /// Decides the kind of the column; the cells of categories become indices in alphabetical order.
    pub(crate) fn finish(
        mut self,
        file: &str,
        missing: Missing,
        cells: &mut [u32],
        at: Strided,
    ) -> Result<Column, DataError> {
        let (file, column) = (|| file.to_string(), shown(&self.name));
        if self.values == 0 {
            return Err(TableError::NoValue { file: file(), column }.into());
        }
        if let Kind::Few(few) = &mut self.kind {
            let (texts, different) = (self.values - few.cells_of_numbers, few.texts.len());
            if few.cells_of_numbers > texts && different > CODES && texts > 0 {
                return Err(few.first_text.take().expect("there is a text"));
            }
            if texts > 0 && different > FEW && 2 * different > self.values {
                return Err(
                    TableError::Identifier { file: file(), column, different, rows: self.values }.into()
                );
            }
            if texts == 0 {
                self.become_numbers(cells, at)?;
            }
        }
        let kind = match self.kind {
            Kind::Numbers => ColumnKind::Number {
                missing: (missing == Missing::Mean)
                    .then(|| mean(cells.iter().skip(at.first).step_by(at.step))),
            },
            Kind::Few(few) => {
                let mut categories = few.texts.clone();
                categories.extend((missing == Missing::Mean).then(String::new));
                categories.sort();
                let place = |text: &String| categories.binary_search(text).map_or(0, |at| at as u32);
                let ranks: Vec<u32> = few.texts.iter().map(place).collect();
                for cell in cells.iter_mut().skip(at.first).step_by(at.step) {
                    *cell = ranks.get(*cell as usize).copied().unwrap_or(0); // a missing value is the first category
                }
                ColumnKind::Categories(categories)
            }
        };
        Ok(Column { name: self.name, kind })
    }
}

/// Every `step`-th cell, starting with `first`.
#[derive(Clone, Copy)]
pub(crate) struct Strided {
    pub(crate) first: usize,
    pub(crate) step: usize,
}

impl Few {
    /// The index of a text; `None` if the column has too many different texts and all are numbers.
    fn take(&mut self, rows: &dyn Rows, column: usize, text: &str) -> Result<Option<u32>, DataError> {
        let (place, value) = (|| rows.place(column), || shown(text));
        match text.parse::<f32>() {
            Ok(number) => {
                self.cells_of_numbers += 1;
                if !number.is_finite() && self.first_infinite.is_none() {
                    self.first_infinite = Some(DataError::NotFinite { place: place(), value: value() });
                }
            }
            Err(_) if self.first_text.is_none() => {
                self.first_text = Some(TableError::NotANumber { place: place(), value: value() }.into());
            }
            Err(_) => {}
        }
        if let Some(&code) = self.numbers.get(text) {
            return Ok(Some(code));
        }
        let code = self.texts.len();
        match &self.first_text {
            None if code >= CODES => return Ok(None),
            Some(_) if code >= MOST_CATEGORIES => {
                let (file, column) = (rows.file().to_string(), shown(&rows.columns()[column]));
                return Err(TableError::Categories { file, column, limit: MOST_CATEGORIES }.into());
            }
            _ => {}
        }
        self.texts.push(text.into());
        self.numbers.insert(text.into(), code as u32);
        Ok(Some(code as u32))
    }
}

/// The mean of the cells with a value, summed in f64.
fn mean<'a>(cells: impl Iterator<Item = &'a u32>) -> f32 {
    let (mut sum, mut count) = (0.0, 0u32);
    for value in cells.filter(|bits| **bits != GAP).map(|bits| f64::from(f32::from_bits(*bits))) {
        sum += value;
        count += 1;
    }
    (sum / f64::from(count.max(1))) as f32
}

/// Whether a number cell has no value.
pub(crate) fn is_gap(cell: u32) -> bool {
    cell == GAP
}
