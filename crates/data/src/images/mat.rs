//! Numeric arrays in MATLAB files of version 5, to the extent that the published sets use the format.
//!
//! ```text
//! 116 bytes of text | 8 | version 0x0100, u16 | "IM" for little-endian        128 bytes
//! element: kind u32, length u32, content
//! small element, up to 4 bytes: length in the upper half of kind, content in the bytes of length
//! array, kind 14: flags | dimensions | name | values, each an element padded to 8 bytes
//! compressed array, kind 15: an array in a zlib stream
//! ```
//!
//! Values are in MATLAB's order, the first index fastest, and may be stored in a narrower type than the
//! array's. Source: "MAT-File Format", MathWorks.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::ZlibDecoder;

use crate::{
    error::{DataError, shown},
    files::{read_at_most, wrong_array},
};

const COMPRESSED: u32 = 15;
const ARRAY: u32 = 14;
/// The longest accepted description of an array: dimensions, or a name.
const DESCRIPTION_LIMIT: u64 = 256;

/// The description of an array, which precedes its values.
pub(crate) struct Array<'a> {
    file: &'a str,
    /// The name of the array.
    pub(crate) name: String,
    /// Its dimensions, the fastest first.
    pub(crate) dims: Vec<u64>,
    /// The stored type of its values.
    pub(crate) kind: u32,
    bytes: u64,
}

impl Array<'_> {
    /// An error about this array.
    pub(crate) fn wrong(&self, what: &str, expected: impl ToString, got: impl ToString) -> DataError {
        wrong_array(&format!("{}: {}", self.file, shown(&self.name)), what, expected, got)
    }

    /// Checks that the array has `values` values of `size` bytes.
    pub(crate) fn expect(&self, values: u64, size: u64) -> Result<(), DataError> {
        match values.checked_mul(size) {
            Some(bytes) if bytes == self.bytes => Ok(()),
            _ => Err(self.wrong(
                "values",
                format!("{values} of {size} bytes"),
                format!("{} bytes", self.bytes),
            )),
        }
    }

    /// An error while the values are read.
    pub(crate) fn failed(&self, reason: io::Error) -> DataError {
        DataError::Read { file: format!("{}: {}", self.file, shown(&self.name)), reason }
    }
}

/// Passes every numeric array to `visit`, with a reader of its values. Values that `visit` leaves unread are
/// skipped.
///
/// # Errors
/// [`DataError::Read`], [`DataError::Array`]; the errors of `visit`.
pub(crate) fn read_arrays(
    reader: impl Read,
    file: &str,
    mut visit: impl FnMut(&Array, &mut dyn Read) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let failed = |reason| DataError::Read { file: file.into(), reason };
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let header = read_at_most(&mut reader, 128).map_err(failed)?;
    if header.get(124..128) != Some(b"\0\x01IM") {
        return Err(wrong_array(file, "header", "a little-endian MAT-file of version 5", "something else"));
    }
    while !reader.fill_buf().map_err(failed)?.is_empty() {
        let [kind, length] = tag(&mut reader).map_err(failed)?;
        let mut content = reader.by_ref().take(u64::from(length));
        match kind {
            ARRAY => read_array(&mut content, file, &mut visit)?,
            COMPRESSED => {
                let mut content = ZlibDecoder::new(&mut content);
                let [inner, _] = tag(&mut content).map_err(failed)?;
                if inner == ARRAY {
                    read_array(&mut content, file, &mut visit)?;
                }
            }
            _ => return Err(wrong_array(file, "kind of element", "14 or 15, an array", kind)),
        }
        io::copy(&mut content, &mut io::sink()).map_err(failed)?;
        if content.limit() > 0 {
            let got = u64::from(length) - content.limit();
            return Err(wrong_array(file, "element", format!("{length} bytes"), format!("{got} bytes")));
        }
    }
    Ok(())
}

fn read_array(
    reader: &mut impl Read,
    file: &str,
    visit: &mut impl FnMut(&Array, &mut dyn Read) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let flags = description(reader, file, "flags")?;
    let class = flags.first().copied().unwrap_or(0);
    // Classes 6 to 15 are numbers; cells, structures, strings and sparse arrays are skipped.
    if !(6..=15).contains(&class) {
        return Ok(());
    }
    let dims = description(reader, file, "dimensions")?;
    let dims = dims.as_chunks::<4>().0.iter().map(|&dim| u64::from(u32::from_le_bytes(dim))).collect();
    let name = String::from_utf8_lossy(&description(reader, file, "name")?).into_owned();
    let failed = |reason| DataError::Read { file: file.into(), reason };
    let values = element(reader).map_err(failed)?;
    let array = Array { file, name, dims, kind: values.kind, bytes: values.bytes };
    match values.small {
        Some(bytes) => visit(&array, &mut &bytes[..values.bytes as usize]),
        None => {
            visit(&array, &mut reader.by_ref().take(values.bytes))?;
            // Reads on to the end of the compressed data, which checks its checksum. Only padding is left,
            // unless the numbers are complex or `visit` left some unread.
            read_at_most(reader, 8).map_err(failed).map(|_| ())
        }
    }
}

/// Reads a short element, including its padding.
fn description(reader: &mut impl Read, file: &str, what: &str) -> Result<Vec<u8>, DataError> {
    let failed = |reason| DataError::Read { file: file.into(), reason };
    let element = element(reader).map_err(failed)?;
    if let Some(bytes) = element.small {
        return Ok(bytes[..element.bytes as usize].to_vec());
    }
    if element.bytes > DESCRIPTION_LIMIT {
        let expected = format!("at most {DESCRIPTION_LIMIT} bytes");
        return Err(wrong_array(file, what, expected, element.bytes));
    }
    let mut padded = vec![0; element.bytes.next_multiple_of(8) as usize];
    reader.read_exact(&mut padded).map_err(failed)?;
    padded.truncate(element.bytes as usize);
    Ok(padded)
}

/// The start of an element; for a small element also its content.
struct Element {
    kind: u32,
    bytes: u64,
    small: Option<[u8; 4]>,
}

fn element(reader: &mut impl Read) -> io::Result<Element> {
    let [kind, length] = tag(reader)?;
    let small_length = kind >> 16;
    Ok(match small_length {
        0 => Element { kind, bytes: length.into(), small: None },
        1..=4 => {
            Element { kind: kind & 0xffff, bytes: small_length.into(), small: Some(length.to_le_bytes()) }
        }
        _ => return Err(io::Error::other(format!("a small element of {small_length} bytes"))),
    })
}

fn tag(reader: &mut impl Read) -> io::Result<[u32; 2]> {
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes)?;
    let words = bytes.as_chunks::<4>().0;
    Ok([u32::from_le_bytes(words[0]), u32::from_le_bytes(words[1])])
}
