//! In place and one by one gives what packed batches give.

use onebit_bits::Engine;
use onebit_model::{Error, Interpreter, Layer, Model, best, top};
use proptest::prelude::*;

use crate::recipe::{Recipe, image_recipes, recipes};

/// A file's bytes, from a multiple of 8 on or from the byte after one.
fn placed(file: &[u8], aligned: bool) -> (Vec<u64>, std::ops::Range<usize>) {
    let first = usize::from(!aligned);
    let mut words = vec![0u64; (file.len() + first).div_ceil(8)];
    let range = first..first + file.len();
    bytemuck::cast_slice_mut::<u64, u8>(&mut words)[range.clone()].copy_from_slice(file);
    (words, range)
}

fn assert_the_session_s(recipe: &Recipe, rows: usize) {
    let (model, x) = (recipe.model(), recipe.samples(rows));
    let scores = model.scores(&Engine::single(), &x).unwrap();
    let (words, range) = placed(&model.to_bytes(), true);
    let in_place = Model::in_place(&bytemuck::cast_slice(&words)[range]).unwrap();
    let mut interpreter = Interpreter::new(&in_place).unwrap();
    for (x, expected) in x.chunks_exact(model.inputs()).zip(scores.chunks_exact(model.classes())) {
        let bits = |scores: &[f32]| scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(interpreter.scores(x).unwrap()), bits(expected), "{recipe:?}");
        assert_eq!(interpreter.classify(x).unwrap(), best(expected), "{recipe:?}");
    }
}

proptest! {
    #[test]
    fn scores_are_those_of_a_session(recipe in recipes()) {
        assert_the_session_s(&recipe, 5);
    }

    #[test]
    fn scores_of_images_are_those_of_a_session(recipe in image_recipes()) {
        assert_the_session_s(&recipe, 3);
    }

    #[test]
    fn weights_lie_in_the_file_where_it_is_aligned(recipe in prop_oneof![recipes(), image_recipes()]) {
        let (model, x, engine) = (recipe.model(), recipe.samples(3), Engine::single());
        let file = model.to_bytes();
        for aligned in [true, false] {
            let (words, range) = placed(&file, aligned);
            let bytes = &bytemuck::cast_slice::<u64, u8>(&words)[range];
            let read = Model::in_place(bytes).unwrap();
            for layer in read.layers() {
                let weights = match layer {
                    Layer::Dense(dense) => dense.weights.words(),
                    Layer::Conv(conv) => conv.weights.words(),
                    _ => continue,
                };
                let within = bytes.as_ptr_range().contains(&weights.as_ptr().cast());
                prop_assert_eq!(within, aligned && cfg!(target_endian = "little"));
            }
            prop_assert_eq!(read.to_bytes(), file.clone());
            prop_assert_eq!(read.scores(&engine, &x).unwrap(), model.scores(&engine, &x).unwrap());
        }
    }

    #[test]
    fn the_top_classes_are_sorted(scores in proptest::collection::vec(-3..4i8, 0..9), k in 0..12usize) {
        let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
        let mut sorted: Vec<usize> = (0..scores.len()).collect();
        sorted.sort_by(|a, b| scores[*b].partial_cmp(&scores[*a]).unwrap()); // stable: of equal ones the first
        sorted.truncate(k);
        prop_assert_eq!(top(&scores, k).collect::<Vec<_>>(), sorted);
    }
}

#[test]
fn the_top_class_is_the_best_and_no_number_comes_last() {
    assert!(top(&[f32::NAN, 1.0, f32::NEG_INFINITY, f32::NAN, 2.0], 9).eq([4, 1, 2, 0, 3]));
    assert!(top(&[0.0, -0.0, 1.0, 0.0], 9).eq([2, 0, 1, 3]));
    assert_eq!(best(&[f32::NAN, f32::NEG_INFINITY]), 1);
    assert_eq!(best(&[f32::NAN, f32::NAN]), 0);
    assert_eq!(best(&[-0.0, 0.0]), 0);
}

#[test]
fn input_that_is_no_row() {
    let recipe = Recipe {
        inputs: 3,
        binarize: 2,
        thermometer: false,
        bytes: true,
        images: None,
        hidden: vec![(5, 1)],
        classes: 2,
        seed: 1,
    };
    let model = recipe.model();
    let mut interpreter = Interpreter::new(&model).unwrap();
    for values in [0, 2, 6] {
        let refused = interpreter.scores(&vec![1.0; values]).unwrap_err();
        assert!(matches!(refused, Error::Input { features: 3, values: got } if got == values), "{refused:?}");
    }
    let refused = interpreter.classify(&[1.0, f32::NAN, 0.0]).unwrap_err();
    assert!(matches!(refused, Error::NotFinite { row: 0, feature: 1, .. }), "{refused:?}");
    // a refused sample leaves nothing behind
    let x = [0.5, -1.0, 2.0];
    assert_eq!(interpreter.scores(&x).unwrap(), model.scores(&Engine::single(), &x).unwrap());
}
