//! Whatever the bytes are: an error or a model that works, and never a panic.

use onebit_bits::Engine;
use onebit_model::{Error, Interpreter, MAGIC, Model};
use proptest::{collection::vec, prelude::*, sample::Index};

use super::{
    forged::{BITS, Forged, TEXT, sealed},
    tiny,
};
use crate::recipe::{image_recipes, recipes};

/// Reads sealed bytes: what is accepted must work, and what is refused must not be refused for the frame.
fn read_sealed(bytes: &[u8]) {
    match Model::from_bytes(bytes) {
        Ok(model) => {
            let again = model.to_bytes();
            assert_eq!(Model::from_bytes(&again).unwrap(), model);
            let x = vec![if model.takes_bytes() { 5.0 } else { 0.5 }; 2 * model.inputs()];
            let classes = model.classify(&Engine::single(), &x).unwrap();
            let class = Interpreter::new(&Model::in_place(bytes).unwrap())
                .and_then(|mut interpreter| interpreter.classify(&x[..model.inputs()]));
            assert_eq!(classes, [class.unwrap(); 2]);
        }
        Err(error) => {
            assert!(
                !matches!(error, Error::Magic | Error::Length { .. } | Error::Checksum { .. }),
                "{error}"
            );
            assert!(!error.to_string().is_empty());
        }
    }
}

/// Numbers at which readers stumble.
fn numbers() -> impl Strategy<Value = u32> {
    prop_oneof![0..8u32, 60..70u32, Just(u32::MAX), Just(1 << 31), Just(1 << 30), any::<u32>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(Model::from_bytes(&bytes).is_err());
        prop_assert!(Model::tensors(&bytes).is_err());
    }

    #[test]
    fn any_bytes_in_a_sound_frame(
        rest in vec(prop_oneof![3 => Just(0u8), 1 => any::<u8>()], 300),
        counts in [0..3u8, 0..3u8],
        version in 1..3u32,
    ) {
        let mut bytes = [MAGIC.as_slice(), &version.to_le_bytes(), &[0; 12], &rest].concat();
        (bytes[24], bytes[28]) = (counts[0], counts[1]);
        bytes[25..28].fill(0);
        bytes[29..32].fill(0);
        bytes[40..64].fill(0);
        read_sealed(&sealed(bytes));
    }

    #[test]
    fn changed_bytes(changes in vec((any::<Index>(), any::<u8>()), 1..5)) {
        let mut bytes = tiny::bytes();
        for (at, byte) in changes {
            let at = 24 + at.index(bytes.len() - 24);
            bytes[at] = byte;
        }
        read_sealed(&sealed(bytes));
    }

    #[test]
    fn changed_numbers_in_the_records(changes in vec((any::<Index>(), numbers()), 1..4)) {
        let mut bytes = tiny::bytes();
        for (at, number) in changes {
            // Header, layer and tensor records end at 0x3a0.
            let at = 24 + 4 * at.index((0x3a0 - 24) / 4);
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        read_sealed(&sealed(bytes));
    }

    #[test]
    fn parts_that_fit_their_records_but_not_each_other(
        recipe in prop_oneof![recipes(), image_recipes()],
        layers in vec((any::<Index>(), 0..4usize, numbers()), 0..3),
        tensors in vec((any::<Index>(), 0..4usize, numbers(), any::<u8>()), 0..3),
    ) {
        let mut forged = Forged::from_sound(&recipe.model().to_bytes());
        for (layer, field, number) in layers {
            let layer = layer.index(forged.layers.len());
            forged.layers[layer][field] = number;
        }
        for (tensor, field, number, byte) in tensors {
            let tensor = tensor.index(forged.tensors.len());
            let t = &mut forged.tensors[tensor];
            *[&mut t.kind, &mut t.rows, &mut t.cols, &mut 0][field] = number;
            let row = if t.kind == BITS { 8 * u64::from(t.cols.div_ceil(64)) } else { 4 * u64::from(t.cols) };
            let length = u64::from(t.rows).saturating_mul(row);
            if t.kind != TEXT && length < 10_000 {
                t.data.resize(length as usize, byte);
            } else if let Some(first) = t.data.first_mut() {
                *first = byte;
            }
        }
        read_sealed(&forged.bytes());
    }
}
