//! Unpacks the wanted files from a gzipped tar archive, and nothing else.
//!
//! The paths in the archive are only compared, never written to: files go to the paths of the catalogue.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::GzDecoder;
use tar::Archive;

use crate::{
    error::shown,
    published::{
        catalogue::PublishedFile,
        download::{
            error::DownloadError,
            events::{DownloadEvent, Listen},
        },
    },
};

/// The largest number of bytes in an archive beside those of the wanted files.
const BESIDE: u64 = 1 << 20;

/// Unpacks the wanted files of the archive at `path` into `dir`. Each is written under another name and then
/// renamed.
pub(crate) fn unpack(
    path: &Path,
    file: &PublishedFile,
    dir: &Path,
    listen: Listen,
) -> Result<(), DownloadError> {
    let wrong = |what: &str, expected: String, got: String| {
        let what = shown(what);
        DownloadError::Archive { file: file.name.into(), what, expected, got }
    };
    let damaged = |error: io::Error| wrong("archive", "a gzipped tar archive".into(), error.to_string());
    let limit = file.unpacked.iter().map(|(_, bytes)| bytes).sum::<u64>() + BESIDE;
    let archive = File::open(path).map_err(DownloadError::read(path))?;
    let mut archive = Archive::new(GzDecoder::new(BufReader::new(archive)).take(limit));
    let mut missing = file.unpacked.to_vec();
    // Raw entries: names longer than a header are never wanted, so nothing is allocated for them.
    for entry in archive.entries().map_err(damaged)?.raw(true) {
        let mut entry = entry.map_err(damaged)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = name.strip_prefix("./").unwrap_or(&name);
        let Some(at) = missing.iter().position(|(path, _)| *path == name) else { continue };
        let (wanted, bytes) = missing[at];
        if !entry.header().entry_type().is_file() {
            return Err(wrong(wanted, "a file".into(), "something else".into()));
        }
        if entry.size() != bytes {
            return Err(wrong(wanted, format!("{bytes} bytes"), format!("{} bytes", entry.size())));
        }
        let to = dir.join(wanted);
        let new = beside(&to, "part");
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(DownloadError::write(parent))?;
        }
        let written = copy(&mut entry, bytes, &new, &damaged)
            .and_then(|()| fs::rename(&new, &to).map_err(DownloadError::write(&to)));
        if written.is_err() {
            let _ = fs::remove_file(&new); // the file is ours and may not exist
        }
        written?;
        missing.swap_remove(at);
        listen(DownloadEvent::Unpacked { path: wanted });
        if missing.is_empty() {
            return Ok(());
        }
    }
    let names: Vec<_> = missing.iter().map(|(path, _)| *path).collect();
    Err(wrong("archive", names.join(", "), "none of these".into()))
}

/// Copies an entry of `bytes` bytes to a file and syncs it.
fn copy(
    entry: &mut impl Read,
    bytes: u64,
    to: &Path,
    damaged: &impl Fn(io::Error) -> DownloadError,
) -> Result<(), DownloadError> {
    let mut out = File::create(to).map_err(DownloadError::write(to))?;
    let mut buffer = vec![0; 1 << 16];
    let mut left = bytes;
    while left > 0 {
        let count = entry.read(&mut buffer).map_err(damaged)?;
        if count == 0 {
            return Err(damaged(io::ErrorKind::UnexpectedEof.into()));
        }
        left = left.saturating_sub(count as u64);
        io::Write::write_all(&mut out, &buffer[..count]).map_err(DownloadError::write(to))?;
    }
    out.sync_all().map_err(DownloadError::write(to))
}

/// The path `NAME.END` in the folder of `NAME`.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(end);
    path.with_file_name(name)
}
