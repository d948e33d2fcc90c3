//! Event files for TensorBoard, with scalars and histograms.
//!
//! A file is a sequence of TFRecords: length, checksum of the length, a protocol buffer `Event`, checksum of
//! the event. The checksums are CRC-32C, rotated and offset.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    time::SystemTime,
};

use prost::Message;

use crate::{
    error::Result,
    experiment::record::{Line, folder::run_error},
    training::inspect::Histogram,
};

/// The fields of `tensorflow.Event` that are used here.
#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "7")]
    session_log: Option<SessionLog>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
    #[prost(message, optional, tag = "5")]
    histo: Option<HistogramProto>,
}

#[derive(Clone, PartialEq, Message)]
struct HistogramProto {
    #[prost(double, tag = "1")]
    min: f64,
    #[prost(double, tag = "2")]
    max: f64,
    #[prost(double, tag = "3")]
    num: f64,
    #[prost(double, tag = "4")]
    sum: f64,
    #[prost(double, tag = "5")]
    sum_squares: f64,
    #[prost(double, repeated, tag = "6")]
    bucket_limit: Vec<f64>,
    #[prost(double, repeated, tag = "7")]
    bucket: Vec<f64>,
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    /// 1 discards events of later steps in earlier files.
    #[prost(int32, tag = "1")]
    status: i32,
}

/// Writes an event file.
pub(crate) struct TensorBoard {
    file: BufWriter<File>,
}

impl TensorBoard {
    /// Creates an event file in `folder` for a run with `steps` finished steps.
    pub(crate) fn create(folder: &Path, steps: u64) -> Result<Self> {
        let now = seconds();
        let name = format!("events.out.tfevents.{:010}.onebit.{}.{steps}", now as u64, std::process::id());
        let path = folder.join(name);
        let file = File::create(&path).map_err(|e| run_error(&path, e.to_string()))?;
        let mut this = Self { file: BufWriter::new(file) };
        let version =
            Event { wall_time: now, file_version: Some("brain.Event:2".into()), ..Event::default() };
        let resumed = (steps > 0).then(|| Event {
            wall_time: now,
            step: steps as i64 + 1,
            session_log: Some(SessionLog { status: 1 }),
            ..Event::default()
        });
        for event in std::iter::once(version).chain(resumed) {
            this.put(&event).map_err(|e| run_error(&path, e.to_string()))?;
        }
        Ok(this)
    }

    /// Writes a line of metrics.
    pub(crate) fn write(&mut self, line: &Line) -> std::io::Result<()> {
        let summary = Some(Summary { value: values(line) });
        self.put(&Event { wall_time: seconds(), step: line.step() as i64, summary, ..Event::default() })?;
        match line {
            Line::Epoch(_) => self.file.flush(),
            Line::Step(_) => Ok(()),
        }
    }

    /// Writes a record.
    fn put(&mut self, event: &Event) -> std::io::Result<()> {
        let data = event.encode_to_vec();
        let length = (data.len() as u64).to_le_bytes();
        self.file.write_all(&length)?;
        self.file.write_all(&checksum(&length).to_le_bytes())?;
        self.file.write_all(&data)?;
        self.file.write_all(&checksum(&data).to_le_bytes())
    }
}

/// Returns the scalars and histograms of a line.
fn values(line: &Line) -> Vec<Value> {
    let mut all = Vec::new();
    match line {
        Line::Step(line) => {
            let report = &line.report;
            scalar(&mut all, "step/loss", Some(report.loss));
            scalar(&mut all, "step/accuracy", Some(report.accuracy));
            for layer in &report.layers {
                let tag = |what: &str| format!("{}/{what}", tag_of(&layer.layer));
                scalar(&mut all, &tag("flip_ratio"), layer.flip_ratio);
                scalar(&mut all, &tag("constant_bits"), layer.bits.as_ref().map(|bits| bits.constant));
                histogram(&mut all, tag("output"), layer.output.as_ref());
                histogram(&mut all, tag("gradient"), layer.gradient.as_ref());
                let means = layer.bits.as_ref().map(|bits| Histogram::of(&bits.features));
                histogram(&mut all, tag("mean_of_bits"), means.as_ref());
                if let Some(inertia) = &layer.inertia {
                    histogram(&mut all, tag(&tag_of(&inertia.name)), Some(&inertia.histogram));
                }
            }
        }
        Line::Epoch(line) => {
            scalar(&mut all, "loss/train", Some(line.loss));
            scalar(&mut all, "loss/validation", line.validation_loss);
            scalar(&mut all, "loss/test", line.test_loss);
            scalar(&mut all, "accuracy/train", Some(line.train_accuracy));
            scalar(&mut all, "accuracy/validation", line.validation_accuracy);
            scalar(&mut all, "accuracy/test", line.test_accuracy);
            scalar(&mut all, "run/rate", Some(line.rate));
            scalar(&mut all, "run/epoch", Some(line.epoch as f64));
            scalar(&mut all, "run/samples_per_second", Some(line.samples_per_second));
            for layer in &line.layers {
                let o = layer.measures;
                let tag = |what: &str| format!("{}/epoch_{what}", tag_of(&layer.layer));
                scalar(&mut all, &tag("flip_ratio"), o.flip_ratio);
                scalar(&mut all, &tag("update_ratio"), o.update_ratio);
                scalar(&mut all, &tag("dead_weights"), o.dead_weights);
                scalar(&mut all, &tag("mean_of_bits"), o.mean_of_bits);
            }
        }
    }
    all
}

/// Replaces spaces and slashes in a name, because TensorBoard groups tags by slashes.
fn tag_of(name: &str) -> String {
    name.replace([' ', '/'], "_")
}

fn scalar(all: &mut Vec<Value>, tag: &str, value: Option<f64>) {
    all.extend(value.map(|value| Value { tag: tag.into(), simple_value: Some(value as f32), histo: None }));
}

fn histogram(all: &mut Vec<Value>, tag: String, of: Option<&Histogram>) {
    let Some(h) = of.filter(|h| !h.counts.is_empty()) else { return };
    let num = h.total() as f64;
    let mean = f64::from(h.mean);
    let deviation = f64::from(h.deviation);
    let histo = HistogramProto {
        min: h.min.into(),
        max: h.max.into(),
        num,
        sum: num * mean,
        sum_squares: num * (deviation * deviation + mean * mean),
        bucket_limit: h.bins().map(|(_, high, _)| high).collect(),
        bucket: h.bins().map(|(_, _, count)| count.into()).collect(),
    };
    all.push(Value { tag, simple_value: None, histo: Some(histo) });
}

/// Returns TensorFlow's masked CRC-32C.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Returns the seconds since 1970.
fn seconds() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{experiment::record::StepLine, training::inspect::StepReport};

    /// Splits a file into its events and checks every checksum.
    fn events(bytes: &[u8]) -> Vec<Event> {
        let (mut rest, mut all) = (bytes, Vec::new());
        while !rest.is_empty() {
            let (length, tail) = rest.split_at(8);
            let n = u64::from_le_bytes(length.try_into().unwrap()) as usize;
            let word = |at: usize| u32::from_le_bytes(tail[at..at + 4].try_into().unwrap());
            assert_eq!((word(0), word(4 + n)), (checksum(length), checksum(&tail[4..4 + n])));
            all.push(Event::decode(&tail[4..4 + n]).unwrap());
            rest = &tail[8 + n..];
        }
        all
    }

    #[test]
    fn the_checksum_is_tensorflows() {
        // RFC 3720: 32 zero bytes have the CRC-32C 0x8a9136aa
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8));
    }

    #[test]
    fn lines_become_events() {
        let folder = tempfile::tempdir().unwrap();
        let mut board = TensorBoard::create(folder.path(), 7).unwrap();
        let layer = crate::training::inspect::LayerReport {
            layer: "1 bmab".into(),
            gradient: Some(Histogram::of(&[-1.0, 0.0, 1.0, 1.0])),
            ..Default::default()
        };
        let report = StepReport {
            step: 8,
            epoch: 1,
            phase: 1,
            rate: 1.0,
            loss: 0.5,
            accuracy: 0.75,
            layers: vec![layer],
        };
        board.write(&Line::Step(StepLine { seconds: 1.0, report })).unwrap();
        board.file.flush().unwrap();
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
        assert!(file.file_name().to_str().unwrap().starts_with("events.out.tfevents."));
        let events = events(&std::fs::read(file.path()).unwrap());
        assert_eq!(events[0].file_version.as_deref(), Some("brain.Event:2"));
        assert_eq!((events[1].step, events[1].session_log.as_ref().unwrap().status), (8, 1));
        let values = &events[2].summary.as_ref().unwrap().value;
        assert_eq!((values[0].tag.as_str(), values[0].simple_value), ("step/loss", Some(0.5)));
        let histo = values[2].histo.as_ref().unwrap();
        assert_eq!((values[2].tag.as_str(), histo.num, histo.sum), ("1_bmab/gradient", 4.0, 1.0));
        assert!((histo.sum_squares - 3.0).abs() < 1e-6, "{histo:?}");
        assert_eq!(histo.bucket.iter().sum::<f64>(), 4.0);
        assert_eq!(histo.bucket_limit.len(), histo.bucket.len());
    }
}
