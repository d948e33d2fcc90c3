//! Files put together by hand, so that any part of them can be wrong.

use onebit_model::{MAGIC, Model};

/// A file in parts.
#[derive(Clone, Debug)]
pub(crate) struct Forged {
    pub(crate) version: u32,
    pub(crate) inputs: u32,
    pub(crate) classes: u32,
    /// Kind, inputs, outputs, depth.
    pub(crate) layers: Vec<[u32; 4]>,
    pub(crate) tensors: Vec<Tensor>,
}

#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) name: Vec<u8>,
    pub(crate) kind: u32,
    pub(crate) rows: u32,
    pub(crate) cols: u32,
    pub(crate) data: Vec<u8>,
}

pub(crate) const BITS: u32 = 1;
pub(crate) const F32: u32 = 2;
pub(crate) const I32: u32 = 3;
pub(crate) const TEXT: u32 = 4;

impl Forged {
    /// The parts of a sound file.
    pub(crate) fn from_sound(bytes: &[u8]) -> Self {
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let layers =
            (0..number(28) as usize).map(|index| [0, 4, 8, 12].map(|at| number(64 + 32 * index + at)));
        let tensors = Model::tensors(bytes).unwrap().into_iter().map(|t| Tensor {
            name: t.name.into(),
            kind: t.kind as u32 + 1,
            rows: t.rows as u32,
            cols: t.cols as u32,
            data: bytes[t.offset..t.offset + t.bytes].to_vec(),
        });
        Self {
            version: number(8),
            inputs: number(32),
            classes: number(36),
            layers: layers.collect(),
            tensors: tensors.collect(),
        }
    }

    pub(crate) fn tensor(&mut self, name: &str) -> &mut Tensor {
        self.tensors.iter_mut().find(|t| t.name == name.as_bytes()).unwrap()
    }

    /// The file, with length and checksum as they should be.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut file = [MAGIC.as_slice(), &self.version.to_le_bytes(), &[0; 12]].concat();
        let counts = [self.tensors.len() as u32, self.layers.len() as u32, self.inputs, self.classes];
        file.extend(counts.map(u32::to_le_bytes).as_flattened());
        file.resize(64, 0);
        for layer in &self.layers {
            file.extend(layer.map(u32::to_le_bytes).as_flattened());
            file.extend([0; 16]);
        }
        let mut end = file.len() + 64 * self.tensors.len();
        for t in &self.tensors {
            let (offset, name) = (end.next_multiple_of(64), file.len());
            file.extend(&t.name);
            file.resize(name + 32, 0);
            file.extend([t.kind, t.rows, t.cols, 0].map(u32::to_le_bytes).as_flattened());
            file.extend([offset, t.data.len()].map(|n| (n as u64).to_le_bytes()).as_flattened());
            end = offset + t.data.len();
        }
        for t in &self.tensors {
            file.resize(file.len().next_multiple_of(64), 0);
            file.extend(&t.data);
        }
        sealed(file)
    }
}

/// With length and checksum as they should be, whatever else is wrong: so that the parser behind the
/// checksum is reached.
pub(crate) fn sealed(mut file: Vec<u8>) -> Vec<u8> {
    let length = (file.len() as u64).to_le_bytes();
    file[16..24].copy_from_slice(&length);
    let checksum = crc32(&file[16..]).to_le_bytes();
    file[12..16].copy_from_slice(&checksum);
    file
}

/// CRC-32 as in zlib, Ethernet and PNG, bit by bit.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}
