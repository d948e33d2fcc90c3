//! The target column of a table that nobody names.

use std::path::Path;

use crate::{
    error::{DataError, TableError, listed},
    tables::{
        cell::{Cell, Rows},
        format::TableFile,
    },
};

/// Names of target columns, in any case.
const NAMES: [&str; 5] = ["class", "label", "target", "species", "y"];
/// Number of rows that are examined.
const ROWS: usize = 1000;

/// Guesses the target column of a table. It is the last column if that is named `class`, `label`, `target`,
/// `species` or `y`, in any case; otherwise the only column with such a name; otherwise the last column if it
/// is the only one with text in the first 1000 rows.
///
/// # Errors
/// [`TableError::NoTarget`] if none of these applies, [`TableError::StreamTarget`] for a stream, and the
/// errors of the file.
pub fn default_target(path: impl AsRef<Path>) -> Result<String, DataError> {
    guess_target(&TableFile::open(path.as_ref())?)
}

/// [`default_target`] of an open file.
pub(crate) fn guess_target(file: &TableFile) -> Result<String, DataError> {
    match file.peek() {
        Some(rows) => find(&mut *rows?),
        None => Err(TableError::StreamTarget { file: file.name().into() }.into()),
    }
}

fn find(rows: &mut dyn Rows) -> Result<String, DataError> {
    let names = rows.columns().to_vec();
    let says = |name: &&String| NAMES.iter().any(|known| name.eq_ignore_ascii_case(known));
    let said: Vec<&String> = names.iter().filter(says).collect();
    let last = names.last();
    if let Some(name) = last.filter(|name| says(name)) {
        return Ok(name.clone());
    }
    if let [name] = said[..] {
        return Ok(name.clone());
    }
    match last {
        Some(last) if said.is_empty() && only_the_last_has_texts(rows)? => Ok(last.clone()),
        _ => Err(TableError::NoTarget { file: rows.file().into(), columns: listed(names.iter()) }.into()),
    }
}

fn only_the_last_has_texts(rows: &mut dyn Rows) -> Result<bool, DataError> {
    let columns = rows.columns().len();
    if rows.select(&(0..columns).collect::<Vec<_>>()).is_err() {
        return Ok(false);
    }
    let (mut seen, mut found) = (0, false);
    while seen < ROWS && rows.advance()? {
        let is_text = |at: usize| rows.cell(at) != Cell::Missing && rows.cell(at).number().is_none();
        if (0..columns - 1).any(is_text) {
            return Ok(false);
        }
        found |= is_text(columns - 1);
        seen += 1;
    }
    Ok(found && !rows.columns()[columns - 1].is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::csv::CsvRows;

    fn target(text: &str) -> Result<String, String> {
        find(&mut CsvRows::new(text.as_bytes(), "f.csv").unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_target_is_found_where_there_is_no_doubt() {
        for (text, found) in [
            ("x,class,Label\n1,2,3\n", "Label"),
            ("Species,x\na,1\n", "Species"),
            ("x,kind\n1,a\n?,b\n", "kind"),
            ("x,kind\n1,\n2,b\n", "kind"),
        ] {
            assert_eq!(target(text).as_deref(), Ok(found), "{text}");
        }
        for text in ["a,b\n1,2\n", "a,b\nx,y\n", "y,label,x\n1,2,a\n", "a,\n1,x\n", "a,b\n", "a,b\n1,?\n"] {
            let columns = text.lines().next().unwrap().replace(',', ", ");
            let question = "f.csv: cannot tell which column holds the class; the columns are";
            assert_eq!(target(text), Err(format!("{question} {columns}")), "{text}");
        }
    }
}
