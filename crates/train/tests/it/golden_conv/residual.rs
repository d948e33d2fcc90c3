//! Residual blocks: sign, convolution and batch norm with a way around.

use onebit_bits::{Engine, Geometry, Pad, Padding, random_bits};
use onebit_train::{
    Matrix, Network, Result, Signal, Value,
    export::Exporter,
    layer::{Context, Layer, Parameters},
    layers::{BatchNorm, Conv, Dense, RealConv, Residual, Shortcut, Sign},
    optimizers::Adam,
    rules::Latent,
    state::{Item, State, Visitor},
    step::Order,
};
use serde_json::Value as Json;

use super::{case, check, check_pass, latent, pair, pass, real, sizes, table};
use crate::common::{golden::reals, training};

/// Where the images are, and how far the convolution steps.
fn walk(case: &Json) -> ((usize, usize), usize) {
    let ([_, h, w], [stride]) = (sizes(&case["image"]), sizes(&case["stride"]));
    ((h, w), stride)
}

fn body(case: &Json) -> Vec<Box<dyn Layer>> {
    let ((c_in, c_out), (image, stride)) = (pair(&case["channels"]), walk(case));
    let geometry = Geometry {
        stride: (stride, stride),
        padding: Padding::around(1),
        pad: Pad::Plus,
        ..Geometry::new(c_in, c_out, (3, 3))
    };
    let conv = Conv::new(geometry, image, latent(&case["w"]), 0).unwrap();
    let norm = BatchNorm::with_affine(reals(&case["gamma"]), reals(&case["beta"]));
    vec![Box::new(Sign::new()), Box::new(conv), Box::new(norm)]
}

fn subsample(case: &Json) -> Shortcut {
    let (image, stride) = walk(case);
    Shortcut::Subsample { image, stride, channels_out: pair(&case["channels"]).1 }
}

fn layers(case: &Json) -> Shortcut {
    let ((c_in, c_out), (image, stride)) = (pair(&case["channels"]), walk(case));
    let geometry = Geometry { stride: (stride, stride), ..Geometry::new(c_in, c_out, (1, 1)) };
    let conv = RealConv::new(geometry, image, Adam::new(), 0).unwrap();
    let conv = conv.with_weights(reals(&case["v"])).unwrap();
    Shortcut::Layers(vec![Box::new(conv), Box::new(BatchNorm::new(c_out))])
}

fn check_block(name: &str, shortcut: fn(&Json) -> Shortcut) -> Residual {
    let case = case(name);
    let mut block = Residual::new(body(&case), shortcut(&case)).unwrap();
    check_pass(name, &mut block, Value::Real(table(&case["x"])), &case);
    let conv = block.body()[1].downcast_ref::<Conv>().unwrap();
    check("dw", conv.weight_gradient(&training()).unwrap().values(), &case["dw"]);
    let norm = block.body()[2].downcast_ref::<BatchNorm>().unwrap().gradients().unwrap();
    check("dgamma", &norm.dgamma, &case["dgamma"]);
    check("dbeta", &norm.dbeta, &case["dbeta"]);
    if let Some(conv) = block.shortcut().first().and_then(|layer| layer.downcast_ref::<RealConv>()) {
        check("dv", conv.weight_gradient(&training()).unwrap().values(), &case["dv"]);
    }
    block
}

#[test]
fn identity() {
    let block = check_block("residual_identity", |_| Shortcut::Identity);
    assert_eq!(block.parameters(), Parameters { bits: 3 * 27, reals: 6 });
}

#[test]
fn subsampling() {
    check_block("residual_subsample", subsample);
}

#[test]
fn layers_in_the_shortcut() {
    let block = check_block("residual_layers", layers);
    assert_eq!(block.parameters(), Parameters { bits: 4 * 27, reals: 8 + 12 + 8 });
}

/// In evaluation the parts evaluate: with the batch's own statistics as the running ones, y is the same.
#[test]
fn evaluation() {
    let case = case("residual_layers");
    let mut block = Residual::new(body(&case), layers(&case)).unwrap();
    let x = || Value::Real(table(&case["x"]));
    block.forward(&training(), x()).unwrap();
    let y = real(block.forward(&Context::evaluate(&Engine::single()), x()).unwrap());
    check("y in evaluation", y.values(), &case["y"]);
}

#[derive(Default)]
struct Names(Vec<String>);

impl Visitor for Names {
    fn visit(&mut self, name: &str, _: Item) -> Result<()> {
        self.0.push(name.into());
        Ok(())
    }
}

#[test]
fn every_part_is_named() {
    let case = case("residual_layers");
    let block = Residual::new(body(&case), layers(&case)).unwrap();
    let mut net = Network::new(48).with(block);
    let mut names = Names::default();
    net.state(&mut State::new(&mut names)).unwrap();
    for name in
        ["0.body.1.bits", "0.body.2.gamma.values", "0.shortcut.0.weights.values", "0.shortcut.1.beta.m"]
    {
        assert!(names.0.iter().any(|it| it == name), "{name} in {:?}", names.0);
    }
    let observed: Vec<String> = net.observe().into_iter().map(|(name, _)| name).collect();
    let parts = ["sign", "conv", "batch_norm", "real_conv", "batch_norm"].map(|it| format!("residual.{it}"));
    assert_eq!(observed, [&["residual".to_string()][..], &parts].concat());
    let weights = net.labelled_weights();
    assert_eq!(weights.len(), 1);
    assert_eq!((weights[0].0.as_str(), weights[0].1.taps), ("0 residual.conv", 9));
}

/// A block in front, a block within: the net learns to tell the signs of a sum apart, in every order.
#[test]
fn learns_in_every_order() {
    for order in [Order::Parallel, Order::WeightFirst, Order::InputFirst] {
        let dense = |seed| Dense::new(16, 16, Box::new(Latent::new(Adam::new())), seed).unwrap();
        let block = |seed| {
            let body: Vec<Box<dyn Layer>> =
                vec![Box::new(Sign::new()), Box::new(dense(seed)), Box::new(BatchNorm::new(16))];
            Residual::new(body, Shortcut::Identity).unwrap()
        };
        let mut net = Network::new(16).with(block(1)).with(block(2)).with(BatchNorm::new(16));
        let (cx, bits) = (training(), random_bits(5, 0, 64, 16));
        let x = Matrix::new(64, 16, onebit_bits::unpack_signs(bits.view())).unwrap();
        // the target: the features turned round
        let target: Vec<f32> = x.values().iter().map(|x| -x).collect();
        let mut losses = Vec::new();
        for _ in 0..60 {
            let loss = net
                .step(&cx, Value::Real(x.clone()), order, 0.02, |y| {
                    let y = real(y);
                    let off: Vec<f32> = y.values().iter().zip(&target).map(|(y, t)| y - t).collect();
                    let loss = off.iter().map(|off| off * off).sum::<f32>();
                    Ok((loss, Signal::Grad(Matrix::new(64, 16, off)?)))
                })
                .unwrap();
            losses.push(loss);
        }
        assert!(losses[59] < 0.5 * losses[0], "{order:?}: {} to {}", losses[0], losses[59]);
        assert!(
            net.observe().iter().any(|(name, it)| name == "residual.dense" && it.update_ratio > Some(0.0))
        );
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    fn said<T>(result: Result<T>) -> String {
        result.err().expect("an error").to_string()
    }
    let (cx, case) = (training(), case("residual_subsample"));
    assert_eq!(
        said(Residual::new(Vec::new(), Shortcut::Identity)),
        "residual body: expected at least one layer, got 0"
    );
    let shortcut = |image, stride, channels_out| Shortcut::Subsample { image, stride, channels_out };
    let of = |shortcut| Residual::new(body(&case), shortcut);
    assert_eq!(said(of(shortcut((5, 4), 0, 5))), "pool: stride must be at least 1 x 1, got 0 x 0");
    assert_eq!(
        said(of(shortcut((0, 4), 2, 5))),
        "pool: a kernel of 1 x 1 does not fit into an image of 0 x 4"
    );
    let x = || Value::Real(table(&case["x"]));
    assert_eq!(
        said(of(shortcut((5, 4), 2, 2)).unwrap().forward(&cx, x())),
        "subsample: expected at most 2 channels, got 3"
    );
    assert_eq!(
        said(of(Shortcut::Identity).unwrap().forward(&cx, x())),
        "residual: expected a shortcut of 12 x 5, got 40 x 3"
    );
    let mut block = of(subsample(&case)).unwrap();
    let refused = block.export(&mut Exporter::default()).unwrap_err().to_string();
    assert!(refused.ends_with("the runtime has no shortcuts"), "{refused}");
    assert_eq!(said(block.send(&cx)), "sign: send needs a signal before it");
    assert_eq!(
        said(block.forward(&cx, Value::Bits(random_bits(0, 0, 40, 3)))),
        "residual takes real numbers, got bits"
    );
    pass(&mut block, &cx, x(), table(&case["dy"]));
    assert_eq!(
        said(block.receive(&cx, Signal::Flip(random_bits(0, 0, 12, 5)))),
        "residual takes a gradient, got flips"
    );
}
