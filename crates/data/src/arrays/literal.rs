//! The header of a NumPy array: a Python dictionary.

use crate::{
    error::{DataError, shown},
    files::wrong_array,
};

/// A parser of a Python literal; `name` is the array in messages.
pub(crate) struct Literal<'a> {
    pub(crate) name: &'a str,
    /// The text that is still to read.
    pub(crate) rest: &'a str,
}

impl<'a> Literal<'a> {
    /// Reads type, order and shape: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, in any
    /// order.
    pub(crate) fn header(mut self) -> Result<(&'a str, bool, Vec<usize>), DataError> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        self.expect("{")?;
        while !self.next_is("}") {
            let before = Literal { ..self };
            let key = self.string("a key")?;
            self.expect(":")?;
            match key {
                "descr" if descr.is_none() => descr = Some(self.string("one plain type")?),
                "fortran_order" if fortran.is_none() => fortran = Some(self.bool()?),
                "shape" if shape.is_none() => shape = Some(self.tuple()?),
                _ => return Err(before.refuse("descr, fortran_order and shape, each once")),
            }
            if !self.next_is(",") {
                self.expect("}")?;
                break;
            }
        }
        if !self.rest.trim_ascii().is_empty() {
            return Err(self.refuse("nothing after `}`"));
        }
        match (descr, fortran, shape) {
            (Some(descr), Some(fortran), Some(shape)) => Ok((descr, fortran, shape)),
            _ => Err(wrong_array(self.name, "header", "descr, fortran_order and shape, each once", "fewer")),
        }
    }

    fn refuse(&self, expected: &str) -> DataError {
        let got = match shown(self.rest.trim_ascii_end()).replace("\\'", "'") {
            rest if rest.is_empty() => "its end".to_string(),
            rest => format!("`{rest}`"),
        };
        wrong_array(self.name, "header", expected, got)
    }

    /// Skips `text` if it comes next; returns whether it did.
    fn next_is(&mut self, text: &str) -> bool {
        self.rest = self.rest.trim_ascii_start();
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, text: &str) -> Result<(), DataError> {
        if self.next_is(text) { Ok(()) } else { Err(self.refuse(&format!("`{text}`"))) }
    }

    /// Reads a string in quotes, without escapes.
    fn string(&mut self, what: &str) -> Result<&'a str, DataError> {
        for quote in ["'", "\""] {
            let before = self.rest;
            if self.next_is(quote) {
                match self.rest.split_once(quote) {
                    Some((text, rest)) if !text.contains('\\') => {
                        self.rest = rest;
                        return Ok(text);
                    }
                    _ => self.rest = before,
                }
            }
        }
        Err(self.refuse(&format!("{what} in quotes")))
    }

    fn bool(&mut self) -> Result<bool, DataError> {
        if self.next_is("True") {
            return Ok(true);
        }
        if self.next_is("False") { Ok(false) } else { Err(self.refuse("True or False")) }
    }

    /// Reads a tuple of sizes: `()`, `(2,)`, `(2, 3)` or `(2, 3,)`.
    fn tuple(&mut self) -> Result<Vec<usize>, DataError> {
        let mut numbers = Vec::new();
        self.expect("(")?;
        while !self.next_is(")") {
            let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = self.rest.split_at(digits);
            numbers.push(number.parse().map_err(|_| self.refuse("a size"))?);
            self.rest = rest;
            if !self.next_is(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(numbers)
    }
}
