//! Comparisons to bits, and back, against plain loops.

use onebit_bits::*;

use crate::{common::*, kernels::SIZES};

pub(crate) fn floats(x: &[i8]) -> Vec<f32> {
    x.iter().map(|&x| f32::from(x)).collect()
}

#[test]
fn packing() {
    let awkward = SIZES.iter().flat_map(|&n| [(3, n, 3), (n, 5, 1), (2, 67, n)]);
    // the last is large enough that two workers share it
    for (rows, cols, depth) in awkward.chain(large((130, 2049, 1))) {
        let x = magnitudes(1, rows * cols);
        let thresholds = magnitudes(2, depth);
        let sums = integers(3, rows * cols);
        let integer_thresholds = integers(4, depth * cols);
        let real_thresholds: Vec<f32> = integer_thresholds.iter().map(|&t| t as f32).collect();
        let real_sums: Vec<f32> = sums.iter().map(|&s| s as f32).collect();
        let bytes: Vec<u8> = integers(6, rows * cols).iter().map(|&n| (n * 37) as u8).collect();
        let byte_thresholds: Vec<i16> =
            integers(7, depth * cols).iter().map(|&n| (n * 53).rem_euclid(257) as i16 - 1).collect();
        let descending = random_bits(5, 0, 1, cols);
        // depth-major columns
        let deep = |bit: &dyn Fn(usize, usize, usize) -> bool| {
            let one = |r, column| bit(r, column / cols, column % cols);
            (0..rows).flat_map(|r| (0..depth * cols).map(move |column| one(r, column))).collect::<Vec<_>>()
        };
        let at = |r: usize, k: usize, c: usize| {
            let (s, t) = (sums[r * cols + c], integer_thresholds[k * cols + c]);
            if descending.get(0, c) { s <= t } else { s >= t }
        };
        for engine in engines() {
            let what = format!("({rows}, {cols}, {depth}) on {}", name(&engine));
            let bits = pack_signs(&engine, rows, cols, &x).unwrap();
            assert_eq!(bools(&bits), x.iter().map(|&x| x >= 0.0).collect::<Vec<_>>(), "signs {what}");
            assert_padding(&bits, &what);
            let bits_of_sums = pack_signs(&engine, rows, cols, &sums).unwrap();
            assert_eq!(bools(&bits_of_sums), sums.iter().map(|&s| s >= 0).collect::<Vec<_>>(), "i32 {what}");
            assert_eq!(unpack_signs(bits.view()), floats(&signs(&bits)), "unpack {what}");

            let bits = pack_thresholds(&engine, rows, cols, &x, &thresholds).unwrap();
            let expected = deep(&|r, k, c| x[r * cols + c] > thresholds[k]);
            assert_eq!(bits.shape(), (rows, depth * cols));
            assert_eq!(bools(&bits), expected, "thresholds {what}");
            let limits = [-3, 0, 2];
            let of_sums = pack_thresholds(&engine, rows, cols, &sums, &limits).unwrap();
            let above = |r: usize, column: usize| sums[r * cols + column % cols] > limits[column / cols];
            let above = (0..rows)
                .flat_map(|r| (0..3 * cols).map(move |column| (r, column)))
                .map(|(r, c)| above(r, c));
            assert_eq!(bools(&of_sums), above.collect::<Vec<_>>(), "thresholds i32 {what}");
            assert_padding(&bits, &what);

            let mut bits = pack_above(&engine, rows, cols, &x, &real_thresholds).unwrap();
            let expected = deep(&|r, k, c| x[r * cols + c] > real_thresholds[k * cols + c]);
            assert_eq!(bits.shape(), (rows, depth * cols));
            assert_eq!(bools(&bits), expected, "above f32 {what}");
            assert_padding(&bits, &what);
            // over what was there
            pack_above_into(&engine, cols, &bytes, &byte_thresholds, &mut bits).unwrap();
            let expected = deep(&|r, k, c| i16::from(bytes[r * cols + c]) > byte_thresholds[k * cols + c]);
            assert_eq!(bools(&bits), expected, "above u8 {what}");
            assert_padding(&bits, &what);

            let bits =
                pack_at_least(&engine, rows, cols, &sums, &integer_thresholds, descending.view()).unwrap();
            // without columns there are no thresholds to tell the depth from
            assert_eq!(bits.shape(), (rows, depth * cols));
            assert_eq!(bools(&bits), deep(&at), "at_least i32 {what}");
            assert_padding(&bits, &what);
            let real =
                pack_at_least(&engine, rows, cols, &real_sums, &real_thresholds, descending.view()).unwrap();
            assert_eq!(real, bits, "at_least f32 {what}");
        }
    }
}

/// The values at which a comparison is easily wrong.
#[test]
fn zeros_ties_and_nan() {
    for engine in engines() {
        let x =
            [0.0, -0.0, f32::NAN, f32::MIN_POSITIVE, -f32::MIN_POSITIVE, f32::INFINITY, f32::NEG_INFINITY];
        let bits = pack_signs(&engine, 1, 7, &x).unwrap();
        assert_eq!(bools(&bits), [true, true, false, true, false, true, false]);
        // strict: a value at the threshold is not above it
        let bits = pack_thresholds(&engine, 1, 3, &[1.0, 2.0, f32::NAN], &[1.0]).unwrap();
        assert_eq!(bools(&bits), [false, true, false]);
        let bits = pack_above(&engine, 1, 3, &[1.0, 2.0, f32::NAN], &[1.0; 3]).unwrap();
        assert_eq!(bools(&bits), [false, true, false]);
        let bits = pack_above(&engine, 1, 2, &[0u8, 255], &[-1, 254, 0, 255]).unwrap();
        assert_eq!(bools(&bits), [true, true, false, false]);
        // not strict: a sum at the threshold is a one in either direction
        let descending = BitTensor::from_fn(1, 4, |_, c| c >= 2);
        let bits = pack_at_least(&engine, 1, 4, &[5, 4, 5, 6], &[5; 4], descending.view()).unwrap();
        assert_eq!(bools(&bits), [true, false, true, false]);
        let nan = pack_at_least(&engine, 1, 4, &[f32::NAN; 4], &[5.0; 4], descending.view()).unwrap();
        assert_eq!(nan.count_ones(), 0);
    }
    let x = Ternary::from_f32(1, 4, &[0.0, -0.0, f32::NAN, -1e-45]).unwrap();
    assert_eq!(values(&x), [0, 0, 0, -1]);
}

#[test]
fn transposing_reals() {
    for (rows, cols) in SIZES.iter().flat_map(|&n| [(n, 17), (3, n)]) {
        let x = magnitudes(1, rows * cols);
        let turned = transpose(rows, cols, &x).unwrap();
        for r in 0..rows {
            for c in 0..cols {
                assert_eq!(turned[c * rows + r], x[r * cols + c], "({rows}, {cols}) at ({r}, {c})");
            }
        }
    }
}
