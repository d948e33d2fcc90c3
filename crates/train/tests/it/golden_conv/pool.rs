//! Pooling, and the step from pixels to samples.

use onebit_bits::{Engine, Isa, Pool, random_bits};
use onebit_train::{
    ByteScale, Bytes, Matrix, Signal, Value,
    layer::{Context, Layer},
    layers::{Flatten, GlobalAveragePool, MaxPool, Unflatten},
};

use super::{case, cases, check_pass, pair, pass, real, sizes, table};
use crate::common::{matrix, signs, training};

#[test]
fn max_pools() {
    for (name, case) in cases("max_pool", 3) {
        let ([_, h, w], mut first) = (sizes(&case["image"]), None);
        let pool = Pool { kernel: pair(&case["kernel"]), stride: pair(&case["stride"]) };
        let mut layer = MaxPool::new(pool, (h, w)).unwrap();
        check_pass(&name, &mut layer, Value::Real(table(&case["x"])), &case);
        let y = layer.forward(&Context::evaluate(&Engine::single()), Value::Real(table(&case["x"]))).unwrap();
        assert_eq!(real(y), table(&case["y"]), "{name}: y in evaluation"); // exact: nothing is computed
        for isa in Isa::available() {
            let cx = Context::train(&Engine::new(2).unwrap().with_isa(isa));
            let results = pass(&mut layer, &cx, Value::Real(table(&case["x"])), table(&case["dy"]));
            assert_eq!(&results, first.get_or_insert_with(|| results.clone()), "{name} on {}", isa.name());
        }
    }
}

/// Of a single number everywhere, each window's first pixel gets the gradient.
#[test]
fn the_first_of_equals_is_the_largest() {
    let mut layer = MaxPool::new(Pool { kernel: (3, 3), stride: (2, 2) }, (6, 5)).unwrap();
    let x = matrix(30, 1, [-1.5; 30]);
    let (y, dx) = pass(&mut layer, &training(), Value::Real(x), matrix(4, 1, [1.0, 2.0, 3.0, 4.0]));
    assert_eq!(y.values(), [-1.5; 4]);
    let mut expected = [0.0; 30];
    (expected[0], expected[2], expected[10], expected[12]) = (1.0, 2.0, 3.0, 4.0);
    assert_eq!(dx.values(), expected);
}

#[test]
fn pools_refuse_what_does_not_fit() {
    let cx = training();
    let of = |kernel, image| MaxPool::new(Pool { kernel, stride: (2, 2) }, image);
    let said = |result: onebit_train::Result<MaxPool>| result.err().expect("an error").to_string();
    assert_eq!(said(of((5, 5), (4, 4))), "pool: a kernel of 5 x 5 does not fit into an image of 4 x 4");
    assert_eq!(said(of((17, 17), (20, 20))), "pool window: expected at most 256 pixels, got 289");
    let mut layer = of((2, 2), (4, 4)).unwrap();
    let error = layer.forward(&cx, Value::Real(Matrix::zeros(17, 3))).unwrap_err().to_string();
    assert_eq!(error, "max_pool: expected whole images of 16 x 3, got 17 x 3");
    let error = layer.receive(&cx, Signal::Grad(Matrix::zeros(4, 3))).unwrap_err().to_string();
    assert_eq!(error, "max_pool: receive needs a forward pass before it");
}

// === from pixels to samples ===

#[test]
fn flattening_moves_nothing() {
    let cx = training();
    for (pixels, channels) in [(6, 5), (4, 64), (4, 128), (1, 70), (3, 1)] {
        let (mut flatten, mut unflatten) = (Flatten::new(pixels), Unflatten::new(pixels));
        let bits = random_bits(1, 0, 2 * pixels, channels);
        let numbers = matrix(2 * pixels, channels, (0..2 * pixels * channels).map(|at| at as f32));
        let bytes = numbers.values().iter().map(|x| *x as u8).collect();
        let bytes = Bytes::new(2 * pixels, channels, bytes, ByteScale::new(3.0, 0.5)).unwrap();
        for x in [Value::Real(numbers.clone()), Value::Bytes(bytes), Value::Bits(bits.clone())] {
            let y = flatten.forward(&cx, x.clone()).unwrap();
            assert_eq!((y.rows(), y.cols()), (2, pixels * channels));
            let get =
                |sample: usize, feature: usize| (sample * pixels + feature / channels, feature % channels);
            match &y {
                Value::Real(y) => assert_eq!(y.values(), numbers.values()),
                Value::Bits(y) => assert!((0..2).all(|s| (0..pixels * channels).all(|f| {
                    let (pixel, channel) = get(s, f);
                    y.get(s, f) == bits.get(pixel, channel)
                }))),
                _ => {}
            }
            assert_eq!(unflatten.forward(&cx, y).unwrap(), x);
        }
        let flat = matrix(2, pixels * channels, numbers.values().iter().copied());
        flatten.receive(&cx, Signal::Grad(flat.clone())).unwrap();
        assert_eq!(flatten.send(&cx).unwrap(), Signal::Grad(numbers.clone()));
        unflatten.receive(&cx, Signal::Grad(numbers)).unwrap();
        assert_eq!(unflatten.send(&cx).unwrap(), Signal::Grad(flat));
    }
    let error = Flatten::new(4).forward(&cx, Value::Real(Matrix::zeros(6, 2))).unwrap_err().to_string();
    assert_eq!(error, "flatten: expected whole images of 4 pixels, got 6 pixels");
    let error = Unflatten::new(4).forward(&cx, Value::Real(Matrix::zeros(2, 6))).unwrap_err().to_string();
    assert_eq!(error, "unflatten: expected samples of 4 pixels, got 6 features");
}

#[test]
fn global_average_pool() {
    let (case, cx) = (case("global_average_pool"), training());
    let mut layer = GlobalAveragePool::new(sizes::<1>(&case["pixels"])[0]).unwrap();
    check_pass("global average pool", &mut layer, Value::Real(table(&case["x"])), &case);
    // bits count as +-1
    let bits = signs(&table(&case["x"]));
    let numbers = matrix(30, 4, (0..120).map(|at| if bits.get(at / 4, at % 4) { 1.0 } else { -1.0 }));
    let of_bits = pass(&mut layer, &cx, Value::Bits(bits), table(&case["dy"]));
    assert_eq!(of_bits, pass(&mut layer, &cx, Value::Real(numbers), table(&case["dy"])));

    // parts of several images on two threads
    let x = matrix(3000 * 15, 4, (0..3000 * 15 * 4).map(|at| at as f32));
    let dy = matrix(3000, 4, (0..3000 * 4).map(|at| (at * 15) as f32));
    let two = Context::train(&Engine::new(2).unwrap());
    let (y, dx) = pass(&mut layer, &two, Value::Real(x), dy);
    assert_eq!(y.values()[..5], [28.0, 29.0, 30.0, 31.0, 88.0]);
    assert_eq!(dx.values()[60 * 2999..], [11996.0, 11997.0, 11998.0, 11999.0].repeat(15));

    let error = layer.forward(&cx, Value::Real(Matrix::zeros(16, 2))).unwrap_err().to_string();
    assert_eq!(error, "global_average_pool: expected whole images of 15 pixels, got 16 pixels");
    let error = GlobalAveragePool::new(0).err().expect("an error").to_string();
    assert_eq!(error, "global_average_pool pixels: expected at least 1, got 0");
}
