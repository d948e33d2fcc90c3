//! Models to bytes and back, and to files.

use alloc::{format, vec::Vec};

use crate::{
    error::{Error, Result},
    format::{Kind, LayerRecord, MAGIC, Reader, TensorInfo, Writer},
    geometry::{self, GEOMETRY},
    layer::{Affine, Binarize, Conv, Dense, Layer, Limits, Output, Thermometer, Thresholds},
    model::{Model, Standardize},
};

/// Layer kinds as numbers in the file.
const BINARIZE: u32 = 1;
const DENSE_TO_BITS: u32 = 2;
const DENSE_TO_SCORES: u32 = 3;
const CONV_TO_BITS: u32 = 4;
const THERMOMETER: u32 = 5;

/// The first version of the format that has layers of this kind.
fn since(kind: u32) -> u32 {
    match kind {
        CONV_TO_BITS => 2,
        THERMOMETER => 3,
        _ => 1,
    }
}

impl Model {
    /// The model as the bytes of a `.onebit` file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (mut w, mut version) = (Writer::default(), 1);
        for layer in &self.layers {
            let (kind, outputs, depth) = match layer {
                Layer::Binarize(b) => (BINARIZE, b.features, b.thresholds.len()),
                Layer::Thermometer(t) => (THERMOMETER, t.channels, t.depth()),
                Layer::Dense(Dense { weights, output }) => match output {
                    Output::Bits(t) => (DENSE_TO_BITS, weights.rows(), t.limits.len() / weights.rows()),
                    Output::Scores(_) => (DENSE_TO_SCORES, weights.rows(), 0),
                },
                Layer::Conv(conv) => (CONV_TO_BITS, conv.weights.rows(), 1),
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
        w.finish(version, self.inputs, self.classes())
    }

    /// Reads a model from the bytes of a `.onebit` file. The bytes may come from anywhere: whatever is
    /// wrong with them is an error, and no more memory is allocated than a small multiple of their length.
    ///
    /// # Errors
    /// Any of the variants about the file, and those of [`Model::new`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let r = Reader::new(bytes)?;
        let needed = r.layers.iter().map(|record| since(record.kind)).max();
        if r.version > needed.unwrap_or(1) {
            let problem = match r.version {
                2 => "version 2 of the format, but no convolution",
                _ => "version 3 of the format, but no thermometer",
            };
            return Err(Error::Record { what: "header".into(), problem });
        }
        let mut layers: Vec<Layer> = Vec::new();
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
        Model::new(inputs, layers, labels)?.with_standardize(standardize)?.with_features(features)
    }

    /// The tensors of a file: name, type, shape and place.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes), for the header and the records.
    pub fn tensors(bytes: &[u8]) -> Result<Vec<TensorInfo>> {
        Ok(Reader::new(bytes)?.tensors)
    }
}

fn read_layer(r: &Reader, index: usize, record: LayerRecord, first: bool) -> Result<Layer> {
    let [inputs, outputs, depth] = [record.inputs, record.outputs, record.depth].map(|n| n as usize);
    let name = |tensor: &str| format!("{index}.{tensor}");
    let problem = |problem| Err(Error::Record { what: format!("layer {index}"), problem });
    let thresholds = || {
        let limits = if first {
            Limits::Real(r.f32s(&name("limits"), depth, outputs)?)
        } else {
            Limits::Integer(r.i32s(&name("limits"), depth, outputs)?)
        };
        Ok::<_, Error>(Thresholds { limits, descending: r.bits(&name("descending"), 1, outputs)? })
    };
    let output = match record.kind {
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
        CONV_TO_BITS if depth != 1 => return problem("a convolution has depth 1"),
        CONV_TO_BITS => {
            let numbers = r.i32s(&name("geometry"), 1, GEOMETRY)?;
            let parts = geometry::from_numbers(&numbers, (inputs, outputs));
            let (geometry, image, pool) =
                parts.map_err(|problem| Error::Record { what: format!("layer {index}"), problem })?;
            let patch = geometry.patch().map_err(|source| Error::Geometry { layer: index, source })?;
            let weights = r.bits(&name("weights"), outputs, patch)?;
            return Ok(Layer::Conv(Conv { geometry, image, weights, pool, thresholds: thresholds()? }));
        }
        DENSE_TO_BITS => Output::Bits(thresholds()?),
        DENSE_TO_SCORES if depth != 0 => return problem("a layer of scores has no depth"),
        DENSE_TO_SCORES => Output::Scores(Affine {
            mean: r.f32s(&name("mean"), 1, outputs)?,
            scale: r.f32s(&name("scale"), 1, outputs)?,
            shift: r.f32s(&name("shift"), 1, outputs)?,
        }),
        _ => return problem("unknown kind"),
    };
    Ok(Layer::Dense(Dense { weights: r.bits(&name("weights"), outputs, inputs)?, output }))
}

impl Kind {
    /// The name in tables: `bits`, `f32`, `i32` or `text`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bits => "bits",
            Kind::F32 => "f32",
            Kind::I32 => "i32",
            Kind::Text => "text",
        }
    }
}

#[cfg(feature = "std")]
mod on_disk {
    use alloc::{boxed::Box, string::ToString};
    use core::sync::atomic::{AtomicU32, Ordering};
    use std::{fs, io, path::Path, process};

    use super::*;

    /// Tells the temporary files of one process apart.
    static SAVES: AtomicU32 = AtomicU32::new(0);

    impl Model {
        /// Writes the model beside `path` and renames it, so that `path` holds the old file or the new
        /// one and never half of it.
        ///
        /// # Errors
        /// [`Error::Io`] with the path.
        pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
            let path = path.as_ref();
            let mut name = path.file_name().unwrap_or_default().to_os_string();
            let save = SAVES.fetch_add(1, Ordering::Relaxed);
            name.push(format!(".{}-{save}.tmp", process::id()));
            let beside = path.with_file_name(name);
            let written = write_synced(&beside, &self.to_bytes()).and_then(|()| fs::rename(&beside, path));
            written.map_err(|source| {
                // The temporary file is ours; that it may not exist is fine.
                let _ = fs::remove_file(&beside);
                Error::Io { path: path.display().to_string(), source }
            })
        }

        /// Reads a model from a file.
        ///
        /// # Errors
        /// [`Error::Io`] when it cannot be read, [`Error::File`] around what is wrong with it.
        pub fn load(path: impl AsRef<Path>) -> Result<Self> {
            let bytes = read_if_model(path.as_ref());
            let path = path.as_ref().display().to_string();
            let bytes = bytes.map_err(|source| Error::Io { path: path.clone(), source })?;
            Self::from_bytes(&bytes).map_err(|source| Error::File { path, source: Box::new(source) })
        }
    }

    /// All bytes of a file that starts as a model does. Of others the first are enough: they may not have an end.
    fn read_if_model(path: &Path) -> io::Result<Vec<u8>> {
        use io::Read;
        let (mut file, mut bytes) = (fs::File::open(path)?, Vec::new());
        file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut bytes)?;
        if bytes == MAGIC {
            file.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }

    fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
        use io::Write;
        let mut file = fs::File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }
}
