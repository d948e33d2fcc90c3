//! What the readers of published sets share: parts, names of files, gzip, and limits against hostile files.

use std::{
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;

use crate::error::DataError;

/// The two parts in which sets of images are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subset {
    /// To learn from: of MNIST 60000 images, of CIFAR-10 50000.
    Train,
    /// To be judged by: 10000 images of each.
    Test,
}

/// The first file there is of these names, with or without `.gz`.
pub(crate) fn find(dir: &Path, names: &[String]) -> Result<PathBuf, DataError> {
    let names: Vec<String> =
        names.iter().flat_map(|name| ["", ".gz"].map(|gz| format!("{name}{gz}"))).collect();
    let found = names.iter().map(|name| dir.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| DataError::NoFile { dir: dir.display().to_string(), tried: names.join(", ") })
}

/// The bytes behind gzip, if the file starts as gzip does.
pub(crate) fn decompressed<'a, R: Read>(reader: &'a mut BufReader<R>) -> io::Result<Box<dyn Read + 'a>> {
    let start = read_at_most(reader, 2)?;
    let gzipped = start == [0x1f, 0x8b];
    let whole = io::Cursor::new(start).chain(reader);
    Ok(if gzipped { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}

/// Memory grows with what is really there, never with what a header promises.
pub(crate) fn read_at_most(reader: &mut impl Read, bytes: u64) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    reader.take(bytes).read_to_end(&mut read)?;
    Ok(read)
}

/// All bytes of a file, gzipped or not; `name` is how messages call it.
///
/// # Errors
/// [`DataError::Read`], [`DataError::Oversize`] for more than `limit` bytes.
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
