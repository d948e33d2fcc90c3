//! The identity of a run: a checkpoint of a run with other data or settings is refused.

use onebit_data::{Dataset, Samples, Split};
use serde_json::{Value, json};

use crate::training::trainer::Trainer;

/// Describes the data and settings of a run as JSON.
pub(crate) fn identity(trainer: &Trainer, parts: &Split) -> String {
    let Trainer { order, phases, keep, seed, .. } = trainer;
    let standardize = parts.standardize.mean().iter().chain(parts.standardize.scale());
    let data = json!({
        "train": fingerprint(&parts.train),
        "validation": parts.validation.as_ref().map(fingerprint),
        "test": parts.test.as_ref().map(fingerprint),
        "transform": checksum(standardize.map(|value| value.to_le_bytes())),
    });
    json!({ "seed": seed, "order": order, "keep": keep, "phase": phases, "data": data }).to_string()
}

fn fingerprint(data: &Dataset) -> Value {
    let samples = match data.samples() {
        Samples::Real { values, .. } => checksum(values.iter().map(|value| value.to_le_bytes())),
        Samples::Bytes { values, .. } => format!("{:08x}", crc32fast::hash(values)),
    };
    let labels = checksum(data.labels().iter().map(|label| label.to_le_bytes()));
    json!({
        "samples": data.len(),
        "features": data.features(),
        "classes": data.label_names(),
        "crc32": samples,
        "crc32_of_labels": labels,
    })
}

/// The CRC-32 of 4-byte numbers, in hexadecimal digits.
fn checksum(numbers: impl Iterator<Item = [u8; 4]>) -> String {
    let mut crc = crc32fast::Hasher::new();
    numbers.for_each(|bytes| crc.update(&bytes));
    format!("{:08x}", crc.finalize())
}
