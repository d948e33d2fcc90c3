//! Layer records and tensors to the bytes of a file.

use alloc::{string::String, vec::Vec};

use onebit_bits::Bits;

use super::layout::{
    ALIGN, CHECKED_FROM, HEADER, Kind, LAYER_RECORD, LayerRecord, MAGIC, NAME, TENSOR_RECORD,
};

/// Collects layer records and tensors; [`finish`](Self::finish) lays them out as a file.
#[derive(Default)]
pub(super) struct Writer {
    layers: Vec<LayerRecord>,
    tensors: Vec<(String, Kind, u32, u32, Vec<u8>)>,
}

impl Writer {
    /// Adds a layer record; returns the index of the layer.
    pub(super) fn layer(&mut self, record: LayerRecord) -> usize {
        self.layers.push(record);
        self.layers.len() - 1
    }

    pub(super) fn bits<W: AsRef<[u64]>>(&mut self, name: String, bits: &Bits<W>) {
        let data = bits.words().iter().flat_map(|word| word.to_le_bytes()).collect();
        self.tensors.push((name, Kind::Bits, bits.rows() as u32, bits.cols() as u32, data));
    }

    /// Adds `values` as `rows` rows of equal length.
    pub(super) fn f32s(&mut self, name: String, rows: usize, values: &[f32]) {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensors.push((name, Kind::F32, rows as u32, (values.len() / rows.max(1)) as u32, data));
    }

    /// Adds `values` as `rows` rows of equal length.
    pub(super) fn i32s(&mut self, name: String, rows: usize, values: &[i32]) {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensors.push((name, Kind::I32, rows as u32, (values.len() / rows.max(1)) as u32, data));
    }

    pub(super) fn text(&mut self, name: String, strings: &[String]) {
        let mut data = Vec::new();
        for s in strings {
            data.extend((s.len() as u32).to_le_bytes());
            data.extend(s.as_bytes());
        }
        self.tensors.push((name, Kind::Text, strings.len() as u32, 1, data));
    }

    /// The bytes of the file.
    pub(super) fn finish(self, version: u32, inputs: usize, classes: usize) -> Vec<u8> {
        let records = HEADER + LAYER_RECORD * self.layers.len() + TENSOR_RECORD * self.tensors.len();
        let mut offsets = Vec::new();
        let mut end = records;
        for (.., data) in &self.tensors {
            let start = end.next_multiple_of(ALIGN);
            offsets.push(start);
            end = start + data.len();
        }
        let mut file = Vec::with_capacity(end);
        file.extend(MAGIC);
        file.extend(version.to_le_bytes());
        file.extend([0; 4]); // room for the checksum
        file.extend((end as u64).to_le_bytes());
        for n in [self.tensors.len(), self.layers.len(), inputs, classes] {
            file.extend((n as u32).to_le_bytes());
        }
        file.resize(HEADER, 0);
        for l in &self.layers {
            for n in [l.kind, l.inputs, l.outputs, l.depth, 0, 0, 0, 0] {
                file.extend(n.to_le_bytes());
            }
        }
        for ((name, kind, rows, cols, data), offset) in self.tensors.iter().zip(&offsets) {
            let start = file.len();
            file.extend(name.as_bytes());
            file.resize(start + NAME, 0);
            for n in [kind.code(), *rows, *cols, 0] {
                file.extend(n.to_le_bytes());
            }
            file.extend((*offset as u64).to_le_bytes());
            file.extend((data.len() as u64).to_le_bytes());
        }
        for ((.., data), offset) in self.tensors.iter().zip(&offsets) {
            file.resize(*offset, 0);
            file.extend(data);
        }
        let checksum = crc32fast::hash(&file[CHECKED_FROM..]);
        file[12..16].copy_from_slice(&checksum.to_le_bytes());
        file
    }
}
