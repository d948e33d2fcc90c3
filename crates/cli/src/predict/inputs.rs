//! The rows to classify, from files of any format.

use std::{
    fs::{self, File},
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use onebit::{
    Model,
    data::{self, DataError, EXTENSIONS, FeatureRows, ImageShape, NpyRows, TableFormat},
    model::Columns,
};

use crate::{
    args::{Format, PredictArgs},
    failure::{Failure, Result},
    features::{columns, image_shape, warn_unknown},
    output,
};

/// One row to classify.
pub(super) struct Row {
    /// Its file, or `-` for standard input.
    pub(super) input: Arc<str>,
    /// Its index in the file, from 0.
    pub(super) row: usize,
    /// Its values, `(features)`.
    pub(super) x: Vec<f32>,
}

impl Row {
    /// The name of its input in messages.
    pub(super) fn name(&self) -> &str {
        name(&self.input)
    }
}

fn name(input: &str) -> &str {
    if input == "-" { "standard input" } else { input }
}

/// Files, folders and standard input, and the columns or image shape that the model expects.
pub(super) struct Inputs {
    paths: Vec<PathBuf>,
    format: Option<Format>,
    columns: Columns,
    image: Option<ImageShape>,
}

impl Inputs {
    pub(super) fn new(args: &PredictArgs, model: &Model) -> Result<Self> {
        Ok(Self {
            paths: args.inputs.clone(),
            format: args.format,
            columns: columns(model)?,
            image: image_shape(model),
        })
    }

    /// Passes every row to `emit`, up to the first bad one.
    pub(super) fn read(&self, emit: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        for path in &self.paths {
            if path.is_dir() {
                self.files(path)?.iter().try_for_each(|file| self.read_file(file, emit))?;
            } else {
                self.read_file(path, emit)?;
            }
        }
        Ok(())
    }

    /// The files of a folder with a known extension, in order of their names.
    fn files(&self, dir: &Path) -> Result<Vec<PathBuf>> {
        let name = || dir.display().to_string();
        let all = [&EXTENSIONS[..], &["npy", "png", "jpg", "jpeg"]].concat();
        let known: &[&str] = match self.format {
            None => &all,
            Some(Format::Csv) => &["csv", "tsv"],
            Some(Format::Parquet) => &["parquet", "pq"],
            Some(Format::Arrow) => &["arrow", "feather", "ipc"],
            Some(Format::Npy) => &["npy"],
            Some(Format::Image | Format::Idx) => &["png", "jpg", "jpeg"],
        };
        let is_known = |path: &PathBuf| {
            let extension = path.extension().unwrap_or_default();
            path.is_file() && known.iter().any(|known| extension.eq_ignore_ascii_case(known))
        };
        let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(|reason| DataError::Read { file: name(), reason })?;
        let visible = entries.iter().filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
        let (mut files, mut others): (Vec<PathBuf>, Vec<_>) =
            visible.map(fs::DirEntry::path).partition(is_known);
        let known = known.iter().map(|known| format!("*.{known}")).collect::<Vec<_>>().join(", ");
        if files.is_empty() {
            return Err(DataError::NoFile { dir: name(), tried: known }.into());
        }
        others.sort();
        if let Some(first) = others.first() {
            let count = others.len();
            let first = first.display();
            output::warn(&format!(
                "{}: skipped {count} entries other than {known}; the first is {first}",
                name()
            ));
        }
        files.sort();
        Ok(files)
    }

    fn read_file(&self, path: &Path, emit: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        let input: Arc<str> = path.display().to_string().into();
        let name = name(&input);
        let mut reader: Box<dyn Read> = match &*input {
            "-" => Box::new(io::stdin()),
            _ => Box::new(open(path)?),
        };
        // The first bytes are put back rather than the file reopened, because a pipe can be read only once.
        let mut start = Vec::new();
        read_start(&mut reader, 2, &mut start, name)?;
        if TableFormat::may_start(&start) {
            read_start(&mut reader, 4, &mut start, name)?; // only now: a slow stream may not have more bytes yet
        }
        let format = self.format.unwrap_or_else(|| recognize(&start));
        let features = self.columns.features();
        if format == Format::Parquet && recognize(&start) == format && path.is_file() && &*input != "-" {
            return self.send_table(&input, FeatureRows::open(path, &self.columns)?, emit);
        }
        let reader = Cursor::new(start).chain(reader);
        let table = |reader, format| FeatureRows::with_columns(reader, name, format, &self.columns);
        match format {
            Format::Csv => self.send_table(&input, table(reader, TableFormat::Csv)?, emit),
            Format::Parquet => self.send_table(&input, table(reader, TableFormat::Parquet)?, emit),
            Format::Arrow => self.send_table(&input, table(reader, TableFormat::Arrow)?, emit),
            Format::Npy => send(&input, NpyRows::new(reader, name, features)?, emit),
            Format::Image => {
                let image = data::read_image(reader, name, features, self.image);
                send(&input, [image].into_iter(), emit)
            }
            Format::Idx => {
                let images = data::read_idx_images_from(reader, name)?;
                let pixels = images.height * images.width;
                if pixels != features {
                    return Err(Failure::other(format!(
                        "{name}: expected {features} features, the inputs of the model, got images of \
                         {pixels} pixels"
                    )));
                }
                let rows = images.pixels.chunks(pixels);
                let rows = rows.map(|image| Ok(image.iter().map(|&pixel| f32::from(pixel)).collect()));
                send(&input, rows, emit)
            }
        }
    }

    /// Emits the rows of a table, and warns once per column about categories that the model does not know.
    fn send_table(
        &self,
        input: &Arc<str>,
        mut rows: FeatureRows,
        emit: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        let mut warned = 0;
        for row in 0.. {
            let Some(x) = rows.next() else { break };
            emit(Row { input: input.clone(), row, x: x? })?;
            let unknown = rows.unknown();
            unknown[warned..].iter().for_each(|unknown| warn_unknown(name(input), unknown));
            warned = unknown.len();
        }
        Ok(())
    }
}

/// Appends up to `more` bytes to `start`.
fn read_start(reader: &mut dyn Read, more: u64, start: &mut Vec<u8>, name: &str) -> Result<()> {
    let read = reader.take(more).read_to_end(start);
    read.map_err(|reason| DataError::Read { file: name.to_string(), reason })?;
    Ok(())
}

/// The format that the first bytes show; no CSV file starts like one of the other formats.
fn recognize(start: &[u8]) -> Format {
    match TableFormat::of_start(start) {
        Some(TableFormat::Parquet) => return Format::Parquet,
        Some(TableFormat::Arrow) => return Format::Arrow,
        Some(TableFormat::Csv) | None => {}
    }
    match start {
        [0x93, b'N', ..] => Format::Npy,
        [0x89, b'P', ..] | [0xff, 0xd8, ..] => Format::Image,
        [0, 0, ..] | [0x1f, 0x8b, ..] => Format::Idx, // or its gzip
        _ => Format::Csv,
    }
}

fn open(path: &Path) -> Result<File> {
    let opened = File::open(path);
    Ok(opened.map_err(|reason| DataError::Open { file: path.display().to_string(), reason })?)
}

fn send(
    input: &Arc<str>,
    rows: impl Iterator<Item = std::result::Result<Vec<f32>, DataError>>,
    emit: &mut dyn FnMut(Row) -> Result<()>,
) -> Result<()> {
    for (row, x) in rows.enumerate() {
        emit(Row { input: input.clone(), row, x: x? })?;
    }
    Ok(())
}
