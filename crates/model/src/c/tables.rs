//! Constant tables.

use alloc::{
    format,
    string::{String, ToString},
};

use onebit_bits::BitTensor;

use super::{literal, words};

/// The definitions of all tables.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) text: String,
    pub(super) bytes: usize,
    /// Whether one of the numbers is infinite.
    pub(super) infinite: bool,
}

impl Tables {
    /// Rows that each begin a word, (rows, cols); all bits of the rows that `inverted` names are turned.
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

    pub(super) fn reals(&mut self, name: &str, reals: &[f32]) {
        self.infinite |= reals.iter().any(|x| x.is_infinite());
        self.table("float", 4, name, reals.len(), 6, reals.iter().map(|&x| literal::real(x)));
    }

    /// Of the C type `kind` of so many bytes.
    pub(super) fn integers(&mut self, kind: &str, bytes: usize, name: &str, integers: &[i32]) {
        self.table(kind, bytes, name, integers.len(), 12, integers.iter().map(|&x| literal::integer(x)));
    }

    /// A structure of 32-bit numbers.
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

/// Values and commas, so many in a line.
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
