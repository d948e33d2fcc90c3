//! Whatever a file holds: an error that says what is wrong, or a run that works, and never a panic.

use std::sync::OnceLock;

use onebit_train::Error;
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};

use super::{layout::split, nets::CASES, support::Folder};

/// A sound file, from the middle of a run.
fn sound() -> Vec<u8> {
    static SOUND: OnceLock<Vec<u8>> = OnceLock::new();
    let make = || {
        let (folder, mut saved) = (Folder::new(), Vec::new());
        folder
            .begin(&CASES[8], |_| saved.extend(std::fs::read(folder.path()).ok().map(|file| vec![file])))
            .unwrap();
        saved.into_iter().flatten().nth(6).unwrap()
    };
    SOUND.get_or_init(make).clone()
}

/// With the checksum that its bytes have.
fn sealed(mut file: Vec<u8>) -> Vec<u8> {
    if let Some(length) = file.len().checked_sub(4) {
        let crc = crc32fast::hash(&file[..length]);
        file[length..].copy_from_slice(&crc.to_le_bytes());
    }
    file
}

fn resumed(file: &[u8]) -> Result<(), Error> {
    Folder::with(file).resume(&CASES[8], |_| {}).map(drop)
}

/// What is said about a file, without its name.
fn refusal(file: &[u8]) -> String {
    let folder = Folder::with(file);
    let message = folder.resume(&CASES[8], |_| {}).err().expect("an error").to_string();
    message.replace(&format!("{}: ", folder.path().display()), "")
}

/// What is said about the sound file with a header that was changed.
fn forged(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> String {
    let file = sound();
    let (header, data) = split(&file);
    let mut header = header.into_iter().collect();
    change(&mut header);
    let text = Value::Object(header).to_string();
    refusal(&sealed([&(text.len() as u64).to_le_bytes(), text.as_bytes(), data].concat()))
}

#[test]
fn the_sound_file_is_sound() {
    resumed(&sound()).unwrap();
    assert_eq!(sealed(sound()), sound());
}

#[test]
fn every_cut_is_noticed() {
    let file = sound();
    for length in (0..file.len()).step_by(31).chain(file.len() - 9..file.len()) {
        assert!(resumed(&file[..length]).is_err(), "{length} bytes");
        assert!(resumed(&sealed(file[..length].to_vec())).is_err(), "{length} bytes, sealed");
    }
    let [short, long] = [file.len() - 1, file.len() + 1];
    let message = |got| format!("length: expected {} bytes, got {got}", file.len());
    assert_eq!(refusal(&file[..short]), message(short));
    assert_eq!(refusal(&[&file[..], b"\n"].concat()), message(long));
    assert_eq!(refusal(&file[..7]), "length: expected 8 bytes, got 7");
}

#[test]
fn every_changed_bit_is_noticed() {
    let mut file = sound();
    for at in (0..file.len()).step_by(13) {
        file[at] ^= 1 << (at % 8);
        assert!(resumed(&file).is_err(), "byte {at}");
        file[at] ^= 1 << (at % 8);
    }
    let at = file.len() - 100;
    file[at] ^= 4;
    let message = refusal(&file);
    assert!(
        message.starts_with("checksum: expected ") && message.ends_with("; the file is damaged"),
        "{message}"
    );
}

#[test]
fn what_is_wrong_with_a_header_is_said() {
    let not_a_checkpoint = refusal(b"this is a text, not a checkpoint");
    assert!(not_a_checkpoint.contains("this is not a checkpoint"), "{not_a_checkpoint}");
    let empty = refusal(&[&8u64.to_le_bytes()[..], b"{}      "].concat());
    assert_eq!(empty, "header: no `__metadata__`");
    let latent = "0.rule.latent.values";
    for (message, expected) in [
        (forged(|h| drop(h.remove(latent))), "expected a start at byte"),
        (forged(|h| h[latent]["shape"] = json!([5, 9])), "expected F32 [45], got F32 [5, 9]"),
        (
            forged(|h| h[latent]["shape"] = json!([44])),
            "expected offsets that fit its type and shape, got F32 [44] from",
        ),
        (
            forged(|h| h[latent]["shape"] = json!([u64::MAX, 2])),
            "expected offsets that fit its type and shape",
        ),
        (forged(|h| h[latent]["shape"] = json!([-1])), "tensor `0.rule.latent.values`"),
        (forged(|h| h[latent]["dtype"] = json!("F64")), "expected U64, F32, I32, I8 or U8, got F64"),
        (
            forged(|h| h[latent]["data_offsets"] = json!([u64::MAX, 3])),
            "expected offsets that fit its type and shape",
        ),
        (forged(|h| h["crc32"]["dtype"] = json!("I8")), "no tensor `crc32` of 4 bytes at the end"),
        (
            forged(|h| {
                let tensor = h.remove(latent).unwrap();
                h.insert("0.stranger".into(), tensor);
            }),
            "tensor `0.rule.latent.values`: expected F32 [45], got none of this name",
        ),
        (
            forged(|h| {
                let place = h["0.flipped.ones"]["data_offsets"][0].clone();
                h.insert(
                    "9.more".into(),
                    json!({"dtype": "I8", "shape": [0], "data_offsets": [place, place]}),
                );
            }),
            "tensor `9.more`: expected none of this name, got I8 [0]",
        ),
        (
            forged(|h| h["__metadata__"] = json!({"format": "pt"})),
            "expected the format `onebit checkpoint 1`, got `pt`",
        ),
        (forged(|h| h["__metadata__"] = json!({})), "no text `format`; this is not a onebit checkpoint"),
        (forged(|h| h["__metadata__"]["progress"] = json!("{}")), "`progress`: missing field"),
        (forged(|h| h["__metadata__"]["run"] = json!("{")), "`run`: EOF"),
    ] {
        assert!(message.contains(expected), "expected `{expected}` in `{message}`");
    }
}

#[test]
fn positions_outside_the_run_are_refused() {
    let position = |change: &dyn Fn(&mut Value)| {
        forged(|header| {
            let text = header["__metadata__"]["progress"].as_str().unwrap();
            let mut progress: Value = serde_json::from_str(text).unwrap();
            change(&mut progress);
            header["__metadata__"]["progress"] = json!(progress.to_string());
        })
    };
    for change in [
        &(|p: &mut Value| p["sums"]["batch"] = json!(5)) as &dyn Fn(&mut Value),
        &|p| p["sums"]["batch"] = json!(u64::MAX),
        &|p| p["sums"]["right"] = json!(1000),
        &|p| p["best"]["epoch"] = json!(0),
        &|p| p["best"]["epoch"] = json!(7),
        &|p| p["best"] = Value::Null,
        &|p| {
            let report = p["reports"][0].clone();
            p["reports"] = json!(vec![report; 9]);
        },
    ] {
        assert_eq!(position(change), "header: `progress`: no position of this run");
    }
    let deployed = position(&|p| p["best"]["deployed"] = json!(true));
    assert_eq!(deployed, "tensor `best.model`: expected the best network, got none");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(resumed(&bytes).is_err());
        prop_assert!(resumed(&sealed(bytes)).is_err());
    }

    #[test]
    fn changed_bytes(changes in vec((any::<Index>(), any::<u8>()), 1..5)) {
        let mut file = sound();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        drop(resumed(&sealed(file))); // whatever is the state, there is no panic
    }

    #[test]
    fn counts_and_numbers_at_which_sums_stumble(at in any::<Index>(), byte in prop_oneof![Just(0), Just(0x7f), Just(0xff)]) {
        let mut file = sound();
        let data = file.len() - split(&file).1.len();
        let at = data + at.index(file.len() - data - 8) / 8 * 8;
        file[at..at + 8].fill(byte);
        drop(resumed(&sealed(file)));
    }
}
