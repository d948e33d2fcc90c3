//! Model files: an error, or a model that survives its file and runs.
//!
//! ```sh
//! cargo +nightly fuzz run --fuzz-dir crates/data/fuzz model
//! ```
//!
//! Magic, length and checksum are put right, so that the parser behind them is reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onebit_bits::Engine;
use onebit_model::{Error, Layer, MAGIC, Model};

fuzz_target!(|data: &[u8]| {
    let mut bytes = data.to_vec();
    bytes.resize(bytes.len().max(64), 0);
    let length = bytes.len() as u64;
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[16..24].copy_from_slice(&length.to_le_bytes());
    let checksum = crc32fast::hash(&bytes[16..]);
    bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    match Model::from_bytes(&bytes) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(model) => {
            assert_eq!(Model::from_bytes(&model.to_bytes()).expect("what is written can be read"), model);
            if model.layers().iter().all(is_small) {
                let x = vec![if model.takes_bytes() { 5.0 } else { 0.5 }; model.inputs()];
                match model.classify(&Engine::single(), &x) {
                    Ok(classes) => assert!(classes[0] < model.classes()),
                    // a mean or a scale may be so large that standardization overflows
                    Err(error) => assert!(matches!(error, Error::NotFinite { .. }), "{error}"),
                }
            }
        }
    }
});

/// A sample of a small file may take long, if its images are large.
fn is_small(layer: &Layer) -> bool {
    let kernel = match layer {
        Layer::Conv(conv) => conv.geometry.kernel.0.max(conv.geometry.kernel.1),
        _ => 0,
    };
    layer.inputs().max(layer.outputs()) <= 1 << 12 && kernel <= 8
}
