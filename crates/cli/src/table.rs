//! Aligned tables: words on the left, numbers on the right.

/// A header and its rows.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(header: [&str; N]) -> Self {
        Self::with_header(header.map(String::from).to_vec())
    }

    pub(crate) fn with_header(header: Vec<String>) -> Self {
        Self { rows: vec![header] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text, without a line feed at the end.
    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| self.rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|c| width(c).unwrap_or(0)).collect();
        // A column is left-aligned if any cell below its header is a word.
        let is_word = |cell: &String| cell.chars().next().is_some_and(char::is_alphabetic);
        let is_left: Vec<bool> =
            (0..columns).map(|c| self.rows.iter().skip(1).filter_map(|r| r.get(c)).any(is_word)).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().enumerate().map(|(c, cell)| {
                if is_left[c] { format!("{cell:<0$}", widths[c]) } else { format!("{cell:>0$}", widths[c]) }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
        };
        self.rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_align_left_and_numbers_right() {
        let mut table = Table::new(["layer", "n"]);
        table.row(["bmab".into(), "64".into()]);
        table.row(["bma".into(), "3".into()]);
        assert_eq!(table.render(), "layer   n\nbmab   64\nbma     3");
    }
}
