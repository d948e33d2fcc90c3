//! A model can only be made of layers that fit together: every refusal.

use onebit_bits::{BitTensor, Geometry, Pad, Padding, Pool};
use onebit_model::{
    Affine, Binarize, Conv, Dense, Error, Layer, Limits, Model, Output, Standardize, Thermometer, Thresholds,
};

fn binarize(features: usize, thresholds: &[f32]) -> Layer {
    Layer::Binarize(Binarize { features, thresholds: thresholds.to_vec() })
}

/// Dense from `inputs` to `outputs`, to bits.
fn to_bits(inputs: usize, outputs: usize, limits: Limits) -> Layer {
    let output = Output::Bits(Thresholds { limits, descending: BitTensor::zeros(1, outputs) });
    Layer::Dense(Dense { weights: BitTensor::zeros(outputs, inputs), output })
}

fn integers(n: usize) -> Limits {
    Limits::Integer(vec![0; n])
}

fn reals(n: usize) -> Limits {
    Limits::Real(vec![0.0; n])
}

fn to_scores(inputs: usize, outputs: usize, affine: Affine) -> Layer {
    Layer::Dense(Dense { weights: BitTensor::zeros(outputs, inputs), output: Output::Scores(affine) })
}

/// The last layer of most networks here: `inputs` to two scores.
fn last(inputs: usize) -> Layer {
    to_scores(inputs, 2, Affine::identity(2))
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|index| index.to_string()).collect()
}

/// The message about a network over two features, with two labels.
fn refusal(layers: Vec<Layer>) -> String {
    Model::new(2, layers, names(2)).unwrap_err().to_string()
}

#[test]
fn networks_that_fit() {
    let networks = [
        vec![last(2)],
        vec![to_bits(2, 3, reals(9)), to_bits(9, 1, integers(1)), last(1)],
        vec![binarize(2, &[-0.5, 0.5]), to_bits(4, 3, integers(6)), last(6)],
        vec![to_bits(2, 1, Limits::Real(vec![f32::INFINITY])), last(1)],
    ];
    for layers in networks {
        let count = layers.len();
        let model = Model::new(2, layers, names(2)).unwrap();
        assert_eq!((model.inputs(), model.classes(), model.layers().len()), (2, 2, count));
    }
}

#[test]
fn sizes_that_do_not_fit() {
    assert_eq!(refusal(vec![last(3)]), "layer 0: inputs: expected 2, got 3");
    assert_eq!(refusal(vec![binarize(3, &[0.0]), last(3)]), "layer 0: inputs: expected 2, got 3");
    assert_eq!(refusal(vec![binarize(2, &[0.0, 1.0]), last(2)]), "layer 1: inputs: expected 4, got 2");
    let deep = to_bits(2, 3, reals(6));
    assert_eq!(refusal(vec![deep, last(3)]), "layer 1: inputs: expected 6, got 3");
    for limits in [0, 2, 4] {
        let message = format!("layer 0: limits (a multiple of the outputs): expected 3, got {limits}");
        assert_eq!(refusal(vec![to_bits(2, 3, reals(limits)), last(3)]), message);
    }
    for (length, what) in [([2, 3, 3], "mean"), ([3, 4, 3], "scale"), ([3, 3, 0], "shift")] {
        let [mean, scale, shift] = length.map(|n| vec![1.0; n]);
        let got = *length.iter().find(|&&n| n != 3).unwrap();
        let message = format!("layer 0: {what}: expected 3, got {got}");
        assert_eq!(refusal(vec![to_scores(2, 3, Affine { mean, scale, shift })]), message);
    }
}

#[test]
fn descending_must_be_one_row_of_units() {
    let with = |rows, cols| {
        let descending = BitTensor::zeros(rows, cols);
        let output = Output::Bits(Thresholds { limits: reals(3), descending });
        refusal(vec![Layer::Dense(Dense { weights: BitTensor::zeros(3, 2), output }), last(3)])
    };
    assert_eq!(with(3, 1), "layer 0: descending rows: expected 1, got 3");
    assert_eq!(with(1, 2), "layer 0: descending: expected 3, got 2");
}

#[test]
fn layers_out_of_place() {
    let missing = "the last layer must give scores";
    assert_eq!(refusal(vec![]), format!("layer 0: {missing}"));
    assert_eq!(refusal(vec![binarize(2, &[0.0])]), format!("layer 1: {missing}"));
    assert_eq!(refusal(vec![to_bits(2, 2, reals(2))]), format!("layer 1: {missing}"));
    let after = "layer 1: no layer can follow the one that gives the scores";
    assert_eq!(refusal(vec![last(2), last(2)]), after);
    let late = vec![to_bits(2, 2, reals(2)), binarize(2, &[0.0]), last(2)];
    assert_eq!(refusal(late), "layer 1: binarize can only be the first layer");
}

#[test]
fn limits_must_be_of_the_kind_of_the_sums() {
    let bytes = Model::new(2, vec![to_bits(2, 2, integers(2)), last(2)], names(2)).unwrap();
    assert!(bytes.takes_bytes(), "integer sums of what is no bits are those of bytes");
    let reals_first = Model::new(2, vec![to_bits(2, 2, reals(2)), last(2)], names(2)).unwrap();
    assert!(!reals_first.takes_bytes());
    let real = "layer 1: sums of bits need integer limits";
    assert_eq!(refusal(vec![binarize(2, &[0.0]), to_bits(2, 2, reals(2)), last(2)]), real);
    assert_eq!(refusal(vec![to_bits(2, 2, reals(2)), to_bits(2, 2, reals(2)), last(2)]), real);
}

#[test]
fn layers_without_substance() {
    assert_eq!(refusal(vec![binarize(2, &[]), last(0)]), "layer 0: binarize needs a threshold");
    let empty = "a dense layer needs at least one input and one output";
    assert_eq!(refusal(vec![to_scores(2, 0, Affine::identity(0))]), format!("layer 0: {empty}"));
    assert_eq!(refusal(vec![to_bits(2, 0, reals(0)), last(0)]), format!("layer 0: {empty}"));
    // Without features there is nothing to run on, whatever the first layer is.
    for layers in [vec![last(0)], vec![binarize(0, &[0.0]), last(0)]] {
        let message = format!("layer {}: {empty}", layers.len() - 1);
        assert_eq!(Model::new(0, layers, names(2)).unwrap_err().to_string(), message);
    }
}

#[test]
fn numbers_that_are_none() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let threshold = vec![binarize(2, &[0.0, bad]), last(4)];
        assert_eq!(refusal(threshold), "layer 0: a threshold is not a finite number");
        for which in 0..3 {
            let mut affine = Affine::identity(2);
            [&mut affine.mean, &mut affine.scale, &mut affine.shift][which][1] = bad;
            let message = "layer 0: mean, scale or shift is not a finite number";
            assert_eq!(refusal(vec![to_scores(2, 2, affine)]), message);
        }
        let [good, wrong] = [vec![1.0; 2], vec![0.0, bad]];
        let mean = Standardize { mean: wrong.clone(), scale: good.clone() };
        let scale = Standardize { mean: good, scale: wrong };
        for (standardize, what) in [(mean, "means"), (scale, "scales")] {
            let model = Model::new(2, vec![last(2)], names(2)).unwrap();
            let message = format!("standardization {what}, feature 1: expected a finite number, got {bad}");
            assert_eq!(model.with_standardize(standardize).unwrap_err().to_string(), message);
        }
    }
    let limit = vec![to_bits(2, 2, Limits::Real(vec![0.0, f32::NAN])), last(2)];
    assert_eq!(refusal(limit), "layer 0: a limit is not a number");
}

#[test]
fn words_around_the_layers() {
    let model = || Model::new(2, vec![last(2)], names(2)).unwrap();
    let labels = Model::new(2, vec![last(2)], names(3)).unwrap_err();
    assert!(matches!(labels, Error::Description { what: "labels", expected: 2, got: 3 }), "{labels:?}");
    assert_eq!(labels.to_string(), "labels: expected 2, got 3");
    let features = model().with_features(names(1)).unwrap_err();
    assert_eq!(features.to_string(), "feature names: expected 2, got 1");
    assert_eq!(model().with_features(names(2)).unwrap().features(), names(2));
    assert_eq!(model().with_features(Vec::new()).unwrap().features(), names(0));
    let [short, fit] = [1, 2].map(|n| vec![1.0; n]);
    let means = Standardize { mean: short.clone(), scale: fit.clone() };
    let message = model().with_standardize(means).unwrap_err().to_string();
    assert_eq!(message, "standardization means: expected 2, got 1");
    let scales = Standardize { mean: fit, scale: short };
    let message = model().with_standardize(scales).unwrap_err().to_string();
    assert_eq!(message, "standardization scales: expected 2, got 1");
}

#[test]
fn thermometers() {
    let thermometer = |features, channels, thresholds: &[f32]| {
        Layer::Thermometer(Thermometer { features, channels, thresholds: thresholds.to_vec() })
    };
    // of features, and of two pixels
    for (channels, thresholds) in [(2, vec![0.0; 4]), (1, vec![0.0; 2])] {
        let layer = thermometer(2, channels, &thresholds);
        assert_eq!(
            (layer.name(), layer.inputs(), layer.outputs(), layer.weights()),
            ("thermometer", 2, 4, 0)
        );
        assert!(Model::new(2, vec![layer, last(4)], names(2)).is_ok());
    }
    let first = |layer| refusal(vec![layer, last(2)]);
    assert_eq!(first(thermometer(3, 1, &[0.0])), "layer 0: inputs: expected 2, got 3");
    for layer in [thermometer(2, 0, &[0.0]), thermometer(2, 0, &[]), thermometer(2, 2, &[])] {
        assert_eq!(first(layer), "layer 0: thermometer needs a channel and a threshold");
    }
    let channels = "layer 0: features (a multiple of the channels): expected 3, got 2";
    assert_eq!(first(thermometer(2, 3, &[0.0; 3])), channels);
    let table = "layer 0: thresholds (a multiple of the channels): expected 2, got 3";
    assert_eq!(first(thermometer(2, 2, &[0.0; 3])), table);
    assert_eq!(first(thermometer(2, 2, &[0.0; 4])), "layer 1: inputs: expected 4, got 2");
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let message = "layer 0: a threshold is not a finite number";
        assert_eq!(first(thermometer(2, 2, &[0.0, bad])), message);
    }
    let late = vec![binarize(2, &[0.0]), thermometer(2, 2, &[0.0; 2]), last(2)];
    assert_eq!(refusal(late), "layer 1: thermometer can only be the first layer");
}

/// Over images of 2 x 1 pixels of one channel, which are the two features here.
fn conv(limits: Limits) -> Conv {
    Conv {
        geometry: Geometry::new(1, 3, (2, 1)),
        image: (2, 1),
        weights: BitTensor::zeros(3, 2),
        pool: None,
        thresholds: Thresholds { limits, descending: BitTensor::zeros(1, 3) },
    }
}

#[test]
fn convolutions_that_fit() {
    let on_bits = vec![binarize(2, &[0.0]), Layer::Conv(conv(integers(3))), last(3)];
    let deep =
        vec![binarize(2, &[0.0, 1.0]), Layer::Conv(Conv { image: (4, 1), ..conv(integers(3)) }), last(9)];
    let after_dense = vec![to_bits(2, 2, reals(2)), Layer::Conv(conv(integers(3))), last(3)];
    for layers in [vec![Layer::Conv(conv(reals(3))), last(3)], on_bits, deep, after_dense] {
        assert!(Model::new(2, layers.clone(), names(2)).is_ok(), "{layers:?}");
    }
    let layer = Layer::Conv(conv(reals(3)));
    assert_eq!((layer.name(), layer.inputs(), layer.outputs(), layer.weights()), ("conv", 2, 3, 6));
    let small = Layer::Conv(Conv { image: (1, 1), ..conv(reals(3)) });
    assert_eq!((small.inputs(), small.outputs()), (1, 0));
}

#[test]
fn convolutions_that_do_not_fit() {
    let refused = |change: &dyn Fn(&mut Conv)| {
        let mut conv = conv(reals(3));
        change(&mut conv);
        refusal(vec![Layer::Conv(conv), last(3)])
    };
    let nothing = "layer 0: a convolution needs at least one pixel, one input and one output channel";
    let around = Padding { top: 1, bottom: 1, ..Padding::default() };
    for (message, expected) in [
        (refused(&|c| c.image = (3, 1)), "layer 0: inputs: expected 2, got 3"),
        (
            refused(&|c| c.image = (1, 2)),
            "layer 0: conv: a kernel of 2 x 1 does not fit into an image of 1 x 2",
        ),
        (refused(&|c| c.weights = BitTensor::zeros(2, 2)), "layer 0: weights rows: expected 3, got 2"),
        (refused(&|c| c.weights = BitTensor::zeros(3, 3)), "layer 0: weights columns: expected 2, got 3"),
        (refused(&|c| c.thresholds.limits = reals(6)), "layer 0: limits: expected 3, got 6"),
        (
            refused(&|c| c.thresholds.limits = Limits::Real(vec![0.0, f32::NAN, 0.0])),
            "layer 0: a limit is not a number",
        ),
        (
            refused(&|c| c.thresholds.descending = BitTensor::zeros(1, 2)),
            "layer 0: descending: expected 3, got 2",
        ),
        (
            refused(&|c| c.thresholds.descending = BitTensor::zeros(2, 3)),
            "layer 0: descending rows: expected 1, got 2",
        ),
        (refused(&|c| c.geometry.c_out = 0), nothing),
        (
            refused(&|c| c.geometry.pad = Pad::Plus),
            "layer 0: images of real numbers or bytes can only be padded with zeros",
        ),
        (refused(&|c| c.geometry.padding.left = 1), "layer 0: the padding must be smaller than the kernel"),
        (refused(&|c| c.geometry.padding.top = 2), "layer 0: the padding must be smaller than the kernel"),
        (refused(&|c| c.geometry.stride.0 = usize::MAX), "layer 0: a stride is more than 2^24 pixels"),
        (
            refused(&|c| c.pool = Some(Pool { kernel: (2, 1), stride: (1, 1) })),
            "layer 0: pool: a kernel of 2 x 1 does not fit into an image of 1 x 1",
        ),
        (
            refused(&|c| c.pool = Some(Pool { kernel: (1, 1), stride: (1, usize::MAX) })),
            "layer 0: a stride is more than 2^24 pixels",
        ),
        (refused(&|c| c.geometry.padding = around), "layer 1: inputs: expected 9, got 3"),
        (refusal(vec![Layer::Conv(conv(reals(3)))]), "layer 1: the last layer must give scores"),
        (
            refusal(vec![binarize(2, &[0.0]), Layer::Conv(conv(reals(3))), last(3)]),
            "layer 1: sums of bits need integer limits",
        ),
    ] {
        assert_eq!(message, expected);
    }
    let empty = Conv {
        image: (0, 1),
        geometry: Geometry { padding: around, ..conv(reals(3)).geometry },
        ..conv(reals(3))
    };
    assert_eq!(Model::new(0, vec![Layer::Conv(empty), last(3)], names(2)).unwrap_err().to_string(), nothing);
    let wide = Conv { geometry: Geometry { c_in: 1 << 20, ..Geometry::new(1, 3, (2, 1)) }, ..conv(reals(3)) };
    let message = Model::new(1 << 21, vec![Layer::Conv(wide), last(3)], names(2)).unwrap_err().to_string();
    assert_eq!(message, "layer 0: an output channel has more than 2^20 weights");
}
