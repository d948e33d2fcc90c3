//! Whatever a file of `n` bytes says, reading it takes at most `16 n` bytes and 64 KiB: what is allocated is
//! counted.

use std::fs;

use onebit_model::Model;

use crate::{
    counting::counted,
    file::{
        forged::{BITS, F32, Forged, TEXT, Tensor},
        tiny,
    },
};

/// Reads a file and says how it went; checks the bytes that this takes at a time.
fn load(what: &str, forged: &Forged) -> Result<Model, String> {
    let bytes = forged.bytes();
    let path = std::env::temp_dir().join(format!("onebit-memory-{}.onebit", std::process::id()));
    fs::write(&path, &bytes).unwrap();
    let (model, allocated) = counted(|| Model::load(&path));
    let peak = allocated.peak;
    fs::remove_file(path).unwrap();
    println!("{what}: a file of {} bytes takes {peak}", bytes.len());
    let limit = 16 * bytes.len() + (64 << 10);
    assert!(peak > 0, "{what}: it is done by another thread, whose bytes are not counted");
    assert!(peak <= limit, "{what}: {peak} bytes at a time, more than {limit}");
    model.map_err(|error| error.to_string())
}

/// One more than fits where it was made room for, by doubling.
const MANY: u32 = (1 << 17) + 1;

fn tensor(name: &str, kind: u32, rows: u32, cols: u32, data: Vec<u8>) -> Tensor {
    Tensor { name: name.into(), kind, rows, cols, data }
}

#[test]
fn a_file_takes_a_small_multiple_of_its_bytes() {
    let sound = Forged::from_sound(&tiny::bytes());
    load("a sound file", &sound).unwrap();

    // The most text for a byte: names without a letter.
    let mut labels = sound.clone();
    labels.classes = MANY;
    *labels.tensor("labels") = tensor("labels", TEXT, MANY, 1, vec![0; 4 * MANY as usize]);
    let error = load("empty labels", &labels).unwrap_err();
    assert!(error.contains("labels"), "{error}");
    let mut features = sound.clone();
    features.inputs = MANY;
    for name in ["standardize.mean", "standardize.scale"] {
        *features.tensor(name) = tensor(name, F32, 1, MANY, vec![0; 4 * MANY as usize]);
    }
    *features.tensor("features") = tensor("features", TEXT, MANY, 1, vec![0; 4 * MANY as usize]);
    load("empty features", &features).unwrap_err();

    // The most tensors and layers for a byte.
    let mut tensors = sound.clone();
    tensors.tensors.extend((0..MANY).map(|n| tensor(&format!("{n:032}"), BITS, u32::MAX, 0, vec![])));
    load("tensors that nobody needs", &tensors).unwrap();
    let mut layers = sound.clone();
    layers.layers = vec![[1, 2, 2, 1]; MANY as usize];
    layers.tensors.extend((1..MANY).map(|n| tensor(&format!("{n}.thresholds"), F32, 1, 1, vec![0; 4])));
    let error = load("layers that do not fit", &layers).unwrap_err();
    assert!(error.contains("layer 1"), "{error}");

    // Sizes that nothing in the file stands for.
    for kind in 1..=5 {
        for layer in 0..3 {
            for field in 1..4 {
                let mut huge = sound.clone();
                (huge.layers[layer][0], huge.layers[layer][field]) = (kind, u32::MAX);
                let what = format!("layer {layer} of kind {kind} with a huge field {field}");
                load(&what, &huge).unwrap_err();
            }
        }
    }
    for name in ["labels", "features", "1.weights", "2.mean"] {
        let mut huge = sound.clone();
        huge.tensor(name).rows = u32::MAX;
        load(&format!("{name} of 2^32 - 1 rows"), &huge).unwrap_err();
    }
    (labels.inputs, labels.classes) = (u32::MAX, u32::MAX);
    load("2^32 - 1 inputs and classes", &labels).unwrap_err();
}
