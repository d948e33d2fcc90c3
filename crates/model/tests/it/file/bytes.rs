//! Files whose first layer takes bytes, and what files are predicted to take.

use onebit_bits::{BitTensor, Geometry, Padding};
use onebit_model::{Affine, Conv, Dense, Layer, Limits, MOST_BYTES, Model, Output, Thresholds};

use super::forged::{Forged, crc32};

fn bits(rows: usize, cols: usize) -> BitTensor {
    BitTensor::from_fn(rows, cols, |r, c| (r + c) % 3 == 0)
}

fn thresholds(limits: &[i32]) -> Thresholds {
    Thresholds { limits: Limits::Integer(limits.to_vec()), descending: bits(1, limits.len()) }
}

/// Six bytes: a dense layer on them, or a convolution of 3 x 2 pixels; then two classes.
pub(crate) fn models() -> [Model; 2] {
    let dense = Dense { weights: bits(3, 6), output: Output::Bits(thresholds(&[0, 4, -2])) };
    let conv = Conv {
        geometry: Geometry { padding: Padding::around(1), ..Geometry::new(1, 3, (3, 3)) },
        image: (3, 2),
        weights: bits(3, 9),
        pool: None,
        thresholds: thresholds(&[0, 400, -2]),
    };
    [(Layer::Dense(dense), 3), (Layer::Conv(conv), 18)].map(|(first, columns)| {
        let last = Dense { weights: bits(2, columns), output: Output::Scores(Affine::identity(2)) };
        Model::new(6, vec![first, Layer::Dense(last)], ["a", "b"].map(String::from).to_vec()).unwrap()
    })
}

#[test]
fn their_bytes_stay_what_they_are() {
    for ((model, kind), sum) in models().into_iter().zip([6, 7]).zip(["1354 5c63b7c8", "1546 97712d1c"]) {
        let bytes = model.to_bytes();
        assert_eq!(bytes[8..12], [4, 0, 0, 0]);
        assert_eq!(Model::from_bytes(&bytes).unwrap(), model);
        assert_eq!(Forged::from_sound(&bytes).layers[0], [kind, 6, 3, 1]);
        assert_eq!(format!("{} {:08x}", bytes.len(), crc32(&bytes)), sum);
        assert_eq!(model.size().total, bytes.len());
    }
}

#[test]
fn layers_on_bytes_need_version_4_and_are_the_first() {
    for model in models() {
        let forged = |change: &dyn Fn(&mut Forged)| {
            let mut forged = Forged::from_sound(&model.to_bytes());
            change(&mut forged);
            Model::from_bytes(&forged.bytes()).unwrap_err().to_string()
        };
        for version in [1, 2, 3] {
            let needs = "layer 0: a layer on bytes needs version 4 of the format";
            assert_eq!(forged(&|f| f.version = version), needs);
        }
        assert_eq!(forged(&|f| f.layers[1][0] = 6), "layer 1: only the first layer takes bytes");
    }
}

#[test]
fn more_bytes_than_are_exact() {
    let n = MOST_BYTES + 1;
    let dense = Dense { weights: bits(1, n), output: Output::Bits(thresholds(&[0])) };
    let last = Dense { weights: bits(2, 1), output: Output::Scores(Affine::identity(2)) };
    let labels = ["a", "b"].map(String::from).to_vec();
    let refused = Model::new(n, vec![Layer::Dense(dense), Layer::Dense(last)], labels).unwrap_err();
    assert_eq!(refused.to_string(), "layer 0: a unit has more than 65793 bytes as inputs");
}
