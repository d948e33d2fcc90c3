//! What cannot be deployed is refused, with the layer and the reason.

use onebit_bits::{Engine, Geometry, Pool};
use onebit_train::{
    Error, Matrix, Network, Result, Signal, Value,
    data::{Dataset, Samples, Standardize},
    layer::{Context, Layer},
    layers::{
        BatchNorm, Binarize, Bma, Bmab, Conv, Dense, Dropout, Flatten, MaxPool, Sign, Thermometer, Unflatten,
        XnorWeight,
    },
    optimizers::Adam,
    rules::{Latent, Vote},
    state::State,
};

/// The message about a network over four features and two classes.
fn refusal(net: Network) -> String {
    let samples = Samples::Real { cols: 4, values: vec![0.0; 8] };
    let data = Dataset::new(samples, vec![0, 1], ["a", "b"].map(String::from).to_vec(), vec![]).unwrap();
    net.export(&data, &Standardize::uniform(0.0, 1.0, 4)).unwrap_err().to_string()
}

fn dense(inputs: usize, outputs: usize) -> Dense {
    Dense::new(inputs, outputs, Box::new(Latent::new(Adam::new())), 0).unwrap()
}

/// A batch norm that has seen data.
fn seasoned(units: usize) -> BatchNorm {
    let mut norm = BatchNorm::new(units);
    norm.forward(&Context::train(&Engine::single()), Value::Real(Matrix::zeros(2, units))).unwrap();
    norm
}

fn binarize() -> Binarize {
    Binarize::new(4, vec![0.0]).unwrap()
}

#[test]
fn layers_without_a_counterpart() {
    let xnor = XnorWeight::new(4, 2, 1, Box::new(Vote::new()), 0).unwrap();
    let message = refusal(Network::new(4).with(binarize()).with(xnor));
    assert_eq!(message, "layer 1 (xnor_weight) cannot be exported: it has no counterpart in the runtime");
    let message = refusal(Network::new(4).with(dense(4, 4)).with(Sign::new()).with(Negate).with(dense(4, 2)));
    assert_eq!(message, "layer 2 (negate) cannot be exported: it has no counterpart in the runtime");
}

/// A layer from outside that says nothing about its export.
struct Negate;

impl Layer for Negate {
    fn name(&self) -> &'static str {
        "negate"
    }

    fn forward(&mut self, _cx: &Context, x: Value) -> Result<Value> {
        Ok(Value::Bits(x.into_bits("negate")?.not()))
    }

    fn receive(&mut self, _cx: &Context, _signal: Signal) -> Result<()> {
        Ok(())
    }

    fn send(&mut self, _cx: &Context) -> Result<Signal> {
        Err(Error::Sequence { layer: "negate", verb: "send", needs: "signal" })
    }

    fn state(&mut self, _: &mut State) -> Result<()> {
        Ok(())
    }
}

#[test]
fn layers_out_of_place() {
    let bma = |inputs| Bma::new(inputs, 2, 1, Box::new(Vote::new()), 0).unwrap();
    let bmab = || Bmab::new(4, 4, 1, &[0.0], Box::new(Vote::new()), 0).unwrap();
    let net = || Network::new(4);
    let no_sign = [
        (1, "dense", net().with(dense(4, 4)).with(dense(4, 2))),
        (
            3,
            "dense",
            net().with(dense(4, 4)).with(seasoned(4)).with(Dropout::new(0.5, 0).unwrap()).with(dense(4, 2)),
        ),
        (1, "bma", net().with(dense(4, 4)).with(bma(4))),
        (1, "bmab", net().with(dense(4, 4)).with(bmab())),
    ];
    for (index, name, net) in no_sign {
        let reason = "no sign stands between it and the previous product";
        assert_eq!(refusal(net), format!("layer {index} ({name}) cannot be exported: {reason}"));
    }
    let nothing_to_sign = [
        (1, net().with(binarize()).with(Sign::new())),
        (2, net().with(binarize()).with(bmab()).with(Sign::new())),
    ];
    for (index, net) in nothing_to_sign {
        let reason = "no product with binary weights comes earlier";
        assert_eq!(refusal(net), format!("layer {index} (sign) cannot be exported: {reason}"));
    }
    let once = "scores are scaled more than once, the runtime does so once";
    for (index, net, reason) in [
        (0, net().with(seasoned(4)), "the runtime has it only after a product with binary weights"),
        (2, net().with(dense(4, 2)).with(seasoned(2)).with(seasoned(2)), once),
        (1, net().with(bma(4)).with(seasoned(2)), once),
        (
            1,
            net().with(dense(4, 2)).with(seasoned(3)),
            "it does not have a number for each unit of the previous product",
        ),
    ] {
        assert_eq!(refusal(net), format!("layer {index} (batch_norm) cannot be exported: {reason}"));
    }
    let thermometer = || Thermometer::new(Matrix::zeros(1, 4)).unwrap();
    for (name, net) in [
        ("binarize", net().with(binarize()).with(binarize())),
        ("binarize", net().with(dense(4, 4)).with(binarize())),
        ("thermometer", net().with(binarize()).with(thermometer())),
        ("thermometer", net().with(dense(4, 4)).with(thermometer())),
    ] {
        let reason = "the runtime has it only as the first layer";
        assert_eq!(refusal(net), format!("layer 1 ({name}) cannot be exported: {reason}"));
    }
}

#[test]
fn convolutions_out_of_place() {
    let conv = || {
        let rule = Box::new(Latent::new(Adam::new()));
        Conv::new(Geometry::new(1, 2, (1, 2)), (2, 2), rule, 0).unwrap()
    };
    let pool = || MaxPool::new(Pool { kernel: (2, 1), stride: (2, 1) }, (2, 1)).unwrap();
    let net = || Network::new(4).with(Unflatten::new(4));
    let no_sign = "no sign stands between it and the previous product";
    let no_conv = "the runtime has it only right after a convolution";
    let scores = "the scores come from a convolution, and the runtime takes them only from a dense layer";
    for (layer, net, reason) in [
        ("2 (conv)", net().with(conv()).with(conv()), no_sign),
        ("2 (flatten)", net().with(conv()).with(Flatten::new(2)), no_sign),
        ("2 (dense)", net().with(conv()).with(dense(4, 2)), no_sign),
        ("1 (max_pool)", net().with(pool()), no_conv),
        ("2 (max_pool)", net().with(dense(4, 2)).with(pool()), no_conv),
        ("3 (max_pool)", net().with(conv()).with(pool()).with(pool()), no_conv),
        ("3 (max_pool)", net().with(conv()).with(seasoned(2)).with(pool()), no_conv),
        ("3 (max_pool)", net().with(conv()).with(Sign::new()).with(pool()), no_conv),
        ("1 (conv)", net().with(conv()), scores),
        ("2 (batch_norm)", net().with(conv()).with(seasoned(2)), scores),
    ] {
        assert_eq!(refusal(net), format!("layer {layer} cannot be exported: {reason}"));
    }
}

#[test]
fn a_norm_that_has_seen_nothing() {
    let message = refusal(Network::new(4).with(dense(4, 2)).with(BatchNorm::new(2)));
    assert_eq!(message, "layer 1 (batch_norm) cannot be exported: it has not been trained");
}

#[test]
fn networks_that_the_runtime_refuses() {
    let bmab = Bmab::new(4, 4, 1, &[0.0], Box::new(Vote::new()), 0).unwrap();
    assert_eq!(
        refusal(Network::new(4).with(bmab).with(dense(4, 2))),
        "layer 0 (bmab) cannot be exported: the inputs of its product are not bits"
    );
    let signs = Network::new(4).with(dense(4, 2)).with(Sign::new());
    assert_eq!(refusal(signs), "layer 1: the last layer must give scores");
    assert_eq!(refusal(Network::new(4).with(dense(4, 3))), "labels: expected 3, got 2");
    assert_eq!(refusal(Network::new(3).with(dense(4, 2))), "layer 0: inputs: expected 3, got 4");
}
