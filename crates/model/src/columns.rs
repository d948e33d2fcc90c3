//! How the columns of a raw table become the features of a model.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use crate::error::{Error, Result};

/// The columns of a raw table, in the order of a model's features.
///
/// A column of numbers becomes one feature; it may have a fill value for missing cells. A column of
/// categories becomes one feature for each category (one-hot): 1 for the category of the row, 0 for the
/// others. An empty category stands for missing cells.
///
/// Every value of this type is valid: it has at least one column, all names differ, fill values are finite,
/// and categories are sorted without duplicates.
///
/// ```
/// use onebit_model::{Column, ColumnKind, Columns, Field};
///
/// let colours = ["blue", "red"].map(String::from).to_vec();
/// let columns = Columns::new(vec![
///     Column { name: "width".into(), kind: ColumnKind::Number { missing: Some(2.5) } },
///     Column { name: "colour".into(), kind: ColumnKind::Categories(colours) },
/// ])?;
/// assert_eq!(columns.feature_names(), ["width", "colour=blue", "colour=red"]);
/// let mut x = [0.0; 3];
/// columns.encode(&[Field::Missing, Field::Text("red")], &mut x, |_| {})?;
/// assert_eq!(x, [2.5, 0.0, 1.0]);
/// # Ok::<(), onebit_model::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Columns(Vec<Column>);

/// One column of a raw table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name in the header of the table.
    pub name: String,
    /// The kind of its cells.
    pub kind: ColumnKind,
}

/// The kind of a column's cells.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnKind {
    /// Numbers: one feature.
    Number {
        /// The fill value for missing cells; with `None`, a missing cell is an error.
        missing: Option<f32>,
    },
    /// Texts: one feature for each of these categories, which are sorted by their bytes. An empty category
    /// stands for missing cells; without it, a missing cell is an error.
    Categories(Vec<String>),
}

/// A cell of a raw table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field<'a> {
    /// A finite number.
    Number(f32),
    /// A text that is not empty.
    Text(&'a str),
    /// No value.
    Missing,
}

impl Columns {
    /// Checks the columns of a table.
    ///
    /// # Errors
    /// [`Error::Column`] for a duplicate name, a fill value that is not finite, or categories that are empty,
    /// unsorted or duplicate; [`Error::Description`] for no columns.
    pub fn new(columns: Vec<Column>) -> Result<Self> {
        if columns.is_empty() {
            return Err(Error::Description { what: "columns (at least)", expected: 1, got: 0 });
        }
        let mut names = BTreeSet::new();
        for column in &columns {
            let problem = match &column.kind {
                _ if !names.insert(&column.name) => "another column has the same name",
                ColumnKind::Number { missing: Some(number) } if !number.is_finite() => {
                    "its fill value for missing numbers is not finite"
                }
                ColumnKind::Categories(categories) if categories.is_empty() => "it has no categories",
                ColumnKind::Categories(c) if c.windows(2).any(|pair| pair[0] >= pair[1]) => {
                    "its categories are not sorted, or not distinct"
                }
                _ => continue,
            };
            return Err(Error::Column { column: column.name.clone(), problem });
        }
        Ok(Self(columns))
    }

    /// Columns of numbers without fill values: each becomes one feature.
    ///
    /// # Errors
    /// [`Error::Column`] for a duplicate name, [`Error::Description`] for no names.
    pub fn numbers(names: impl IntoIterator<Item = String>) -> Result<Self> {
        let number = |name| Column { name, kind: ColumnKind::Number { missing: None } };
        Self::new(names.into_iter().map(number).collect())
    }

    /// Whether all columns are numbers without fill values, so that the names of the features say as much.
    pub fn are_plain(&self) -> bool {
        self.0.iter().all(|column| column.kind == ColumnKind::Number { missing: None })
    }

    /// The columns, first to last.
    pub fn as_slice(&self) -> &[Column] {
        &self.0
    }

    /// Number of features that all columns become.
    pub fn features(&self) -> usize {
        self.0.iter().map(Column::features).sum()
    }

    /// Names of the features: `width` for a number, `colour=red` for a category, `colour=?` for missing
    /// cells.
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

    /// Writes the features of a raw row to `x: (features)`. For a text that is none of a column's categories,
    /// it sets all features of the column to 0 and calls `unknown` with the column's number.
    ///
    /// # Errors
    /// [`Error::Field`] for a field of the wrong kind and for a missing one without a fill value or empty
    /// category; [`Error::Description`] if `row` or `x` has the wrong length. After an error the contents of
    /// `x` are unspecified.
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
                    return refused("a finite number", "NaN or an infinity");
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
    /// Number of features that the column becomes.
    pub fn features(&self) -> usize {
        match &self.kind {
            ColumnKind::Number { .. } => 1,
            ColumnKind::Categories(categories) => categories.len(),
        }
    }
}
