//! Which layer records and tensors a model becomes, and back.

use alloc::{format, string::String, vec::Vec};

use super::{
    geometry::{self, GEOMETRY},
    layout::{LayerRecord, TensorInfo},
    reader::{Reader, Words},
    writer::Writer,
};
use crate::{
    columns::{Column, ColumnKind, Columns},
    error::{Error, Result},
    layer::{Affine, Binarize, Conv, Dense, Layer, Limits, Output, Thermometer, Thresholds},
    model::{Model, ModelView, Standardize},
};

// The kinds of layers, as numbers in the file.
const BINARIZE: u32 = 1;
const DENSE_TO_BITS: u32 = 2;
const DENSE_TO_SCORES: u32 = 3;
const CONV_TO_BITS: u32 = 4;
const THERMOMETER: u32 = 5;
const DENSE_OF_BYTES: u32 = 6;
const CONV_OF_BYTES: u32 = 7;

/// The first version of the format that has columns.
const COLUMNS: u32 = 5;

/// The first version of the format that has layers of kind `kind`.
fn since(kind: u32) -> u32 {
    match kind {
        CONV_TO_BITS => 2,
        THERMOMETER => 3,
        DENSE_OF_BYTES | CONV_OF_BYTES => 4,
        _ => 1,
    }
}

impl<W: AsRef<[u64]>> Model<W> {
    /// The model as the bytes of a `.onebit` file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (mut w, mut version) = (Writer::default(), 1);
        for (at, layer) in self.layers.iter().enumerate() {
            let of_bytes = at == 0 && layer.has_integer_sums();
            let (kind, outputs, depth) = match layer {
                Layer::Binarize(b) => (BINARIZE, b.features, b.thresholds.len()),
                Layer::Thermometer(t) => (THERMOMETER, t.channels, t.depth()),
                Layer::Dense(Dense { weights, output }) => match output {
                    Output::Bits(t) => {
                        let kind = if of_bytes { DENSE_OF_BYTES } else { DENSE_TO_BITS };
                        (kind, weights.rows(), t.limits.len() / weights.rows())
                    }
                    Output::Scores(_) => (DENSE_TO_SCORES, weights.rows(), 0),
                },
                Layer::Conv(conv) => {
                    (if of_bytes { CONV_OF_BYTES } else { CONV_TO_BITS }, conv.weights.rows(), 1)
                }
            };
            version = version.max(since(kind));
            let [inputs, outputs, depth] = [layer.inputs(), outputs, depth].map(|n| n as u32);
            let index = w.layer(LayerRecord { kind, inputs, outputs, depth });
            let name = |tensor: &str| format!("{index}.{tensor}");
            let thresholds = |w: &mut Writer, t: &Thresholds| {
                match &t.limits {
                    Limits::Integer(limits) => w.i32s(name("limits"), depth as usize, limits),
                    Limits::Real(limits) => w.f32s(name("limits"), depth as usize, limits),
                }
                w.bits(name("descending"), &t.descending);
            };
            match layer {
                Layer::Binarize(b) => w.f32s(name("thresholds"), 1, &b.thresholds),
                Layer::Thermometer(t) => w.f32s(name("thresholds"), depth as usize, &t.thresholds),
                Layer::Dense(dense) => {
                    w.bits(name("weights"), &dense.weights);
                    match &dense.output {
                        Output::Bits(t) => thresholds(&mut w, t),
                        Output::Scores(a) => {
                            w.f32s(name("mean"), 1, &a.mean);
                            w.f32s(name("scale"), 1, &a.scale);
                            w.f32s(name("shift"), 1, &a.shift);
                        }
                    }
                }
                Layer::Conv(conv) => {
                    w.i32s(name("geometry"), 1, &geometry::to_numbers(conv));
                    w.bits(name("weights"), &conv.weights);
                    thresholds(&mut w, &conv.thresholds);
                }
            }
        }
        w.f32s("standardize.mean".into(), 1, &self.standardize.mean);
        w.f32s("standardize.scale".into(), 1, &self.standardize.scale);
        w.text("labels".into(), &self.labels);
        if !self.features.is_empty() {
            w.text("features".into(), &self.features);
        }
        if let Some(columns) = &self.columns {
            version = COLUMNS;
            write_columns(&mut w, columns);
        }
        w.finish(version, self.inputs, self.classes())
    }

    /// Reads a model that owns its weights, or borrows them from `bytes`: `W` decides.
    fn read<'a>(bytes: &'a [u8]) -> Result<Self>
    where
        W: Words<'a>,
    {
        let r = Reader::new(bytes)?;
        let needed = r.layers.iter().map(|record| since(record.kind)).max();
        let has_columns = r.version >= COLUMNS && r.has("columns");
        if r.version > needed.unwrap_or(1) && !has_columns {
            let problem = match r.version {
                2 => "version 2 of the format, but no convolution",
                3 => "version 3 of the format, but no thermometer",
                4 => "version 4 of the format, but no layer on bytes",
                _ => "version 5 of the format, but no columns",
            };
            return Err(Error::Record { what: "header".into(), problem });
        }
        let mut layers = Vec::new();
        for (index, record) in r.layers.iter().enumerate() {
            layers.push(read_layer(&r, index, *record, index == 0)?);
        }
        let inputs = r.inputs;
        let standardize = Standardize {
            mean: r.f32s("standardize.mean", 1, inputs)?,
            scale: r.f32s("standardize.scale", 1, inputs)?,
        };
        let labels = r.text("labels", r.classes)?;
        let features = if r.has("features") { r.text("features", inputs)? } else { Vec::new() };
        let columns = if has_columns { Some(read_columns(&r)?) } else { None };
        let model = Model::of_layers(inputs, layers, labels)?.with_standardize(standardize)?;
        model.with_features(features)?.with_columns(columns)
    }
}

impl Model {
    /// Reads a model from the bytes of a `.onebit` file.
    ///
    /// The bytes may come from anywhere: invalid ones give an error, never a panic, and the memory allocated
    /// is at most a small multiple of their length.
    ///
    /// # Errors
    /// [`Error::Magic`], [`Error::Version`], [`Error::Length`] or [`Error::Checksum`] for bytes that are no
    /// intact file; [`Error::Record`] or [`Error::Tensor`] for one that contradicts the format; the errors of
    /// [`Model::new`], its `with_` methods and [`Columns::new`] for contents that do not fit together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes)
    }

    /// Lists the tensors in a file: name, type, shape and position.
    ///
    /// # Errors
    /// The errors of [`from_bytes`](Self::from_bytes) for header and records; the layers are not checked.
    pub fn tensors(bytes: &[u8]) -> Result<Vec<TensorInfo>> {
        Ok(Reader::new(bytes)?.tensors)
    }
}

impl<'a> ModelView<'a> {
    /// Reads a model as [`Model::from_bytes`] does, but leaves the weights where they are, for example in
    /// flash or in a memory-mapped file. Only a few numbers for each unit and feature are copied.
    ///
    /// The first byte should lie at a multiple of 8. Otherwise, and on a big-endian machine, the weights are
    /// copied.
    ///
    /// # Errors
    /// Returns the errors of [`Model::from_bytes`].
    pub fn in_place(bytes: &'a [u8]) -> Result<Self> {
        Self::read(bytes)
    }
}

/// Adds the tensors that describe the columns of a raw table.
fn write_columns(w: &mut Writer, columns: &Columns) {
    let (mut names, mut counts, mut fills, mut all) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Column { name, kind } in columns.as_slice() {
        let (count, fill) = match kind {
            ColumnKind::Number { missing } => (0, missing.unwrap_or(f32::from_bits(NAN))),
            ColumnKind::Categories(categories) => (categories.len(), 0.0),
        };
        names.push(name.clone());
        counts.push(count as i32);
        fills.push(fill);
        if let ColumnKind::Categories(categories) = kind {
            all.extend_from_slice(categories);
        }
    }
    w.text("columns".into(), &names);
    w.i32s("columns.categories".into(), 1, &counts);
    w.f32s("columns.missing".into(), 1, &fills);
    if !all.is_empty() {
        w.text("categories".into(), &all);
    }
}

/// The inverse of [`write_columns`].
fn read_columns(r: &Reader) -> Result<Columns> {
    let n = r.rows("columns");
    let counts = r.i32s("columns.categories", 1, n)?;
    let fills = r.f32s("columns.missing", 1, n)?;
    let names = r.text("columns", n)?;
    let mut all = 0usize;
    for (&count, fill) in counts.iter().zip(&fills) {
        // each model has one encoding: a column without a fill value has the NaN that the writer uses
        if count < 0 || (count > 0 && fill.to_bits() != 0) || (fill.is_nan() && fill.to_bits() != NAN) {
            let problem = "a negative count, or a fill value that the format does not allow";
            return Err(Error::Record { what: "columns".into(), problem });
        }
        all = all.saturating_add(count as usize);
    }
    let mut categories = if all > 0 { r.text("categories", all)? } else { Vec::new() }.into_iter();
    let column = |((name, count), fill): ((String, i32), f32)| Column {
        name,
        kind: match count {
            0 => ColumnKind::Number { missing: Some(fill).filter(|fill| !fill.is_nan()) },
            count => ColumnKind::Categories(categories.by_ref().take(count as usize).collect()),
        },
    };
    Columns::new(names.into_iter().zip(counts).zip(fills).map(column).collect())
}

/// The bit pattern of NaN in a file.
const NAN: u32 = 0x7fc0_0000;

fn read_layer<'a, W: Words<'a>>(
    r: &Reader<'a>,
    index: usize,
    record: LayerRecord,
    first: bool,
) -> Result<Layer<W>> {
    let [inputs, outputs, depth] = [record.inputs, record.outputs, record.depth].map(|n| n as usize);
    let name = |tensor: &str| format!("{index}.{tensor}");
    let problem = |problem| Err(Error::Record { what: format!("layer {index}"), problem });
    let thresholds = || {
        let limits = if first && !matches!(record.kind, DENSE_OF_BYTES | CONV_OF_BYTES) {
            Limits::Real(r.f32s(&name("limits"), depth, outputs)?)
        } else {
            Limits::Integer(r.i32s(&name("limits"), depth, outputs)?)
        };
        Ok::<_, Error>(Thresholds { limits, descending: r.bits(&name("descending"), 1, outputs)? })
    };
    let output = match record.kind {
        DENSE_OF_BYTES | CONV_OF_BYTES if r.version < since(record.kind) => {
            return problem("a layer on bytes needs version 4 of the format");
        }
        DENSE_OF_BYTES | CONV_OF_BYTES if !first => return problem("only the first layer takes bytes"),
        BINARIZE if inputs != outputs => return problem("binarize must have as many outputs as inputs"),
        BINARIZE => {
            let thresholds = r.f32s(&name("thresholds"), 1, depth)?;
            return Ok(Layer::Binarize(Binarize { features: inputs, thresholds }));
        }
        THERMOMETER if r.version < since(THERMOMETER) => {
            return problem("a thermometer needs version 3 of the format");
        }
        THERMOMETER => {
            let thresholds = r.f32s(&name("thresholds"), depth, outputs)?;
            return Ok(Layer::Thermometer(Thermometer { features: inputs, channels: outputs, thresholds }));
        }
        CONV_TO_BITS if r.version < since(CONV_TO_BITS) => {
            return problem("a convolution needs version 2 of the format");
        }
        CONV_TO_BITS | CONV_OF_BYTES if depth != 1 => return problem("a convolution must have depth 1"),
        CONV_TO_BITS | CONV_OF_BYTES => {
            let numbers = r.i32s(&name("geometry"), 1, GEOMETRY)?;
            let parts = geometry::from_numbers(&numbers, (inputs, outputs));
            let (geometry, image, pool) =
                parts.map_err(|problem| Error::Record { what: format!("layer {index}"), problem })?;
            let patch = geometry.patch().map_err(|source| Error::Geometry { layer: index, source })?;
            let weights = r.bits(&name("weights"), outputs, patch)?;
            return Ok(Layer::Conv(Conv { geometry, image, weights, pool, thresholds: thresholds()? }));
        }
        DENSE_TO_BITS | DENSE_OF_BYTES => Output::Bits(thresholds()?),
        DENSE_TO_SCORES if depth != 0 => return problem("a layer that outputs scores must have depth 0"),
        DENSE_TO_SCORES => Output::Scores(Affine {
            mean: r.f32s(&name("mean"), 1, outputs)?,
            scale: r.f32s(&name("scale"), 1, outputs)?,
            shift: r.f32s(&name("shift"), 1, outputs)?,
        }),
        _ => return problem("unknown kind"),
    };
    Ok(Layer::Dense(Dense { weights: r.bits(&name("weights"), outputs, inputs)?, output }))
}
