//! A NumPy array in an `.npy` file, versions 1 to 3. The header is a Python literal.
//!
//! ```text
//! 93 "NUMPY" | major, minor | length of the header, little-endian: u16 in version 1, else u32
//! {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } | the numbers, last axis fastest
//! ```
//!
//! Source: the NumPy Enhancement Proposal 1, <https://numpy.org/neps/nep-0001-npy-format.html>.

use std::io::Read;

use crate::{
    arrays::literal::Literal,
    error::{DataError, shown},
    files::{read_at_most, wrong_array},
};

/// The largest accepted array: 4 GiB.
const LIMIT: u64 = 1 << 32;
/// The longest accepted header; NumPy itself trusts none above 10000 bytes.
const HEADER_LIMIT: usize = 10_000;
const MAGIC: &[u8] = b"\x93NUMPY";

/// The type of the numbers in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Byte,
    Bool,
    Int32,
    Int64,
    Float32,
    Float64,
}

/// Types with their NumPy names and the bytes per number.
const TYPES: [(&str, Type, u64); 6] = [
    ("|u1", Type::Byte, 1),
    ("|b1", Type::Bool, 1),
    ("<i4", Type::Int32, 4),
    ("<i8", Type::Int64, 8),
    ("<f4", Type::Float32, 4),
    ("<f8", Type::Float64, 8),
];

impl Type {
    /// The numbers as f32; a bool is 0 or 1.
    pub(crate) fn reals(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Type::Byte => bytes.iter().map(|&byte| f32::from(byte)).collect(),
            Type::Bool => bytes.iter().map(|&byte| f32::from(byte != 0)).collect(),
            Type::Int32 => numbers(bytes, |bytes| i32::from_le_bytes(bytes) as f32),
            Type::Int64 => numbers(bytes, |bytes| i64::from_le_bytes(bytes) as f32),
            Type::Float32 => numbers(bytes, f32::from_le_bytes),
            Type::Float64 => numbers(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
        }
    }
}

/// The header of an array.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) shape: Vec<usize>,
    pub(crate) kind: Type,
    /// Bytes per number.
    pub(crate) size: u64,
    /// Bytes of the header itself.
    pub(crate) bytes: u64,
}

impl Header {
    /// Reads the header, up to the first number; messages call the array `name`.
    ///
    /// # Errors
    /// [`DataError::Array`] for a header that is invalid or not supported; [`DataError::Truncated`],
    /// [`DataError::Read`].
    pub(crate) fn read(reader: &mut impl Read, name: &str) -> Result<Self, DataError> {
        let (text, bytes) = header(reader, name)?;
        let (descr, fortran, shape) = Literal { name, rest: &text }.header()?;
        let Some(&(_, kind, size)) = TYPES.iter().find(|(known, ..)| *known == descr) else {
            let known = TYPES.map(|(known, ..)| known).join(", ");
            return Err(wrong_array(name, "type", format!("one of {known}"), shown(descr)));
        };
        if fortran {
            return Err(wrong_array(name, "order", "C (save numpy.ascontiguousarray of it)", "Fortran"));
        }
        Ok(Self { shape, kind, size, bytes })
    }
}

/// An array with its stored bytes, whose number matches shape and type.
#[derive(Debug, PartialEq)]
pub(crate) struct Array {
    /// The name in messages.
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) kind: Type,
    pub(crate) bytes: Vec<u8>,
}

impl Array {
    /// Reads an array; messages call it `name`.
    ///
    /// # Errors
    /// Returns the errors of [`Header::read`], [`DataError::Oversize`], [`DataError::Truncated`] and
    /// [`DataError::Trailing`].
    pub(crate) fn read(mut reader: impl Read, name: &str) -> Result<Self, DataError> {
        let Header { shape, kind, size, bytes: header } = Header::read(&mut reader, name)?;
        // An axis of 0 counts as 1 here, so that the other axes are checked even in an array without numbers.
        let count = shape.iter().try_fold(1u64, |product, &dim| product.checked_mul((dim as u64).max(1)));
        let Some(most) = count.and_then(|count| count.checked_mul(size)).filter(|&most| most <= LIMIT) else {
            return Err(DataError::Oversize { file: name.to_string(), limit: LIMIT });
        };
        let promised = if shape.contains(&0) { 0 } else { most };
        let bytes = read_at_most(&mut reader, promised + 1)
            .map_err(|reason| DataError::Read { file: name.to_string(), reason })?;
        let (expected, got) = (header + promised, header + bytes.len() as u64);
        if got < expected {
            return Err(DataError::Truncated { file: name.to_string(), expected, got });
        }
        if got > expected {
            return Err(DataError::Trailing { file: name.to_string(), expected });
        }
        Ok(Self { name: name.to_string(), shape, kind, bytes })
    }

    /// The numbers, if their type is an integer or a bool.
    pub(crate) fn integers(&self) -> Option<Vec<i64>> {
        match self.kind {
            Type::Byte => Some(self.bytes.iter().map(|&byte| i64::from(byte)).collect()),
            Type::Bool => Some(self.bytes.iter().map(|&byte| i64::from(byte != 0)).collect()),
            Type::Int32 => Some(numbers(&self.bytes, |bytes| i64::from(i32::from_le_bytes(bytes)))),
            Type::Int64 => Some(numbers(&self.bytes, i64::from_le_bytes)),
            Type::Float32 | Type::Float64 => None,
        }
    }
}

/// A shape in Python's notation.
pub(crate) fn dims(shape: &[usize]) -> String {
    match shape {
        [only] => format!("({only},)"),
        _ => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn numbers<const SIZE: usize, T>(bytes: &[u8], number: impl Fn([u8; SIZE]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&bytes| number(bytes)).collect()
}

/// Reads the text of the header; returns it with the number of bytes up to the first number.
fn header(reader: &mut impl Read, name: &str) -> Result<(String, u64), DataError> {
    let mut at = 0;
    let mut take = |bytes: usize| {
        let read = read_at_most(reader, bytes as u64)
            .map_err(|reason| DataError::Read { file: name.to_string(), reason })?;
        at += bytes as u64;
        let got = at - (bytes - read.len()) as u64;
        if read.len() < bytes {
            return Err(DataError::Truncated { file: name.to_string(), expected: at, got });
        }
        Ok((read, at))
    };
    let (start, _) = take(MAGIC.len() + 2)?;
    if !start.starts_with(MAGIC) {
        let got = shown(&String::from_utf8_lossy(&start[..MAGIC.len()]));
        return Err(wrong_array(name, "first bytes", "those of a NumPy array", got));
    }
    let version = start[MAGIC.len()];
    let size = match version {
        1 => 2,
        2 | 3 => 4,
        _ => return Err(wrong_array(name, "version", "1, 2 or 3", version.to_string())),
    };
    let (size, _) = take(size)?;
    let length = size.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
    if length > HEADER_LIMIT {
        let expected = format!("at most {HEADER_LIMIT} bytes");
        return Err(wrong_array(name, "header", expected, length.to_string()));
    }
    let (text, at) = take(length)?;
    match String::from_utf8(text) {
        Ok(text) => Ok((text, at)),
        Err(error) => {
            Err(wrong_array(name, "header", "UTF-8 text", shown(&String::from_utf8_lossy(error.as_bytes()))))
        }
    }
}

/// An array in a file of version 1.
#[cfg(test)]
pub(crate) fn npy(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    tests::file(1, &format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n"), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn file(version: u8, header: &str, bytes: &[u8]) -> Vec<u8> {
        let length = (header.len() as u32).to_le_bytes();
        let length = &length[..if version == 1 { 2 } else { 4 }];
        [MAGIC, &[version, 0], length, header.as_bytes(), bytes].concat()
    }

    fn message(bytes: &[u8]) -> String {
        Array::read(bytes, "x").unwrap_err().to_string()
    }

    #[test]
    fn every_type_and_version() {
        let both = |kind, shape, bytes: &[u8]| {
            let array = Array::read(&npy(kind, shape, bytes)[..], "x").unwrap();
            (array.kind.reals(&array.bytes), array.integers())
        };
        assert_eq!(both("|u1", "(2, 1)", &[7, 255]), (vec![7.0, 255.0], Some(vec![7, 255])));
        assert_eq!(both("|b1", "(2,)", &[0, 1]), (vec![0.0, 1.0], Some(vec![0, 1])));
        assert_eq!(both("<i4", "()", &(-3i32).to_le_bytes()), (vec![-3.0], Some(vec![-3])));
        assert_eq!(
            both("<i8", "(1,)", &(1i64 << 40).to_le_bytes()),
            (vec![2f32.powi(40)], Some(vec![1 << 40]))
        );
        assert_eq!(both("<f4", "(1,1,)", &0.5f32.to_le_bytes()), (vec![0.5], None));
        assert_eq!(both("<f8", "( 1 , 1 )", &0.1f64.to_le_bytes()), (vec![0.1], None));
        for version in 1..=3 {
            let header = r#" {"shape":(2,3),'fortran_order':False , "descr":'|u1'}   "#;
            let array = Array::read(&file(version, header, b"abcdef")[..], "x").unwrap();
            assert_eq!((array.shape, array.kind, &array.bytes[..]), (vec![2, 3], Type::Byte, &b"abcdef"[..]));
        }
    }

    #[test]
    fn what_is_no_array() {
        assert_eq!(message(b""), "x: truncated: expected 8 bytes, got 0");
        assert_eq!(
            message(b"PK\x03\x04abcdef"),
            "x: first bytes: expected those of a NumPy array, got PK\\u{3}\\u{4}ab"
        );
        assert_eq!(message(&file(4, "{}", b"")), "x: version: expected 1, 2 or 3, got 4");
        assert_eq!(message(b"\x93NUMPY\x01\x00\x10"), "x: truncated: expected 10 bytes, got 9");
        assert_eq!(message(b"\x93NUMPY\x01\x00\x10\x00{}"), "x: truncated: expected 26 bytes, got 12");
        let long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff";
        assert_eq!(message(long), "x: header: expected at most 10000 bytes, got 4294967295");
        let text = [b"\x93NUMPY\x01\x00\x02\x00", &b"\xff\xfe"[..]].concat();
        assert_eq!(message(&text), "x: header: expected UTF-8 text, got \u{fffd}\u{fffd}");
    }

    #[test]
    fn headers_that_are_refused() {
        let header = |text: &str| message(&file(1, text, b""));
        let keys = "expected descr, fortran_order and shape, each once";
        for (text, expected) in [
            ("", "expected `{`, got its end"),
            ("[]", "expected `{`, got `[]`"),
            ("{", "expected a key in quotes, got its end"),
            ("{'descr", "expected a key in quotes, got `'descr`"),
            ("{'descr' '<f4'}", "expected `:`, got `'<f4'}`"),
            ("{'descr': [('a', '<f4')]}", "expected one plain type in quotes, got `[('a', '<f4')]}`"),
            ("{'descr': '\\x3cf4'}", "expected one plain type in quotes, got `'\\\\x3cf4'}`"),
            ("{'fortran_order': 0}", "expected True or False, got `0}`"),
            ("{'shape': 3}", "expected `(`, got `3}`"),
            ("{'shape': (-3,)}", "expected a size, got `-3,)}`"),
            ("{'shape': (3 4)}", "expected `)`, got `4)}`"),
            ("{'shape': (99999999999999999999,)}", "expected a size, got `99999999999999999999,)}`"),
            ("{'shape': (3,) 'descr'", "expected `}`, got `'descr'`"),
            ("{'shape': (), 'shape': ()}", &format!("{keys}, got `'shape': ()}}`")),
            ("{'extra': ()}", &format!("{keys}, got `'extra': ()}}`")),
            ("{'shape': ()}", &format!("{keys}, got fewer")),
            ("{}{", "expected nothing after `}`, got `{`"),
        ] {
            assert_eq!(header(text), format!("x: header: {expected}"));
        }
        for kind in ["<f2", ">f4", "<U3", "|O"] {
            let error = format!("x: type: expected one of |u1, |b1, <i4, <i8, <f4, <f8, got {kind}");
            assert_eq!(message(&npy(kind, "(1,)", b"")), error);
        }
        let fortran = "{'descr': '|u1', 'fortran_order': True, 'shape': (1, 1)}";
        assert_eq!(
            message(&file(1, fortran, b"a")),
            "x: order: expected C (save numpy.ascontiguousarray of it), got Fortran"
        );
    }

    #[test]
    fn wrong_lengths() {
        let whole = npy("<f4", "(2, 1)", &[0; 8]);
        let length = whole.len();
        let expected = format!("x: truncated: expected {length} bytes, got {}", length - 1);
        assert_eq!(message(&whole[..length - 1]), expected);
        let longer = [&whole[..], b"\n"].concat();
        assert_eq!(message(&longer), format!("x: trailing bytes: expected {length} bytes, got more"));
        for shape in ["(4294967296,)", "(18446744073709551615, 2)", "(0, 18446744073709551615)"] {
            let error = "x: expected at most 4294967296 bytes, got more";
            assert_eq!(message(&npy("<f8", shape, b"")), error);
        }
        let empty = Array::read(&npy("<f8", "(0, 3)", b"")[..], "x").unwrap();
        assert_eq!((empty.shape, empty.bytes), (vec![0, 3], vec![]));
    }
}
