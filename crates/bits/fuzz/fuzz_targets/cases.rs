//! The kernels. A new one gets a function here and a line in [`ALL`].

use onebit_bits::{
    Bf16, BitTensor, Columns, ConvWeights, Engine, Geometry, Images, Int8, Noise, Pad, Padding, Panels,
    RealView, Scores, Ternary, Threshold, convolve, pack_above, pack_at_least, pack_signs, pack_thresholds,
    product, unpack_signs, votes, votes_to_flips,
};
use onebit_reference::{conv as reference_conv, gemm as reference, number};

use crate::input::{Input, bools, exact, floats, signs, values};

/// Makes data from the input, asks the oracle, and compares every engine with it.
pub type Case = fn(&mut Input, &[Engine]);

/// Append only: a saved input names its case by its place.
pub const ALL: &[Case] = &[
    bits_by_bits,
    sums_that_are_never_stored,
    ternary_by_bits,
    reals,
    bytes_by_bits,
    votes_for_flips,
    packing,
    packing_at_thresholds,
    convolution,
    reals_in_bf16,
    votes_in_bytes,
];

fn is_padded(bits: &BitTensor) -> bool {
    BitTensor::from_words(bits.rows(), bits.cols(), bits.words().to_vec()).is_ok()
}

/// `[s >= t]`, or `[s <= t]` where descending.
fn at_least<T: PartialOrd>(s: T, t: T, descending: bool) -> bool {
    if descending { s <= t } else { s >= t }
}

fn bits_by_bits(input: &mut Input, engines: &[Engine]) {
    let (b, i, o) = input.shape();
    let (x, w) = (input.bits(b, i), input.bits(o, i));
    let expected = reference::gemm(&signs(&x), &signs(&w), (b, i, o));
    for engine in engines {
        let mut y = vec![i32::MIN; b * o];
        product(engine, x.view(), w.view(), &mut y[..]).unwrap();
        assert_eq!(y, expected, "{engine:?}");
        for panels in [Panels::of_rows(engine, w.view()), Panels::of_columns(engine, w.transpose().view())] {
            y.fill(i32::MIN);
            product(engine, x.view(), &panels, &mut y[..]).unwrap();
            assert_eq!(y, expected, "packed, {engine:?}");
        }
    }
}

fn sums_that_are_never_stored(input: &mut Input, engines: &[Engine]) {
    let (b, i, o) = input.shape();
    let (x, w) = (input.bits(b, i), input.bits(o, i));
    let (thresholds, descending) = (input.integers(o, 40), input.bits(1, o));
    let (scale, old) = (input.reals(o), input.reals(b * o));
    let sums = reference::gemm(&signs(&x), &signs(&w), (b, i, o));
    let bits =
        BitTensor::from_fn(b, o, |r, c| at_least(sums[r * o + c], thresholds[c], descending.get(0, c)));
    let scores = old.iter().enumerate().map(|(at, old)| old + scale[at % o] * sums[at] as f32);
    let scores = exact(&scores.collect::<Vec<_>>());
    for engine in engines {
        let panels = Panels::of_rows(engine, w.view());
        let mut y = BitTensor::from_fn(b, o, |r, c| (r + c) % 2 == 0);
        product(
            engine,
            x.view(),
            &panels,
            Threshold { thresholds: &thresholds, descending: descending.view(), bits: &mut y },
        )
        .unwrap();
        assert_eq!(y, bits, "{engine:?}");
        assert!(is_padded(&y));
        let mut y = old.clone();
        product(engine, x.view(), &panels, Scores { scale: &scale, scores: &mut y }).unwrap();
        assert_eq!(exact(&y), scores, "scores, {engine:?}");
    }
}

fn ternary_by_bits(input: &mut Input, engines: &[Engine]) {
    let (b, i, o) = input.shape();
    let (x, w) = (input.ternary(b, i), input.bits(o, i));
    let expected = reference::gemm(&values(&x), &signs(&w), (b, i, o));
    for engine in engines {
        let mut y = vec![i32::MIN; b * o];
        product(engine, &x, w.view(), &mut y[..]).unwrap();
        assert_eq!(y, expected, "{engine:?}");
        y.fill(i32::MIN);
        product(engine, &x, &Panels::of_rows(engine, w.view()), &mut y[..]).unwrap();
        assert_eq!(y, expected, "packed, {engine:?}");
    }
}

fn reals(input: &mut Input, engines: &[Engine]) {
    let shape @ (m, k, n) = input.shape();
    let (a, b) = (input.reals(m * k), input.reals(k * n));
    let (w, x) = (input.bits(k, n), input.ternary(k, n));
    let by_bits = exact(&number::real_gemm_by_fours(&a, &signs(&w.transpose()), shape));
    let by_ternary = exact(&reference::real_gemm(&a, &floats(&values(&x)), shape));
    let by_reals = exact(&reference::real_gemm(&a, &b, shape));
    for engine in engines {
        let mut out = vec![f32::NAN; m * n];
        product(engine, &a[..], Columns(w.view()), &mut out[..]).unwrap();
        assert_eq!(exact(&out), by_bits, "{engine:?}");
        out.fill(f32::NAN);
        product(engine, &a[..], w.transpose().view(), &mut out[..]).unwrap();
        assert_eq!(exact(&out), by_bits, "transposed, {engine:?}");
        out.fill(f32::NAN);
        product(engine, &a[..], Columns(&x), &mut out[..]).unwrap();
        assert_eq!(exact(&out), by_ternary, "ternary, {engine:?}");
        out.fill(f32::NAN);
        product(
            engine,
            &a[..],
            Columns(RealView { rows: shape.1, cols: shape.2, values: &b[..] }),
            &mut out[..],
        )
        .unwrap();
        assert_eq!(exact(&out), by_reals, "reals, {engine:?}");
    }
}

fn bytes_by_bits(input: &mut Input, engines: &[Engine]) {
    let shape @ (m, k, n) = input.shape();
    let (w, a) = (input.bits(n, k), input.reals(m * k));
    let x: Vec<u8> = (0..m * k).map(|_| input.up_to(255) as u8).collect();
    let noise = Noise { seed: input.up_to(255) as u64, step: 0 };
    let sums = |a: Vec<i32>| number::integer_gemm(&a, &signs(&w), shape);
    let by_unsigned = sums(x.iter().map(|&x| x.into()).collect());
    let mut first: Option<Int8> = None;
    for engine in engines {
        let panels = Panels::of_rows_for_reals(engine, w.view());
        let mut y = vec![i32::MIN; m * n];
        let exact_sums = |y: &[i32]| y.iter().map(|&y| y.into()).collect::<Vec<i64>>();
        // without k, the rows are known from y alone, and without n from x alone
        product(engine, &x[..], &panels, &mut y[..]).unwrap();
        assert_eq!(exact_sums(&y), by_unsigned, "unsigned, {engine:?}");
        let mut rounded = Int8::new();
        rounded.round(engine, m, k, &a, noise).unwrap();
        let first = first.get_or_insert_with(|| rounded.clone());
        assert_eq!(
            (rounded.values(), rounded.scales()),
            (first.values(), first.scales()),
            "rounded, {engine:?}"
        );
        y.fill(i32::MIN);
        product(engine, &rounded, &panels, &mut y[..]).unwrap();
        let by_signed = sums(rounded.values().iter().map(|&a| a.into()).collect());
        assert_eq!(exact_sums(&y), by_signed, "signed, {engine:?}");
    }
}

fn votes_for_flips(input: &mut Input, engines: &[Engine]) {
    let shape @ (m, k, n) = input.shape();
    let (own, signal) = (input.bits(m, n), input.ternary(m, k));
    let (operand, changed) = (input.bits(k, n), input.bits(k, n));
    let p_min = input.up_to(255) as f64 / 255.0;
    let count = |changed: Option<&[bool]>| {
        reference::votes(&signs(&own), &values(&signal), &signs(&operand), changed, shape)
    };
    let (expected, corrected) = (count(None), count(Some(&bools(&changed))));
    let flips = votes_to_flips(m, n, &expected, k as u32, p_min).unwrap();
    assert_eq!(bools(&flips), reference::votes_to_flips(&expected, k as u32, p_min));
    assert!(is_padded(&flips));
    for engine in engines {
        let asked = votes(engine, own.view(), &signal, operand.view(), None).unwrap();
        assert_eq!(asked, expected, "{engine:?}");
        let asked = votes(engine, own.view(), &signal, operand.view(), Some(changed.view())).unwrap();
        assert_eq!(asked, corrected, "corrected, {engine:?}");
    }
}

fn packing(input: &mut Input, engines: &[Engine]) {
    let (rows, cols, _) = input.shape();
    let (x, sums) = (input.reals(rows * cols), input.integers(rows * cols, 3));
    for engine in engines {
        let bits = pack_signs(engine, rows, cols, &x).unwrap();
        assert_eq!(bools(&bits), x.iter().map(|&x| x >= 0.0).collect::<Vec<_>>(), "{engine:?}");
        assert!(is_padded(&bits));
        assert_eq!(unpack_signs(bits.view()), floats(&signs(&bits)));
        let bits = pack_signs(engine, rows, cols, &sums).unwrap();
        assert_eq!(bools(&bits), sums.iter().map(|&s| s >= 0).collect::<Vec<_>>(), "integers, {engine:?}");
    }
    let ternary = Ternary::from_i32(rows, cols, &sums).unwrap();
    assert_eq!(values(&ternary), sums.iter().map(|s| s.signum() as i8).collect::<Vec<_>>());
}

fn packing_at_thresholds(input: &mut Input, engines: &[Engine]) {
    let (rows, cols, depth) = (input.up_to(20), input.up_to(300), input.up_to(8));
    let (x, thresholds) = (input.reals(rows * cols), input.reals(depth));
    let (sums, limits) = (input.integers(rows * cols, 5), input.integers(depth * cols, 5));
    let descending = input.bits(1, cols);
    // bit(row, threshold, column) in depth-major columns
    let deep = |bit: &dyn Fn(usize, usize, usize) -> bool| {
        BitTensor::from_fn(rows, depth * cols, |r, column| bit(r, column / cols, column % cols))
    };
    let above = deep(&|r, k, c| x[r * cols + c] > thresholds[k]);
    let above_each = deep(&|r, k, c| x[r * cols + c] > limits[k * cols + c] as f32);
    let reached = deep(&|r, k, c| at_least(sums[r * cols + c], limits[k * cols + c], descending.get(0, c)));
    let real = |integers: &[i32]| integers.iter().map(|&n| n as f32).collect::<Vec<_>>();
    for engine in engines {
        assert_eq!(pack_thresholds(engine, rows, cols, &x, &thresholds).unwrap(), above, "{engine:?}");
        assert_eq!(pack_above(engine, rows, cols, &x, &real(&limits)).unwrap(), above_each, "{engine:?}");
        let bits = pack_at_least(engine, rows, cols, &sums, &limits, descending.view()).unwrap();
        assert_eq!(bits, reached, "at least, {engine:?}");
        let bits =
            pack_at_least(engine, rows, cols, &real(&sums), &real(&limits), descending.view()).unwrap();
        assert_eq!(bits, reached, "at least in reals, {engine:?}");
        assert!(is_padded(&bits));
    }
}

fn convolution(input: &mut Input, engines: &[Engine]) {
    let (groups, inputs, outputs) = (1 + input.up_to(2), input.up_to(70), input.up_to(40));
    // no more groups than outputs, unless it is one
    let groups = if outputs == 0 { 1 } else { groups };
    let channels = (groups * inputs, groups * outputs);
    let (kernel, stride) =
        ((1 + input.up_to(4), 1 + input.up_to(4)), (1 + input.up_to(3), 1 + input.up_to(3)));
    let padding @ [top, left, bottom, right] = [(); 4].map(|()| input.up_to(3));
    // no image is smaller than the kernel
    let image = (input.up_to(2), kernel.0 + input.up_to(4), kernel.1 + input.up_to(4));
    let shape = reference_conv::Shape { image, channels, kernel, stride, padding, groups };
    let (pad, counts) = [(Pad::Plus, 1), (Pad::Minus, -1), (Pad::Zero, 0)][input.up_to(2)];
    let padding = Padding { top, left, bottom, right };
    let conv = Geometry { c_in: channels.0, c_out: channels.1, kernel, stride, padding, pad, groups };
    let images = Images { b: image.0, h: image.1, w: image.2 };
    let x = input.bits(image.0 * image.1 * image.2, channels.0);
    let w = input.bits(channels.1, kernel.0 * kernel.1 * channels.0 / groups);
    let expected = reference_conv::conv(&shape, counts, &signs(&x), &signs(&w));
    for engine in engines {
        let weights = ConvWeights::pack(engine, conv, w.view()).unwrap();
        let mut y = vec![i32::MIN; expected.len()];
        convolve(engine, x.view(), images, &weights, &mut y[..]).unwrap();
        assert_eq!(y, expected, "{conv:?} of {images:?}, {engine:?}");
    }
}

fn reals_in_bf16(input: &mut Input, engines: &[Engine]) {
    let shape @ (m, k, n) = input.shape();
    let (a, w) = (input.reals(m * k), input.bits(n, k));
    let expected = exact(&number::bf16_gemm_by_fours(&a, &signs(&w), shape));
    for engine in engines {
        for panels in [
            Panels::of_rows_for_reals(engine, w.view()),
            Panels::of_columns_for_reals(engine, w.transpose().view()),
        ] {
            let mut out = vec![f32::NAN; m * n];
            product(engine, Bf16(&a), &panels, &mut out[..]).unwrap();
            assert_eq!(exact(&out), expected, "{engine:?}");
        }
    }
}

fn votes_in_bytes(input: &mut Input, engines: &[Engine]) {
    // sums of a byte, and more columns than four vectors have
    let (m, k, n) = (input.up_to(40), input.up_to(127), input.up_to(400));
    let (x, w) = (input.ternary(m, k), input.bits(k, n));
    let expected = reference::gemm(&values(&x), &signs(&w.transpose()), (m, k, n));
    for engine in engines {
        let mut y = vec![i8::MIN; m * n];
        product(engine, &x, &Panels::of_columns_for_votes(engine, w.view()), &mut y[..]).unwrap();
        assert!(y.iter().map(|&y| i32::from(y)).eq(expected.iter().copied()), "{engine:?}");
    }
}
