//! The file: what is written is what is read, and its bytes stay what they are.

mod bytes;
mod columns;
mod disk;
pub(crate) mod forged;
mod fuzz;
mod hostile;
mod images;
mod thermometer;
pub(crate) mod tiny;

use std::{fs, path::Path};

use onebit_bits::Engine;
use onebit_model::{MAGIC, Model};
use proptest::prelude::*;

use crate::recipe::{image_recipes, recipes};

proptest! {
    #[test]
    fn a_model_survives_its_file(recipe in prop_oneof![recipes(), image_recipes()]) {
        let model = recipe.model();
        let bytes = model.to_bytes();
        let read = Model::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&read, &model);
        prop_assert_eq!(model.size().total, bytes.len());
        prop_assert_eq!(read.to_bytes(), bytes);
        let (engine, x) = (Engine::single(), recipe.samples(3));
        prop_assert_eq!(read.scores(&engine, &x).unwrap(), model.scores(&engine, &x).unwrap());
    }

    #[test]
    fn tensors_lie_in_order_at_multiples_of_64_with_nothing_but_zeros_between(recipe in recipes()) {
        let bytes = recipe.model().to_bytes();
        let tensors = Model::tensors(&bytes).unwrap();
        let layers = recipe.model().layers().len();
        let mut end = 64 + 32 * layers + 64 * tensors.len();
        for tensor in tensors {
            prop_assert_eq!(tensor.offset, end.next_multiple_of(64), "{}", tensor.name);
            prop_assert!(bytes[end..tensor.offset].iter().all(|&byte| byte == 0), "{}", tensor.name);
            end = tensor.offset + tensor.bytes;
        }
        prop_assert_eq!(end, bytes.len());
    }
}

#[test]
fn the_bytes_of_a_file_stay_what_they_are() {
    let bytes = tiny::model().to_bytes();
    let changed = (0..bytes.len()).find(|&at| tiny::bytes().get(at) != Some(&bytes[at]));
    assert_eq!(changed.map(|at| format!("first difference at {at:04x}")), None);
    assert_eq!(bytes.len(), tiny::bytes().len());
    assert_eq!(Model::from_bytes(&tiny::bytes()).unwrap(), tiny::model());
    assert_eq!((&bytes[..8], &bytes[8..12]), (MAGIC.as_slice(), [1, 0, 0, 0].as_slice()));
}

#[test]
fn the_tiny_model_gives_the_scores_of_its_description() {
    let (model, engine) = (Model::from_bytes(&tiny::bytes()).unwrap(), Engine::single());
    assert_eq!(model.scores(&engine, &[3.0, -1.0]).unwrap(), [0.0, 2.75]);
    assert_eq!(model.classify(&engine, &[3.0, -1.0]).unwrap(), [1]);
}

#[test]
fn the_specification_shows_the_tiny_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/format.md");
    let specification = fs::read_to_string(path).expect("the specification, in the repository");
    assert!(
        specification.contains(tiny::DUMP),
        "docs/reference/format.md shows another file than tests/it/file/tiny.hex"
    );
}

#[test]
fn tensors_are_listed_with_their_types_and_shapes() {
    let tensors = Model::tensors(&tiny::bytes()).unwrap();
    let list = tensors.iter().map(|t| format!("{} {} {}x{}", t.name, t.kind.name(), t.rows, t.cols));
    let expected = [
        "0.thresholds f32 1x1",
        "1.weights bits 3x2",
        "1.limits i32 2x3",
        "1.descending bits 1x3",
        "2.weights bits 2x6",
        "2.mean f32 1x2",
        "2.scale f32 1x2",
        "2.shift f32 1x2",
        "standardize.mean f32 1x2",
        "standardize.scale f32 1x2",
        "labels text 2x1",
        "features text 2x1",
    ];
    assert_eq!(list.collect::<Vec<_>>(), expected);
}
