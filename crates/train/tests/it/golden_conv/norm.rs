//! Batch norm of batches that are several parts.

use onebit_bits::{Engine, Isa};
use onebit_train::{Value, layer::Context, layers::BatchNorm};

use super::{case, check, check_pass, pass, table};
use crate::common::{golden::reals, matrix};

#[test]
fn batch_norm_of_three_parts() {
    let case = case("batch_norm");
    let mut norm = BatchNorm::with_affine(reals(&case["gamma"]), reals(&case["beta"]));
    check_pass("batch norm", &mut norm, Value::Real(table(&case["x"])), &case);
    let (running, gradients) = (norm.running().unwrap(), norm.gradients().unwrap());
    check("mean", &running.mean, &case["mean"]);
    check("inv_std", &running.inv_std, &case["inv_std"]);
    check("dgamma", &gradients.dgamma, &case["dgamma"]);
    check("dbeta", &gradients.dbeta, &case["dbeta"]);
}

/// 700 features are two parts, as 300 rows are three.
#[test]
fn batch_norm_does_not_depend_on_the_engine() {
    let (rows, cols) = (300, 700);
    let value = |seed: u32| move |at: usize| ((at as u32).wrapping_mul(seed) >> 8) as f32 / 1e6 - 3.0;
    let [x, dy] =
        [0x9e37_79b9, 0x85eb_ca6b].map(|seed| matrix(rows, cols, (0..rows * cols).map(value(seed))));
    let mut first = None;
    for isa in Isa::available() {
        for threads in [1, 2, 3] {
            let cx = Context::train(&Engine::new(threads).unwrap().with_isa(isa));
            let mut norm = BatchNorm::new(cols);
            let both = pass(&mut norm, &cx, Value::Real(x.clone()), dy.clone());
            let gradients = norm.gradients().unwrap().clone();
            let results = (both, norm.running().cloned(), gradients.dgamma, gradients.dbeta);
            let expected = first.get_or_insert_with(|| results.clone());
            assert_eq!(&results, expected, "{} with {threads} threads", isa.name());
        }
    }
}
