//! Files with thermometers: what is written, and what is refused.

use onebit_bits::{BitTensor, Geometry, Pad, Padding};
use onebit_model::{Affine, Conv, Dense, Layer, Limits, Model, Output, Thermometer, Thresholds};

use super::forged::{F32, Forged, crc32};

/// Images of 3 x 2 pixels of 2 channels at 3 levels: a convolution over 6 channels, two classes.
pub(crate) fn model() -> Model {
    let bits = |rows, cols| BitTensor::from_fn(rows, cols, |r, c| (r + c) % 3 == 0);
    let thresholds = vec![-1.0, 0.0, 0.5, 0.25, 0.5, 1.25];
    let conv = Conv {
        geometry: Geometry { padding: Padding::around(1), pad: Pad::Minus, ..Geometry::new(6, 3, (3, 3)) },
        image: (3, 2),
        weights: bits(3, 54),
        pool: None,
        thresholds: Thresholds { limits: Limits::Integer(vec![0, 4, -2]), descending: bits(1, 3) },
    };
    let last = Dense { weights: bits(2, 18), output: Output::Scores(Affine::identity(2)) };
    let first = Layer::Thermometer(Thermometer { features: 12, channels: 2, thresholds });
    Model::new(12, vec![first, Layer::Conv(conv), Layer::Dense(last)], ["a", "b"].map(String::from).to_vec())
        .unwrap()
}

fn forged(change: impl FnOnce(&mut Forged)) -> String {
    let mut forged = Forged::from_sound(&model().to_bytes());
    change(&mut forged);
    Model::from_bytes(&forged.bytes()).unwrap_err().to_string()
}

#[test]
fn its_bytes_stay_what_they_are() {
    let bytes = model().to_bytes();
    assert_eq!(bytes[8..12], [3, 0, 0, 0]);
    assert_eq!(Model::from_bytes(&bytes).unwrap(), model());
    let file = Forged::from_sound(&bytes);
    assert_eq!(file.layers, [[5, 12, 2, 3], [4, 36, 3, 1], [3, 18, 2, 0]]);
    let table = &file.tensors[0];
    assert_eq!((&table.name[..], table.kind, table.rows, table.cols), (&b"0.thresholds"[..], F32, 3, 2));
    assert_eq!(format!("{} {:08x}", bytes.len(), crc32(&bytes)), "1738 dadce124");
}

/// So there is one file for each model, and old readers refuse what they do not know.
#[test]
fn thermometers_need_version_3_and_nothing_else_has_it() {
    for version in [1, 2] {
        let needs = "layer 0: a thermometer needs version 3 of the format";
        assert_eq!(forged(|f| f.version = version), needs);
    }
    assert_eq!(forged(|f| f.version = 4), "header: version 4 of the format, but no layer on bytes");
    let mut newer = Forged::from_sound(&super::tiny::bytes());
    newer.version = 3;
    let refused = Model::from_bytes(&newer.bytes()).unwrap_err().to_string();
    assert_eq!(refused, "header: version 3 of the format, but no thermometer");
}

#[test]
fn records_that_do_not_fit() {
    let table = |got: &str| format!("tensor `0.thresholds`: expected F32 of {got}, got F32 of 3 x 2");
    assert_eq!(forged(|f| f.layers[0][2] = 3), table("3 x 3"));
    assert_eq!(forged(|f| f.layers[0][2] = 0), table("3 x 0"));
    assert_eq!(forged(|f| f.layers[0][3] = 0), table("0 x 2"));
    assert_eq!(forged(|f| f.layers[0][3] = u32::MAX), table("4294967295 x 2"));
    assert_eq!(forged(|f| f.layers[0][1] = 14), "layer 0: inputs: expected 12, got 14");
    let nothing = "layer 0: thermometer needs a channel and a threshold";
    for (place, rows, cols) in [(3, 0, 2), (2, 3, 0)] {
        let refused = forged(|f| {
            f.layers[0][place] = 0;
            let table = f.tensor("0.thresholds");
            (table.rows, table.cols) = (rows, cols);
            table.data.clear();
        });
        assert_eq!(refused, nothing);
    }
    let channels = forged(|f| {
        f.layers[0][2..].copy_from_slice(&[5, 1]);
        let table = f.tensor("0.thresholds");
        (table.rows, table.cols) = (1, 5);
        table.data.truncate(20);
    });
    assert_eq!(channels, "layer 0: features (a multiple of the channels): expected 5, got 12");
    let infinite =
        forged(|f| f.tensor("0.thresholds").data[8..12].copy_from_slice(&f32::INFINITY.to_le_bytes()));
    assert_eq!(infinite, "layer 0: a threshold is not a finite number");
    let missing = forged(|f| f.tensors.retain(|t| t.name != b"0.thresholds"));
    assert_eq!(missing, "tensor `0.thresholds`: expected F32 of 3 x 2, got nothing");
}
