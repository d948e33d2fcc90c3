//! What holds for all bits, whatever they are: the algebra, the padding, the statistics of masks.

use onebit_bits::*;
use proptest::prelude::*;

/// Any bits of up to 5 x 200.
fn bits() -> impl Strategy<Value = BitTensor> {
    (0..5usize, 0..200usize, any::<u64>()).prop_map(|(rows, cols, seed)| random_bits(seed, 0, rows, cols))
}

/// Two of one shape.
fn pair() -> impl Strategy<Value = (BitTensor, BitTensor)> {
    (bits(), any::<u64>()).prop_map(|(a, seed)| {
        let b = random_bits(seed, 1, a.rows(), a.cols());
        (a, b)
    })
}

/// The +-1 products of all rows of a with all rows of b.
fn dot(a: &BitTensor, b: &BitTensor) -> Vec<i32> {
    let mut y = vec![0; a.rows() * b.rows()];
    product(&Engine::single(), a.view(), b.view(), &mut y[..]).unwrap();
    y
}

fn is_padded(bits: &BitTensor) -> bool {
    BitTensor::from_words(bits.rows(), bits.cols(), bits.words().to_vec()).is_ok()
}

proptest! {
    #[test]
    fn pack_undoes_unpack(a in bits()) {
        let x = unpack_signs(a.view());
        prop_assert_eq!(pack_signs(&Engine::single(), a.rows(), a.cols(), &x).unwrap(), a);
    }

    #[test]
    fn dot_is_symmetric((a, b) in pair()) {
        let turned = transpose(b.rows(), a.rows(), &dot(&b, &a)).unwrap();
        prop_assert_eq!(dot(&a, &b), turned);
    }

    #[test]
    fn dot_is_odd((a, b) in pair()) {
        let negative: Vec<_> = dot(&a, &b).iter().map(|y| -y).collect();
        prop_assert_eq!(dot(&a.not(), &b), negative);
    }

    #[test]
    fn dot_with_itself_is_the_length(a in bits()) {
        let y = dot(&a, &a);
        prop_assert!((0..a.rows()).all(|r| y[r * a.rows() + r] == a.cols() as i32));
    }

    #[test]
    fn flipping_twice_is_nothing((a, flips) in pair()) {
        let mut b = a.clone();
        b.flip(flips.view()).unwrap();
        prop_assert_eq!(&b, &a.xor(flips.view()).unwrap());
        b.flip(flips.view()).unwrap();
        prop_assert_eq!(b, a);
    }

    #[test]
    fn not_is_its_own_inverse_and_de_morgan_holds((a, b) in pair()) {
        prop_assert_eq!(&a.not().not(), &a);
        // a | b = a ^ b ^ (a & b)
        let both = a.and(b.view()).unwrap();
        let either = a.xor(b.view()).unwrap().xor(both.view()).unwrap();
        prop_assert_eq!(a.not().and(b.not().view()).unwrap(), either.not());
    }

    #[test]
    fn words_of_signs_are_packed_signs(mut x in prop::collection::vec(-1f32..1.0, 0..300), special in any::<prop::sample::Index>()) {
        for value in [0.0, -0.0, f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            if !x.is_empty() {
                let place = special.index(x.len());
                x[place] = value;
            }
            let expected = pack_signs(&Engine::single(), 1, x.len(), &x).unwrap();
            for isa in Isa::available() {
                let mut words = vec![!0; x.len().div_ceil(64)];
                sign_words(isa, &x, &mut words).unwrap();
                prop_assert_eq!(&words, expected.words(), "{} on {}", value, isa.name());
                words.push(0);
                prop_assert!(sign_words(isa, &x, &mut words).is_err());
            }
        }
    }

    #[test]
    fn what_was_there_leaves_no_trace((mut there, b) in pair(), p in 0.0..=1.0) {
        let (engine, (rows, cols), p) = (Engine::single(), b.shape(), Probability::new(p).unwrap());
        let both = there.and(b.view()).unwrap();
        there.keep(b.view()).unwrap();
        prop_assert_eq!(&there, &both);
        pack_signs_into(&engine, &unpack_signs(b.view()), &mut there).unwrap();
        prop_assert_eq!(&there, &b);
        mask_into(3, 4, p, &mut there);
        prop_assert_eq!(&there, &mask(3, 4, rows, cols, p));
    }

    #[test]
    fn transposing_twice_is_nothing(a in bits()) {
        let turned = a.transpose();
        prop_assert!((0..a.rows()).all(|r| (0..a.cols()).all(|c| a.get(r, c) == turned.get(c, r))));
        prop_assert_eq!(turned.transpose(), a);
    }

    #[test]
    fn ones_are_counted_once(a in bits()) {
        let columns = a.column_ones();
        prop_assert_eq!(columns.len(), a.cols());
        prop_assert_eq!(columns.iter().map(|&n| u64::from(n)).sum::<u64>(), a.count_ones());
        let ones = |c| (0..a.rows()).filter(|&r| a.get(r, c)).count();
        prop_assert!(columns.iter().enumerate().all(|(c, &n)| n as usize == ones(c)));
    }

    #[test]
    fn tiled_columns_repeat(a in bits(), times in 0..4usize) {
        let tiled = a.tile_columns(times);
        prop_assert_eq!(&tiled, &BitTensor::from_fn(a.rows(), a.cols() * times, |r, c| a.get(r, c % a.cols())));
    }

    #[test]
    fn selected_rows_are_those_rows(a in bits(), picks in prop::collection::vec(any::<prop::sample::Index>(), 0..9)) {
        let indices: Vec<_> = if a.rows() == 0 { vec![] } else { picks.iter().map(|i| i.index(a.rows())).collect() };
        let selected = a.select_rows(&indices).unwrap();
        prop_assert_eq!(selected, BitTensor::from_fn(indices.len(), a.cols(), |r, c| a.get(indices[r], c)));
    }

    #[test]
    fn set_changes_one_bit(a in bits(), row in any::<prop::sample::Index>(), col in any::<prop::sample::Index>()) {
        prop_assume!(a.rows() > 0 && a.cols() > 0);
        let (row, col) = (row.index(a.rows()), col.index(a.cols()));
        let mut b = a.clone();
        b.set(row, col, !a.get(row, col));
        prop_assert_eq!(b.xor(a.view()).unwrap(), BitTensor::from_fn(a.rows(), a.cols(), |r, c| (r, c) == (row, col)));
    }

    #[test]
    fn padding_stays_zero((mut a, b) in pair(), times in 0..4usize, p in 0.0..=1.0) {
        let p = Probability::new(p).unwrap();
        let ternary = Ternary::from_bits(a.clone());
        let made = [
            a.not(), a.xor(b.view()).unwrap(), a.and(b.view()).unwrap(), a.transpose(), a.tile_columns(times),
            ternary.nonzero().clone(), ternary.transpose().nonzero().clone(), a.not().transpose().not(),
            mask(1, 2, a.rows(), a.cols(), p), BitTensor::from_fn(a.rows(), a.cols(), |_, _| true),
        ];
        prop_assert!(made.iter().all(is_padded));
        a.flip(b.not().view()).unwrap();
        prop_assert!(is_padded(&a));
    }

    #[test]
    fn ternary_values_survive(values in prop::collection::vec(-2..=2i32, 0..300), cols in 1..100usize) {
        let rows = values.len() / cols;
        let values = &values[..rows * cols];
        let x = Ternary::from_i32(rows, cols, values).unwrap();
        let reals: Vec<_> = values.iter().map(|&v| v as f32).collect();
        prop_assert_eq!(&x, &Ternary::from_f32(rows, cols, &reals).unwrap());
        prop_assert_eq!(&x, &Ternary::new(x.sign().clone(), x.nonzero().clone()).unwrap());
        prop_assert_eq!(&x.transpose().transpose(), &x);
        let at = |r: usize, c: usize| i32::from(x.get(r, c)) == values[r * cols + c].signum();
        prop_assert!((0..rows).all(|r| (0..cols).all(|c| at(r, c))));
    }

    /// Who wants the opposite of a wish asks exactly where the wish does not, among those that speak.
    #[test]
    fn opposite_wishes_share_the_voters((own, operand) in pair(), signal in any::<u64>()) {
        // own: (m, n), operand: (k = m, n), signal: (m, k)
        let m = own.rows();
        let nonzero = random_bits(signal, 1, m, m);
        let sign = random_bits(signal, 2, m, m).and(nonzero.view()).unwrap();
        let opposite = Ternary::new(sign.xor(nonzero.view()).unwrap(), nonzero.clone()).unwrap();
        let wish = Ternary::new(sign, nonzero.clone()).unwrap();
        let count = |wish| votes(&Engine::single(), own.view(), wish, operand.view(), None).unwrap();
        let speak = |r: usize| nonzero.row(r).iter().map(|word| word.count_ones()).sum::<u32>();
        let both = count(&wish).into_iter().zip(count(&opposite)).map(|(a, b)| a + b);
        prop_assert!(both.enumerate().all(|(at, votes)| votes == speak(at / own.cols())));
    }

    #[test]
    fn probability_is_the_nearest_and_never_loses_a_positive_one(p in 0.0..=1.0) {
        let q = Probability::new(p).unwrap().get();
        prop_assert!((q - p).abs() <= 0.5 / 65536.0 || q == 1.0 / 65536.0);
        prop_assert!(q > 0.0 || p == 0.0);
        prop_assert_eq!(Probability::new(q).unwrap().get(), q);
    }

    #[test]
    fn a_mask_is_the_corner_of_every_larger_one(
        seed: u64, stream: u64, rows in 0..4usize, cols in 0..200usize, more in 0..100usize, p in 0.0..=1.0,
    ) {
        let p = Probability::new(p).unwrap();
        let (small, large) = (mask(seed, stream, rows, cols, p), mask(seed, stream, rows + more, cols + more, p));
        prop_assert_eq!(small, BitTensor::from_fn(rows, cols, |r, c| large.get(r, c)));
    }

    #[test]
    fn masks_grow_with_their_probability(seed: u64, p in 0.0..=1.0, q in 0.0..=1.0) {
        let [low, high] = [f64::min(p, q), f64::max(p, q)].map(|p| mask(seed, 0, 3, 200, Probability::new(p).unwrap()));
        prop_assert_eq!(low.and(high.view()).unwrap(), low);
    }

    /// The suppressor of flip training: each further halving is one more AND, with bits that no other has
    /// seen.
    #[test]
    fn masks_of_powers_of_two_are_nested_and_halve(seed: u64) {
        let level = |s: i32| mask(seed, 7, 64, 4096, Probability::new(0.5f64.powi(s)).unwrap());
        prop_assert_eq!(level(1), random_bits(seed, 7, 64, 4096));
        for s in 1..=6 {
            let (outer, inner) = (level(s), level(s + 1));
            prop_assert_eq!(&inner.and(outer.view()).unwrap(), &inner);
            let (n, ones) = (outer.count_ones() as f64, inner.count_ones() as f64);
            prop_assert!((ones - n / 2.0).abs() < 6.0 * (n / 4.0).sqrt(), "level {}: {} of {}", s + 1, ones, n);
        }
    }
}

/// The density of masks, within 5 standard deviations. Seeds are fixed: this either holds or it does not.
#[test]
fn bits_in_rows_of_another_length() {
    for (rows, cols, new_rows) in [
        (4usize, 3usize, 2usize),
        (6, 70, 4),
        (5, 64, 10),
        (3, 128, 6),
        (7, 65, 5),
        (1, 200, 200),
        (130, 1, 1),
        (0, 9, 0),
    ] {
        let new_cols = (rows * cols).checked_div(new_rows).unwrap_or(5);
        let bits = random_bits(1, 0, rows, cols);
        let reshaped = bits.clone().reshape(new_rows, new_cols).unwrap();
        let same = |r, c| bits.get((r * new_cols + c) / cols, (r * new_cols + c) % cols);
        assert_eq!(reshaped, BitTensor::from_fn(new_rows, new_cols, same), "{rows} x {cols}");
        assert!(BitTensor::from_words(new_rows, new_cols, reshaped.words().to_vec()).is_ok());
        assert_eq!(reshaped.reshape(rows, cols).unwrap(), bits);
    }
    let refused = BitTensor::zeros(2, 3).reshape(2, 4).unwrap_err().to_string();
    assert_eq!(refused, "reshape: the new shape must have length 6, got 8");
    assert!(BitTensor::zeros(2, 3).reshape(usize::MAX, 4).is_err());
}

#[test]
fn masks_have_their_density() {
    let n = 1000.0 * 1000.0;
    for p in [0.0, 1.0 / 65536.0, 0.01, 0.0625, 0.3, 0.5, 0.7, 65535.0 / 65536.0, 1.0] {
        let p = Probability::new(p).unwrap();
        for stream in 0..4 {
            let ones = mask(11, stream, 1000, 1000, p).count_ones() as f64;
            let deviation = (n * p.get() * (1.0 - p.get())).sqrt();
            assert!((ones - n * p.get()).abs() <= 5.0 * deviation, "{} of {n} with p = {}", ones, p.get());
        }
    }
}

/// Bits of different seeds, streams, rows and columns agree half of the time.
#[test]
fn masks_are_independent() {
    let a = random_bits(1, 0, 1024, 1024);
    let shifted = BitTensor::from_fn(1024, 1024, |r, c| a.get((r + 1) % 1024, c));
    let turned = BitTensor::from_fn(1024, 1024, |r, c| a.get(r, (c + 64) % 1024));
    for b in [
        random_bits(2, 0, 1024, 1024),
        random_bits(1, 1, 1024, 1024),
        random_bits(0, 1, 1024, 1024),
        shifted,
        turned,
    ] {
        let differ = a.xor(b.view()).unwrap().count_ones() as f64;
        let (mean, deviation) = (f64::from(1 << 19), f64::from(1 << 9));
        assert!((differ - mean).abs() < 5.0 * deviation, "{differ} of {mean}");
    }
}

/// The generator is part of what makes a training run repeatable: its bits must not change unnoticed.
/// The words were computed from the formulas in the header of `random` by a program of its own.
#[test]
fn the_generator_stays_the_same() {
    let first = |seed, stream| random_bits(seed, stream, 1, 64).words()[0];
    assert_eq!(
        [first(0, 0), first(1, 0), first(0, 1)],
        [0xa5d3758b95b92366, 0x12087fdb175ec8f9, 0x3ce85d78c3062172]
    );
    let p = Probability::new(0.3).unwrap();
    assert_eq!(mask(42, 3, 3, 128, p).row(2)[1], 0x6250341128000800);
}

// === signs at random ===

/// Random signs of x: (rows, cols).
fn random_signs(engine: &Engine, rows: usize, cols: usize, x: &[f32], seed: u64) -> BitTensor {
    let mut bits = random_bits(seed, 1, rows, cols); // whatever was there before
    pack_random_signs_into(engine, x, Noise { seed, step: 2 }, &mut bits).unwrap();
    bits
}

proptest! {
    #[test]
    fn random_signs_depend_on_place_and_value_alone(rows in 1..40usize, cols in 1..200usize, seed: u64) {
        let x: Vec<f32> = (0..rows * cols).map(|at| (at * 37 % 101) as f32 / 50.0 - 1.0).collect();
        let all = random_signs(&Engine::single().with_isa(Isa::PORTABLE), rows, cols, &x, seed);
        prop_assert!(is_padded(&all));
        for isa in Isa::available() {
            let threads = if cfg!(feature = "std") { 2 } else { 1 };
            let engine = Engine::new(threads).unwrap().with_isa(isa);
            prop_assert_eq!(&random_signs(&engine, rows, cols, &x, seed), &all);
        }
        // the same in the corner of a larger one, and more of them where values are larger
        let (height, width) = (rows.div_ceil(2), cols.div_ceil(2));
        let corner: Vec<f32> = x.chunks(cols).take(height).flat_map(|row| &row[..width]).copied().collect();
        let few = random_signs(&Engine::single(), height, width, &corner, seed);
        let larger: Vec<f32> = x.iter().map(|x| x + 0.3).collect();
        let more = random_signs(&Engine::single(), rows, cols, &larger, seed);
        for (r, c) in (0..rows).flat_map(|r| (0..cols).map(move |c| (r, c))) {
            prop_assert!(r >= height || c >= width || few.get(r, c) == all.get(r, c));
            prop_assert!(more.get(r, c) >= all.get(r, c));
        }
    }
}

#[test]
fn random_signs_at_the_ends() {
    let (mut x, signs) =
        (vec![1.0; 70_000], |x: &[f32]| random_signs(&Engine::single(), 1, x.len(), x, 3).count_ones());
    assert_eq!(signs(&x), 70_000);
    x.fill(-1.0);
    assert_eq!(signs(&x), 0);
    x.fill(f32::NAN);
    assert_eq!(signs(&x), 0);
    let error = pack_random_signs_into(
        &Engine::single(),
        &[0.0; 5],
        Noise { seed: 0, step: 0 },
        &mut BitTensor::zeros(2, 3),
    );
    assert_eq!(error, Err(Error::Length { op: "pack_random_signs", operand: "x", expected: 6, got: 5 }));
}
