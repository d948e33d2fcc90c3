//! The file as a reader of safetensors sees it, written apart from the library.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    nets::{CASES, FEATURES},
    support::Folder,
};

/// Header and data.
pub(crate) fn split(file: &[u8]) -> (BTreeMap<String, Value>, &[u8]) {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    (serde_json::from_slice(&file[8..8 + length]).unwrap(), &file[8 + length..])
}

/// The data of a tensor.
fn tensor<'a>(header: &BTreeMap<String, Value>, data: &'a [u8], name: &str) -> &'a [u8] {
    let at = |index: usize| header[name]["data_offsets"][index].as_u64().unwrap() as usize;
    &data[at(0)..at(1)]
}

#[test]
fn tensors_are_aligned_and_leave_no_holes() {
    for case in &CASES {
        let file = Folder::new().begin(case, |_| {}).unwrap().file;
        let (header, data) = split(&file);
        assert_eq!(file[8], b'{');
        assert_eq!((file.len() - data.len()) % 8, 0);
        let mut places = Vec::new();
        for (name, tensor) in header.iter().filter(|(name, _)| *name != "__metadata__") {
            let width = match tensor["dtype"].as_str().unwrap() {
                "U64" => 8,
                "F32" | "I32" => 4,
                "I8" | "U8" => 1,
                other => panic!("{name}: {other}"),
            };
            let elements: u64 =
                tensor["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).product();
            let [begin, end] = [0, 1].map(|index| tensor["data_offsets"][index].as_u64().unwrap());
            assert_eq!(end - begin, elements * width, "{name}");
            assert_eq!(begin % width, 0, "{name}");
            places.push((begin, end));
        }
        places.sort_unstable();
        assert!(places.windows(2).all(|pair| pair[0].1 == pair[1].0) && places[0].0 == 0);
        assert_eq!(places.last().unwrap().1, data.len() as u64);
        let crc = tensor(&header, data, "crc32");
        assert_eq!(crc, crc32fast::hash(&file[..file.len() - 4]).to_le_bytes());
    }
}

#[test]
fn every_kind_of_state_is_found_by_its_name() {
    let case = &CASES[8];
    let file = Folder::new().begin(case, |_| {}).unwrap().file;
    let (header, data) = split(&file);
    let form = |name: &str| format!("{} {}", header[name]["dtype"].as_str().unwrap(), header[name]["shape"]);
    assert_eq!(form("0.rule.latent.values"), "F32 [45]");
    assert_eq!(form("0.bits"), "U64 [9,1]");
    assert_eq!(form("2.bytes"), "I8 [3]");
    assert_eq!(form("2.bits"), "U64 [2,2]");
    assert_eq!(form("2.turns"), "U64 []");
    // 2 epochs of 4 batches, then 2 of one.
    assert_eq!(tensor(&header, data, "2.turns"), 10u64.to_le_bytes());
    let latent = tensor(&header, data, "0.rule.latent.values").as_chunks::<4>().0;
    let words = tensor(&header, data, "0.bits").as_chunks::<8>().0;
    for (at, value) in latent.iter().enumerate() {
        let bit = u64::from_le_bytes(words[at / FEATURES]) >> (at % FEATURES) & 1 == 1;
        assert_eq!(f32::from_le_bytes(*value) >= 0.0, bit, "weight {at}");
    }
    // The best one is a file of this layout by itself.
    let (inner, _) = split(tensor(&header, data, "best.state"));
    assert_eq!(inner["0.rule.latent.values"]["shape"], header["0.rule.latent.values"]["shape"]);
}

#[test]
fn the_texts_say_what_the_run_is_and_where() {
    let (folder, mut first) = (Folder::new(), None);
    let whole = folder.begin(&CASES[0], |_| {
        first = first.take().or_else(|| std::fs::read(folder.path()).ok());
    });
    let (whole, first) = (whole.unwrap(), first.unwrap());
    let texts = |file: &[u8], name: &str| -> Value {
        serde_json::from_str(split(file).0["__metadata__"][name].as_str().unwrap()).unwrap()
    };
    let progress = texts(&whole.file, "progress");
    assert_eq!(progress["sums"]["batch"], 0);
    for (report, expected) in progress["reports"].as_array().unwrap().iter().zip(&whole.outcome.epochs) {
        assert_eq!(report["loss"].as_f64(), Some(expected.loss));
        assert_eq!(report["test_accuracy"].as_f64(), expected.test_accuracy);
    }
    assert_eq!(texts(&first, "progress")["sums"]["batch"], 1);
    let run = texts(&whole.file, "run");
    assert_eq!((&run["seed"], &run["phase"][0]["batch"]), (&7.into(), &8.into()));
    assert_eq!(split(&whole.file).0["__metadata__"]["format"], "onebit checkpoint 1");
}
