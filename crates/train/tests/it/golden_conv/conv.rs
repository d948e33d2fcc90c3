//! The binary convolution.

use onebit_bits::{Engine, Geometry, Isa, Pad, Padding, random_bits, unpack_signs};
use onebit_train::{
    ByteScale, Bytes, Matrix, Precision, Signal, Value,
    layer::{Context, Layer},
    layers::Conv,
    optimizers::Adam,
    rules::Latent,
};
use serde_json::Value as Json;

use super::{case, cases, check, check_pass, geometry, latent, pass, pixels, table};
use crate::common::{close::assert_close, golden::numbers, signs, training};

fn conv(case: &Json, geometry: Geometry) -> Conv {
    let conv = Conv::new(geometry, super::geometry(case).1, latent(&case["w"]), 0).unwrap();
    assert_eq!(conv.weights(), &signs(&table(&case["w"])));
    conv
}

#[test]
fn convolutions() {
    for (name, case) in cases("conv", 12) {
        let (geometry, _) = geometry(&case);
        let mut layer = conv(&case, geometry);
        check_pass(&name, &mut layer, pixels(&case), &case);
        check(&format!("{name}: dw"), layer.weight_gradient(&training()).unwrap().values(), &case["dw"]);
    }
}

/// Whatever counts around an image of bits.
#[test]
fn around_a_real_image_is_0() {
    let case = case("conv_10");
    let (geometry, _) = geometry(&case);
    assert!(geometry.padding == Padding::around(1) && case["real"] == true);
    for pad in [Pad::Plus, Pad::Minus, Pad::Zero] {
        check_pass("pad", &mut conv(&case, Geometry { pad, ..geometry }), pixels(&case), &case);
    }
}

/// x = (byte - 128) / 256, so what lies around counts as byte 128.
#[test]
fn bytes_are_the_numbers_that_they_stand_for() {
    let case = case("conv_10");
    let (cx, (geometry, _)) = (training(), geometry(&case));
    let (rows, cols) = table(&case["x"]).shape();
    let bytes: Vec<u8> = (0..rows * cols).map(|at| (at * 37 % 256) as u8).collect();
    let x = Bytes::new(rows, cols, bytes, ByteScale::new(128.0, 1.0 / 256.0)).unwrap();
    let [mut of_bytes, mut of_reals] = [(); 2].map(|()| conv(&case, geometry));
    let reals = pass(&mut of_reals, &cx, Value::Real(x.to_real()), table(&case["dy"]));
    assert_eq!(pass(&mut of_bytes, &cx, Value::Bytes(x), table(&case["dy"])), reals);
    assert_eq!(of_bytes.weight_gradient(&cx).unwrap(), of_reals.weight_gradient(&cx).unwrap());
}

/// A rounded gradient is right in expectation: over many steps the mean comes close, and a step is off by at
/// most one 127th of the largest of its row for each term.
#[test]
fn convolutions_in_8_bits() {
    const STEPS: usize = 400;
    for name in ["conv_2", "conv_7"] {
        let case = case(name);
        let (cx, dy, (geometry, _)) = (training(), table(&case["dy"]), geometry(&case));
        let mut layer = conv(&case, geometry).with_precision(Precision::Int8);
        let expected = [numbers(&case["dx"]), numbers(&case["dw"])];
        let mut sums = [vec![0.0; expected[0].len()], vec![0.0; expected[1].len()]];
        let largest = dy.values().iter().fold(0.0f32, |top, dy| top.max(dy.abs()));
        let terms = [geometry.kernel.0 * geometry.kernel.1 * geometry.c_out, dy.rows()];
        let mut rounded = false;
        for _ in 0..STEPS {
            let dx = pass(&mut layer, &cx, pixels(&case), dy.clone()).1;
            let dw = layer.weight_gradient(&cx).unwrap();
            for (((got, expected), sums), terms) in [dx, dw].iter().zip(&expected).zip(&mut sums).zip(terms) {
                let most = terms as f64 * f64::from(largest) / 127.0;
                assert_close(name, got.values(), expected, |_, _| most);
                sums.iter_mut().zip(got.values()).for_each(|(sum, got)| *sum += got);
                let off = |(got, expected): (&f32, &f64)| (f64::from(*got) - expected).abs() > 1e-4;
                rounded |= got.values().iter().zip(expected).any(off);
            }
        }
        assert!(rounded, "{name}: nothing was rounded");
        for ((sums, expected), terms) in sums.iter().zip(&expected).zip(terms) {
            let mean: Vec<f32> = sums.iter().map(|sum| sum / STEPS as f32).collect();
            // a rounding's deviation is at most half a step; five deviations of the mean of all
            let deviation = f64::from(largest) / 127.0 / 2.0 * (terms as f64 / STEPS as f64).sqrt();
            assert_close(name, &mean, expected, |_, _| 5.0 * deviation);
        }
    }
}

/// The weights that a layer has packed are packed again for another instruction set, and after an update.
#[test]
fn convolutions_do_not_depend_on_the_engine() {
    for name in ["conv_2", "conv_6", "conv_10"] {
        let (case, mut first) = (case(name), None);
        let mut layer = conv(&case, geometry(&case).0);
        for isa in Isa::available().into_iter().chain([Isa::best()]) {
            for threads in [1, 2] {
                let cx = Context::train(&Engine::new(threads).unwrap().with_isa(isa));
                let results = (
                    pass(&mut layer, &cx, pixels(&case), table(&case["dy"])),
                    layer.weight_gradient(&cx).unwrap(),
                );
                assert_eq!(
                    &results,
                    first.get_or_insert_with(|| results.clone()),
                    "{name} on {}",
                    isa.name()
                );
            }
        }
        let cx = training();
        let before = layer.weights().clone();
        (0..3).for_each(|_| layer.update(&cx, 1.0).unwrap());
        assert_ne!(layer.weights(), &before);
        let fresh = Latent::new(Adam::new()).with_latent(unpack_signs(layer.weights().view()));
        let (geometry, image) = geometry(&case);
        let mut fresh = Conv::new(geometry, image, Box::new(fresh), 0).unwrap();
        let dy = || table(&case["dy"]);
        assert_eq!(
            pass(&mut layer, &cx, pixels(&case), dy()),
            pass(&mut fresh, &cx, pixels(&case), dy()),
            "{name} after an update"
        );
    }
}

#[test]
fn convolutions_refuse_what_does_not_fit() {
    let cx = training();
    let of = |geometry: Geometry| Conv::new(geometry, (4, 5), Box::new(Latent::new(Adam::new())), 0);
    let said = |result: onebit_train::Result<Conv>| result.err().expect("an error").to_string();
    let plain = Geometry::new(4, 6, (3, 3));
    assert_eq!(
        said(of(Geometry::new(4, 6, (5, 3)))),
        "conv: a kernel of 5 x 3 does not fit into an image of 4 x 5"
    );
    assert_eq!(said(of(Geometry { c_in: 0, ..plain })), "conv channels: expected at least 1, got 0");
    let mut layer = of(Geometry { groups: 2, ..plain }).unwrap();
    let mut refused = |x: Value| layer.forward(&cx, x).unwrap_err().to_string();
    assert_eq!(refused(Value::Bits(random_bits(0, 0, 20, 5))), "conv: expected 4 columns, got 5");
    assert_eq!(
        refused(Value::Bits(random_bits(0, 0, 21, 4))),
        "conv: expected whole images of 4 x 5 pixels, got 21 pixels"
    );
    assert_eq!(
        refused(Value::Real(Matrix::zeros(20, 4))),
        "conv groups: expected 1 where pixels are real, got 2"
    );
    layer.forward(&cx, Value::Bits(random_bits(0, 0, 20, 4))).unwrap();
    let error = layer.receive(&cx, Signal::Grad(Matrix::zeros(5, 6))).unwrap_err().to_string();
    assert_eq!(error, "conv: expected a gradient of 6 x 6, got 5 x 6");
}
