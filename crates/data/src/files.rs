//! Helpers of the readers: published subsets, names of files, gzip, and limits against hostile files.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;

use crate::error::DataError;

/// The two subsets in which sets of images are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subset {
    /// The training images: 60000 in MNIST, 50000 in CIFAR-10.
    Train,
    /// The test images: 10000 in both.
    Test,
}

/// Opens a file and returns it with its name for messages.
pub(crate) fn open(path: &Path) -> Result<(File, String), DataError> {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => Ok((file, name)),
        Err(reason) => Err(DataError::Open { file: name, reason }),
    }
}

/// The first file there is of these names, with or without `.gz`.
pub(crate) fn find(dir: &Path, names: &[String]) -> Result<PathBuf, DataError> {
    let names: Vec<String> =
        names.iter().flat_map(|name| ["", ".gz"].map(|gz| format!("{name}{gz}"))).collect();
    let found = names.iter().map(|name| dir.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| DataError::NoFile { dir: dir.display().to_string(), tried: names.join(", ") })
}

/// The content of a file, decompressed if it starts with the magic number of gzip.
pub(crate) fn decompressed<'a, R: Read>(reader: &'a mut BufReader<R>) -> io::Result<Box<dyn Read + 'a>> {
    let start = read_at_most(reader, 2)?;
    let gzipped = start == [0x1f, 0x8b];
    let whole = io::Cursor::new(start).chain(reader);
    Ok(if gzipped { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}

/// Reads up to `bytes` bytes. Memory grows with the bytes that exist, never with the number that a header
/// claims.
pub(crate) fn read_at_most(reader: &mut impl Read, bytes: u64) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    reader.take(bytes).read_to_end(&mut read)?;
    Ok(read)
}

/// Reads a whole file, gzipped or not; messages call it `name`.
///
/// # Errors
/// [`DataError::Read`]; [`DataError::Oversize`] for more than `limit` bytes after decompression.
pub(crate) fn read_whole(reader: impl Read, name: &str, limit: u64) -> Result<Vec<u8>, DataError> {
    let failed = |reason| DataError::Read { file: name.to_string(), reason };
    let mut reader = BufReader::new(reader);
    let mut reader = decompressed(&mut reader).map_err(failed)?;
    let bytes = read_at_most(&mut reader, limit.saturating_add(1)).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(DataError::Oversize { file: name.to_string(), limit });
    }
    Ok(bytes)
}

/// An error about an array; `name` is the file, or the file and the array.
pub(crate) fn wrong_array(name: &str, what: &str, expected: impl ToString, got: impl ToString) -> DataError {
    let (expected, got) = (expected.to_string(), got.to_string());
    DataError::Array { name: name.into(), what: what.into(), expected, got }
}

#[cfg(test)]
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_has_a_limit() {
        for bytes in [b"123456".to_vec(), gzip(b"123456")] {
            assert_eq!(read_whole(&bytes[..], "f", 6).unwrap(), b"123456");
            let error = read_whole(&bytes[..], "f", 5).unwrap_err().to_string();
            assert_eq!(error, "f: expected at most 5 bytes, got more");
        }
        let error = read_whole(&gzip(b"123456")[..20], "f", 6).unwrap_err().to_string();
        assert!(error.starts_with("cannot read f: "), "{error}");
    }
}
