//! How the columns of a raw table become the features of a model.
//!
//! A column of numbers is one feature; what stands in for a missing number may be known. A column of categories is a feature
//! for each of them, 1 for the row's and 0 for all others; the empty text among the categories stands for a missing value.
//!
//! ```
//! use onebit_model::{Column, ColumnKind, Columns, Field};
//!
//! let colours = ["blue", "red"].map(String::from).to_vec();
//! let columns = Columns::new(vec![
//!     Column { name: "width".into(), kind: ColumnKind::Number { missing: Some(2.5) } },
//!     Column { name: "colour".into(), kind: ColumnKind::Categories(colours) },
//! ])?;
//! assert_eq!(columns.feature_names(), ["width", "colour=blue", "colour=red"]);
//! let mut x = [0.0; 3];
//! columns.encode(&[Field::Missing, Field::Text("red")], &mut x, |_| {})?;
//! assert_eq!(x, [2.5, 0.0, 1.0]);
//! # Ok::<(), onebit_model::Error>(())
//! ```

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use crate::error::{Error, Result};

/// The columns of a table in the order of a model's features. Every value of this type is sound: at least one column, no
/// name twice, finite numbers, categories that are sorted and there once.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns(Vec<Column>);

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the header of a table.
    pub name: String,
    /// What is in it.
    pub kind: ColumnKind,
}

/// What is in a column.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnKind {
    /// Numbers: one feature.
    Number {
        /// What stands for a missing one; without it, none may be missing.
        missing: Option<f32>,
    },
    /// Texts: a feature for each of these, in the order of their bytes. An empty one stands for a missing value; without it,
    /// none may be missing.
    Categories(Vec<String>),
}

/// A cell of a raw row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field<'a> {
    /// A finite number.
    Number(f32),
    /// A text that is not empty.
    Text(&'a str),
    /// Nothing.
    Missing,
}

impl Columns {
    /// Columns of a table.
    ///
    /// # Errors
    /// [`Error::Column`] for a name that is there twice, for a number that is not finite and for categories that are none, not
    /// sorted or there twice; [`Error::Description`] for no column.
    pub fn new(columns: Vec<Column>) -> Result<Self> {
        if columns.is_empty() {
            return Err(Error::Description { what: "columns (at least)", expected: 1, got: 0 });
        }
        let mut names = BTreeSet::new();
        for column in &columns {
            let problem = match &column.kind {
                _ if !names.insert(&column.name) => "there is a second column of this name",
                ColumnKind::Number { missing: Some(number) } if !number.is_finite() => {
                    "what stands for a missing number is not finite"
                }
                ColumnKind::Categories(categories) if categories.is_empty() => "there is no category",
                ColumnKind::Categories(c) if c.windows(2).any(|pair| pair[0] >= pair[1]) => {
                    "the categories are not sorted, or one is there twice"
                }
                _ => continue,
            };
            return Err(Error::Column { column: column.name.clone(), problem });
        }
        Ok(Self(columns))
    }

    /// Columns of numbers, of which none may be missing: each is a feature.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn numbers(names: impl IntoIterator<Item = String>) -> Result<Self> {
        let number = |name| Column { name, kind: ColumnKind::Number { missing: None } };
        Self::new(names.into_iter().map(number).collect())
    }

    /// Whether these say no more than the names of features do.
    pub fn are_plain(&self) -> bool {
        self.0.iter().all(|column| column.kind == ColumnKind::Number { missing: None })
    }

    /// The columns, first to last.
    pub fn as_slice(&self) -> &[Column] {
        &self.0
    }

    /// The number of features that they become.
    pub fn features(&self) -> usize {
        self.0.iter().map(Column::features).sum()
    }

    /// The names of the features: `width` of a number, `colour=red` of a category, `colour=?` of a missing one.
    pub fn feature_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for Column { name, kind } in &self.0 {
            match kind {
                ColumnKind::Number { .. } => names.push(name.clone()),
                ColumnKind::Categories(categories) => {
                    let shown =
                        |text: &String| format!("{name}={}", if text.is_empty() { "?" } else { text });
                    names.extend(categories.iter().map(shown));
                }
            }
        }
        names
    }

    /// Writes the features of a raw row to `x: (features)`. Of a category that is none of the column's all features are 0;
    /// `unknown` is told the number of the column.
    ///
    /// # Errors
    /// [`Error::Field`] for a missing value that nothing stands for and for a field of the wrong kind,
    /// [`Error::Description`] for another number of fields or features. `x` is of no use then.
    pub fn encode(&self, row: &[Field], x: &mut [f32], mut unknown: impl FnMut(usize)) -> Result<()> {
        for (what, expected, got) in
            [("fields", self.0.len(), row.len()), ("features", self.features(), x.len())]
        {
            if expected != got {
                return Err(Error::Description { what, expected, got });
            }
        }
        let mut rest = x;
        for (number, (column, field)) in self.0.iter().zip(row).enumerate() {
            let (features, others) = rest.split_at_mut(column.features());
            rest = others;
            let refused = |expected, got| Err(Error::Field { column: column.name.clone(), expected, got });
            match (&column.kind, *field) {
                (ColumnKind::Number { .. }, Field::Number(value)) if value.is_finite() => features[0] = value,
                (ColumnKind::Number { .. }, Field::Number(_)) => {
                    return refused("a finite number", "another");
                }
                (ColumnKind::Number { missing: Some(value) }, Field::Missing) => features[0] = *value,
                (ColumnKind::Number { .. }, Field::Missing) => return refused("a number", "none"),
                (ColumnKind::Number { .. }, Field::Text(_)) => return refused("a number", "a text"),
                (ColumnKind::Categories(_), Field::Number(_)) => return refused("a text", "a number"),
                (ColumnKind::Categories(categories), field) => {
                    let text = if let Field::Text(text) = field { text } else { "" };
                    features.fill(0.0);
                    match categories.binary_search_by(|category| category.as_str().cmp(text)) {
                        Ok(at) => features[at] = 1.0,
                        Err(_) if text.is_empty() => return refused("a text", "none"),
                        Err(_) => unknown(number),
                    }
                }
            }
        }
        Ok(())
    }
}

impl Column {
    /// The number of features that it becomes.
    pub fn features(&self) -> usize {
        match &self.kind {
            ColumnKind::Number { .. } => 1,
            ColumnKind::Categories(categories) => categories.len(),
        }
    }
}
