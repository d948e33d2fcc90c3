//! The rows of a CSV file, one at a time, with the place of each cell for messages.
//!
//! The separator is `,` `;` or tab: the most frequent one in the header line, outside quotes. Spaces around a
//! cell, blank lines, a byte order mark and CRLF are ignored. The length of a row is limited, so that a
//! stream without line feeds does not fill the memory.

use std::io::{BufRead, BufReader, Chain, Cursor, Read, Take};

use csv::{ErrorKind, ReaderBuilder, StringRecord, Terminator, Trim};

use crate::{
    error::{DataError, TableError, shown},
    tables::cell::{Cell, Rows, check_names},
};

/// Maximum length of the header line in bytes, for finding the separator.
const HEADER_LIMIT: u64 = 1 << 20;
/// Maximum length of a row in bytes, including blank lines before it and read-ahead: 4 MiB, about 2^18
/// numbers.
const ROW_LIMIT: u64 = 1 << 22;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

type Source<R> = Take<Chain<Chain<Cursor<Vec<u8>>, BufReader<R>>, &'static [u8]>>;

/// The rows below a header line.
pub(crate) struct CsvRows<R: Read> {
    file: String,
    columns: Vec<String>,
    reader: csv::Reader<Source<R>>,
    record: StringRecord,
}

impl<R: Read> CsvRows<R> {
    /// Reads the header line.
    pub(crate) fn new(reader: R, file: &str) -> Result<Self, DataError> {
        let failed = |reason| DataError::Read { file: file.to_string(), reason };
        let mut rest = BufReader::new(reader);
        let mut start = read_header_line(&mut rest.by_ref().take(HEADER_LIMIT)).map_err(failed)?;
        if start.starts_with(BYTE_ORDER_MARK) {
            start.drain(..BYTE_ORDER_MARK.len());
        }
        let separator = separator(&start);
        // With a line feed at the very end, every record ends in one, so that the last line of a record is
        // always one before the reader's.
        let source = Cursor::new(start).chain(rest).chain(&b"\n"[..]).take(ROW_LIMIT);
        let reader = ReaderBuilder::new()
            .delimiter(separator)
            .terminator(Terminator::Any(b'\n'))
            .trim(Trim::All)
            .has_headers(false)
            .flexible(true)
            .from_reader(source);
        let mut rows =
            Self { file: file.to_string(), columns: Vec::new(), reader, record: StringRecord::new() };
        if !rows.read()? {
            return Err(TableError::Empty { file: rows.file }.into());
        }
        rows.columns = rows.record.iter().map(String::from).collect();
        check_names(&rows.file, &rows.columns)?;
        Ok(rows)
    }

    /// The line of the current row, from 1; its last line if a quoted cell spans several.
    fn line(&self) -> u64 {
        self.reader.position().line() - 1
    }

    /// Reads the next nonblank line; returns false at the end.
    fn read(&mut self) -> Result<bool, DataError> {
        self.reader.get_mut().set_limit(ROW_LIMIT);
        loop {
            let read = self.reader.read_record(&mut self.record);
            if self.reader.get_ref().limit() == 0 {
                let line = self.reader.position().line();
                return Err(TableError::LongRow { file: self.file.clone(), line, limit: ROW_LIMIT }.into());
            }
            let more = read.map_err(|error| match error.kind() {
                ErrorKind::Utf8 { err, .. } => {
                    let (line, field) = (self.line(), err.field() + 1);
                    DataError::NotText { file: self.file.clone(), line, field }
                }
                _ => DataError::Read { file: self.file.clone(), reason: error.into() },
            })?;
            let blank = self.record.len() == 1 && self.record[0].is_empty();
            if !(more && blank) {
                return Ok(more);
            }
        }
    }
}

impl<R: Read> Rows for CsvRows<R> {
    fn file(&self) -> &str {
        &self.file
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn select(&mut self, _columns: &[usize]) -> Result<(), DataError> {
        Ok(())
    }

    fn advance(&mut self) -> Result<bool, DataError> {
        let more = self.read()?;
        let (expected, got) = (self.columns.len(), self.record.len());
        if more && got != expected {
            return Err(
                TableError::Ragged { file: self.file.clone(), line: self.line(), expected, got }.into()
            );
        }
        Ok(more)
    }

    fn cell(&self, column: usize) -> Cell<'_> {
        Cell::of_text(&self.record[column])
    }

    fn place(&self, column: usize) -> String {
        format!("{}, line {}, column `{}`", self.file, self.line(), shown(&self.columns[column]))
    }
}

/// The bytes up to the end of the first nonblank line.
fn read_header_line(reader: &mut Take<impl BufRead>) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    loop {
        let line = start.len();
        if reader.read_until(b'\n', &mut start)? == 0 || !start[line..].trim_ascii().is_empty() {
            return Ok(start);
        }
    }
}

/// The most frequent separator outside quotes; `,` in a tie.
fn separator(header: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b'\t', 0), (b';', 0), (b',', 0)];
    for &byte in header {
        quoted ^= byte == b'"';
        for (separator, count) in &mut counts {
            *count += usize::from(!quoted && byte == *separator);
        }
    }
    // In a tie, the last one is taken.
    counts.into_iter().max_by_key(|&(_, count)| count).map_or(b',', |(separator, _)| separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Result<CsvRows<&[u8]>, DataError> {
        CsvRows::new(text, "f.csv")
    }

    /// All rows with their lines.
    fn lines(text: &[u8]) -> Vec<(u64, Vec<String>)> {
        let mut rows = rows(text).unwrap();
        let mut lines = Vec::new();
        while rows.advance().unwrap() {
            lines.push((rows.line(), rows.record.iter().map(String::from).collect()));
        }
        lines
    }

    #[test]
    fn separators_are_found_in_the_header() {
        for text in ["a,b;c,d\n1,2,3\n", "a;b,c;d\n1;2;3\n", "a\tb\td,e\n1\t2\t3\n"] {
            assert_eq!(lines(text.as_bytes())[0].1, ["1", "2", "3"], "{text}");
        }
        assert_eq!(rows(b"\"a;b;c\",d\n").unwrap().columns(), ["a;b;c", "d"]);
        assert_eq!(rows(b"a;b,c").unwrap().columns(), ["a;b", "c"]); // a tie: the comma
        assert_eq!(rows(b"a").unwrap().columns(), ["a"]);
    }

    #[test]
    fn every_kind_of_line_is_counted() {
        let cells = |a: &str, b: &str| vec![a.to_string(), b.to_string()];
        let expected = vec![(2, cells("1", "2")), (4, cells("3", "4"))];
        let endings: [&[u8]; 5] = [
            b"a,b\n1,2\n\n3,4\n",
            b"a,b\n1,2\n\n3,4",
            b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n3,4\r\n",
            b"a,b\r\n1,2\r\n \r\n3,4",
            b" a , b\n1 ,\t2\n\n\"3\" ,4\n\n\n",
        ];
        for text in endings {
            assert_eq!(lines(text), expected, "{}", text.escape_ascii());
        }
        assert_eq!(lines(b"\n\r\na,b\n1,2\n"), [(4, cells("1", "2"))]);
        assert_eq!(lines(b"a,b\n\"x\ny\",2\n3,4\n"), [(3, cells("x\ny", "2")), (4, cells("3", "4"))]);
        assert_eq!(rows(b"\xef\xbb\xbf\"a\",b\n").unwrap().columns(), ["a", "b"]);
    }

    #[test]
    fn a_row_has_a_limit() {
        let long =
            |line: u64| format!("f.csv, line {line}: expected a row of at most 4194304 bytes, got more");
        for byte in *b"x,\"\0" {
            let mut rows = CsvRows::new(b"a,b\n1,2\n".chain(std::io::repeat(byte)), "f.csv").unwrap();
            assert!(rows.advance().unwrap());
            assert_eq!(rows.advance().unwrap_err().to_string(), long(3), "{}", byte.escape_ascii());
            let error = CsvRows::new(std::io::repeat(byte), "f.csv").err().unwrap().to_string();
            assert_eq!(error, long(1), "{}", byte.escape_ascii());
        }
        let cell = "x".repeat(ROW_LIMIT as usize - (1 << 14)); // read-ahead counts too
        let text = format!("a,b\n{cell},2\n{cell},4\n");
        assert_eq!(lines(text.as_bytes()).len(), 2);
    }
}
