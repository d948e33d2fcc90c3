//! Constant tables in C.

use alloc::{
    format,
    string::{String, ToString},
};

use onebit_bits::BitTensor;

use super::{kind::words, literal};

/// The definitions of all tables of a model, and their size.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) text: String,
    pub(super) bytes: usize,
    /// Whether a table holds an infinity.
    pub(super) infinite: bool,
}

impl Tables {
    /// Adds a table of bits (rows, cols); each row starts a new word. Inverts all bits of the rows that
    /// `inverted` names.
    pub(super) fn bits(&mut self, name: &str, bits: &BitTensor, inverted: impl Fn(usize) -> bool) {
        let per_row = words(bits.cols());
        let word = |row: usize, word: usize| {
            let wide = bits.row(row)[word / 2] >> (word % 2 * 32);
            let (turned, used) =
                (wide as u32 ^ u32::from(inverted(row)).wrapping_neg(), bits.cols() - word * 32);
            turned & (u32::MAX >> (32 - used.min(32)))
        };
        let all = (0..bits.rows()).flat_map(|row| (0..per_row).map(move |at| (row, at)));
        let values = all.map(|(row, at)| format!("0x{:08x}u", word(row, at)));
        self.table("uint32_t", 4, name, bits.rows() * per_row, 8, values);
    }

    /// Adds a table of floats.
    pub(super) fn reals(&mut self, name: &str, reals: &[f32]) {
        self.infinite |= reals.iter().any(|x| x.is_infinite());
        self.table("float", 4, name, reals.len(), 6, reals.iter().map(|&x| literal::real(x)));
    }

    /// Adds a table of integers of the C type `kind`, which has `bytes` bytes.
    pub(super) fn integers(&mut self, kind: &str, bytes: usize, name: &str, integers: &[i32]) {
        self.table(kind, bytes, name, integers.len(), 12, integers.iter().map(|&x| literal::integer(x)));
    }

    /// Adds a structure of 32-bit numbers.
    pub(super) fn structure(&mut self, kind: &str, name: &str, fields: &[(&str, i64)]) {
        let lines = wrapped(fields.iter().map(|(field, value)| format!(".{field} = {value}")), 9);
        self.text += &format!("static const {kind} {name} = {{\n{lines}}};\n\n");
        self.bytes += 4 * fields.len();
    }

    fn table(
        &mut self,
        kind: &str,
        bytes: usize,
        name: &str,
        len: usize,
        in_line: usize,
        values: impl Iterator<Item = String>,
    ) {
        let lines = wrapped(values, in_line);
        self.text += &format!("static const {kind} {name}[{len}] = {{\n{lines}}};\n\n");
        self.bytes += len * bytes;
    }
}

/// Values separated by commas, `in_line` on each line.
fn wrapped(values: impl Iterator<Item = String>, in_line: usize) -> String {
    let mut text = String::new();
    for (at, value) in values.enumerate() {
        let before = match at % in_line {
            0 if at == 0 => "    ".to_string(),
            0 => ",\n    ".to_string(),
            _ => ", ".to_string(),
        };
        text += &before;
        text += &value;
    }
    text + "\n"
}
