//! The smallest model with every kind of layer, and its file.

use onebit_bits::BitTensor;
use onebit_model::{Affine, Binarize, Dense, Layer, Limits, Model, Output, Standardize, Thresholds};

/// The file byte by byte, with notes; `docs/reference/format.md` shows it.
pub(crate) const DUMP: &str = include_str!("tiny.hex");

/// Two features, one threshold; three units of depth 2, the last descending; two classes.
pub(crate) fn model() -> Model {
    let weights = |rows: &[u64], cols| BitTensor::from_words(rows.len(), cols, rows.to_vec()).unwrap();
    let limits = Limits::Integer(vec![0, 0, 0, 2, 2, -2]);
    let to_bits = Output::Bits(Thresholds { limits, descending: weights(&[0b100], 3) });
    let to_scores =
        Output::Scores(Affine { mean: vec![0.0, 1.0], scale: vec![0.5, -0.25], shift: vec![0.0, 2.0] });
    let layers = vec![
        Layer::Binarize(Binarize { features: 2, thresholds: vec![0.5] }),
        Layer::Dense(Dense { weights: weights(&[0b11, 0b01, 0b10], 2), output: to_bits }),
        Layer::Dense(Dense { weights: weights(&[0b010110, 0b111001], 6), output: to_scores }),
    ];
    let names = |names: [&str; 2]| names.map(String::from).to_vec();
    let standardize = Standardize { mean: vec![1.0, -2.0], scale: vec![0.5, 2.0] };
    let model = Model::new(2, layers, names(["no", "yes"]));
    model.unwrap().with_standardize(standardize).unwrap().with_features(names(["x", "y"])).unwrap()
}

/// The bytes of [`DUMP`]: lines of an offset, bytes and a note; what is left out is zero.
pub(crate) fn bytes() -> Vec<u8> {
    let hex = |text| u64::from_str_radix(text, 16).unwrap();
    let mut bytes = Vec::new();
    for line in DUMP.lines() {
        let mut numbers = line.split('|').next().unwrap().split_whitespace();
        let offset = hex(numbers.next().unwrap()) as usize;
        assert!(offset >= bytes.len(), "{line}");
        bytes.resize(offset, 0);
        bytes.extend(numbers.map(|byte| hex(byte) as u8));
    }
    bytes
}
