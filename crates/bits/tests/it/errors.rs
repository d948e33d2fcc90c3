//! Every error variant, and that nothing from outside panics.

use onebit_bits::*;

fn zeros(rows: usize, cols: usize) -> BitTensor {
    BitTensor::zeros(rows, cols)
}

#[test]
fn shape() {
    let (engine, mut y) = (Engine::single(), [0; 6]);
    let wrong = product(&engine, zeros(2, 5).view(), zeros(3, 6).view(), &mut y[..]).unwrap_err();
    let expected = Error::Shape { op: "product", operand: "right", expected: (3, 5), got: (3, 6) };
    assert_eq!(wrong, expected);
    assert_eq!(wrong.to_string(), "product: right must be 3 x 5, got 3 x 6");
    let is_shape = |result: Result<()>| assert!(matches!(result, Err(Error::Shape { .. })), "{result:?}");
    let x = Ternary::from_bits(zeros(2, 5));
    is_shape(product(&engine, &x, zeros(3, 6).view(), &mut y[..]));
    is_shape(zeros(2, 3).flip(zeros(2, 4).view()));
    is_shape(zeros(2, 3).xor(zeros(3, 3).view()).map(drop));
    is_shape(zeros(2, 3).and(zeros(2, 64).view()).map(drop));
    is_shape(Ternary::new(zeros(2, 3), zeros(3, 2)).map(drop));
    is_shape(pack_at_least(&engine, 1, 2, &[1, 2], &[0, 0], zeros(1, 3).view()).map(drop));
    // own: (2, 4), signal: (2, 5), operand and changed: (5, 4)
    let ask = |own: (usize, usize), operand: (usize, usize), changed: (usize, usize)| {
        let [own, operand, changed] = [own, operand, changed].map(|(rows, cols)| zeros(rows, cols));
        votes(&engine, own.view(), &x, operand.view(), Some(changed.view())).map(drop)
    };
    assert_eq!(ask((2, 4), (5, 4), (5, 4)), Ok(()));
    is_shape(ask((3, 4), (5, 4), (5, 4)));
    is_shape(ask((2, 4), (4, 4), (5, 4)));
    is_shape(ask((2, 4), (5, 4), (5, 3)));
}

#[test]
fn length() {
    let engine = Engine::single();
    let wrong = pack_signs(&engine, 2, 3, &[0.0; 5]).unwrap_err();
    assert_eq!(wrong, Error::Length { op: "pack_signs", operand: "x", expected: 6, got: 5 });
    assert_eq!(wrong.to_string(), "pack_signs: x must have length 6, got 5");
    let is_length = |result: Result<()>| assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    is_length(product(&engine, zeros(2, 5).view(), zeros(3, 5).view(), &mut [0; 5][..]));
    is_length(BitTensor::from_words(2, 65, vec![0; 3]).map(drop));
    is_length(BitView::from_words(2, 0, &[0]).map(drop));
    is_length(Ternary::from_f32(2, 2, &[0.0; 5]).map(drop));
    is_length(Ternary::from_i32(2, 2, &[0; 3]).map(drop));
    is_length(pack_thresholds(&engine, 2, 2, &[0.0; 3], &[0.0]).map(drop));
    is_length(pack_above(&engine, 2, 2, &[0.0; 3], &[0.0; 2]).map(drop));
    is_length(pack_above(&engine, 2, 2, &[0.0; 4], &[0.0; 3]).map(drop));
    is_length(pack_above(&engine, 1, 0, &[0.0; 0], &[0.0; 3]).map(drop));
    is_length(pack_above_into(&engine, 2, &[0u8; 4], &[0; 2], &mut zeros(2, 4)));
    is_length(pack_above_into(&engine, 2, &[0u8; 4], &[0; 2], &mut zeros(1, 2)));
    is_length(pack_above_into(&engine, 2, &[0u8; 4], &[0; 3], &mut zeros(2, 3)));
    is_length(pack_above_into(&engine, 0, &[0u8; 0], &[0; 3], &mut zeros(0, 3)));
    is_length(pack_at_least(&engine, 1, 2, &[1; 3], &[0; 2], zeros(1, 2).view()).map(drop));
    is_length(pack_at_least(&engine, 1, 2, &[1; 2], &[0; 3], zeros(1, 2).view()).map(drop));
    is_length(pack_at_least(&engine, 1, 0, &[], &[0; 3], zeros(1, 0).view()).map(drop));
    // a: (2, 3) times (3, 4)
    let x = Ternary::from_bits(zeros(3, 4));
    is_length(product(&engine, &[0.0; 7][..], Columns(zeros(3, 4).view()), &mut [0.0; 8][..]));
    is_length(product(&engine, &[0.0; 6][..], Columns(zeros(3, 4).view()), &mut [0.0; 7][..]));
    is_length(product(&engine, &[0.0; 6][..], zeros(4, 3).view(), &mut [0.0; 9][..]));
    is_length(product(&engine, &[0.0; 5][..], Columns(&x), &mut [0.0; 8][..]));
    is_length(product(
        &engine,
        &[0.0; 5][..],
        Columns(RealView { rows: 3, cols: 4, values: &[0.0; 12][..] }),
        &mut [0.0; 8][..],
    ));
    is_length(product(
        &engine,
        &[0.0; 6][..],
        Columns(RealView { rows: 3, cols: 4, values: &[0.0; 13][..] }),
        &mut [0.0; 8][..],
    ));
    is_length(product(
        &engine,
        &[0.0; 6][..],
        Columns(RealView { rows: 3, cols: 4, values: &[0.0; 12][..] }),
        &mut [0.0; 9][..],
    ));
    is_length(transpose(2, 3, &[0.0; 5]).map(drop));
    is_length(votes_to_flips(2, 3, &[0; 5], 1, 0.5).map(drop));
}

#[test]
fn too_large() {
    let wrong = BitTensor::from_words(usize::MAX, 65, vec![]).unwrap_err();
    assert_eq!(wrong, Error::TooLarge { op: "from_words", rows: usize::MAX, cols: 2 });
    assert_eq!(wrong.to_string(), format!("from_words: {} x 2 is too large", usize::MAX));
    let is_large = |result: Result<()>| assert!(matches!(result, Err(Error::TooLarge { .. })), "{result:?}");
    let engine = Engine::single();
    is_large(pack_signs::<f32>(&engine, usize::MAX, 2, &[]).map(drop));
    is_large(votes_to_flips(usize::MAX, 2, &[], 1, 0.5).map(drop));
    is_large(transpose::<u8>(usize::MAX, 2, &[]).map(drop));
    // no rows, so no memory, but sums that i32 cannot hold
    is_large(product(&engine, zeros(0, 1 << 31).view(), zeros(0, 1 << 31).view(), &mut [0; 0][..]));
    // no values to compare, but more columns than can be counted
    is_large(pack_above::<f32>(&engine, usize::MAX, 2, &[], &[0.0; 2]).map(drop));
    is_large(pack_thresholds(&engine, 0, usize::MAX / 2, &[], &[0.0; 3]).map(drop));
}

#[test]
fn padding() {
    assert!(BitTensor::from_words(2, 64, vec![!0, !0]).is_ok());
    assert!(BitTensor::from_words(2, 65, vec![!0, 1, !0, 1]).is_ok());
    let wrong = BitTensor::from_words(2, 65, vec![!0, 1, !0, 2]).unwrap_err();
    assert_eq!(wrong, Error::Padding { row: 1 });
    assert_eq!(wrong.to_string(), "row 1 has a one in its padding bits, which must be zero");
    assert_eq!(BitView::from_words(1, 1, &[1 << 63]), Err(Error::Padding { row: 0 }));
}

#[test]
fn sign_of_zero() {
    let nonzero = BitTensor::from_fn(3, 70, |r, _| r != 2);
    let wrong = Ternary::new(BitTensor::from_fn(3, 70, |r, c| r == 2 && c == 69), nonzero).unwrap_err();
    assert_eq!(wrong, Error::SignOfZero { row: 2 });
    assert_eq!(wrong.to_string(), "row 2 has a sign bit where the value is zero");
}

#[test]
fn row() {
    let wrong = zeros(3, 5).select_rows(&[0, 3]).unwrap_err();
    assert_eq!(wrong, Error::Row { row: 3, rows: 3 });
    assert_eq!(wrong.to_string(), "row 3 asked of 3 rows");
}

#[test]
fn isa() {
    let wrong = Isa::named("mmx").unwrap_err().to_string();
    let available: Vec<_> = Isa::available().iter().map(|isa| isa.name()).collect();
    assert_eq!(wrong, format!("no instruction set \"mmx\" here, only {}", available.join(", ")));
    for isa in Isa::available() {
        assert_eq!(Isa::named(isa.name()), Ok(isa));
        assert_eq!(Engine::single().with_isa(isa).isa(), isa);
    }
}

#[test]
fn probability() {
    for p in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(Probability::new(p), Err(Error::Probability(_))), "{p}");
        assert!(matches!(votes_to_flips(0, 0, &[], 1, p), Err(Error::Probability(_))), "{p}");
    }
    assert_eq!(Probability::new(1.5).unwrap_err().to_string(), "probability must be in 0..=1, got 1.5");
    assert_eq!(Probability::new(1e-300).unwrap().get(), 1.0 / 65536.0);
}

#[test]
fn threads() {
    assert_eq!(Engine::new(0).unwrap_err().to_string(), "cannot run on 0 threads: at least 1 is needed");
    assert!(matches!(Engine::new(usize::MAX), Err(Error::Threads { got: usize::MAX, .. })));
    assert_eq!(Engine::new(1).unwrap().threads(), 1);
    let two = Engine::new(2).map(|engine| engine.threads());
    if cfg!(feature = "std") {
        assert_eq!(two, Ok(2));
    } else {
        assert!(matches!(two, Err(Error::Threads { got: 2, .. })));
    }
}

#[test]
fn panels_for_another_use() {
    let engine = Engine::single();
    let (x, w) = (BitTensor::zeros(2, 70), BitTensor::zeros(3, 70));
    let mut y = [0; 6];
    let reals = Panels::of_rows_for_reals(&engine, w.view());
    let error = product(&engine, x.view(), &reals, &mut y[..]).unwrap_err();
    let isa = engine.isa().name();
    let expected = format!("product: the panels are packed for reals on {isa}, expected bits on {isa}");
    assert_eq!(error.to_string(), expected);
    let panels = Panels::of_rows(&engine, w.view());
    let error = product(&engine, &Ternary::from_bits(x.clone()), &panels, &mut [0i8; 6][..]).unwrap_err();
    let expected = format!("product: the panels are packed for bits on {isa}, expected votes on {isa}");
    assert_eq!(error.to_string(), expected);
    let portable = Panels::of_rows(&Engine::single().with_isa(Isa::PORTABLE), w.view());
    if engine.isa() != Isa::PORTABLE {
        let error = product(&engine, x.view(), &portable, &mut y[..]).unwrap_err();
        assert!(error.to_string().ends_with(&format!("bits on portable, expected bits on {isa}")), "{error}");
    }
    let panels = Panels::of_rows(&engine, w.view());
    let error = product(&engine, BitTensor::zeros(2, 71).view(), &panels, &mut y[..]).unwrap_err();
    assert_eq!(error.to_string(), "product: left must be 2 x 70, got 2 x 71");
    let (mut bits, mut scores) = (BitTensor::zeros(2, 3), [0.0; 6]);
    let threshold = |thresholds: &[i32], descending: usize, bits: &mut BitTensor| {
        let descending = BitTensor::zeros(1, descending);
        product(&engine, x.view(), &panels, Threshold { thresholds, descending: descending.view(), bits })
            .unwrap_err()
            .to_string()
    };
    assert_eq!(threshold(&[0; 2], 3, &mut bits), "product: thresholds must have length 3, got 2");
    assert_eq!(threshold(&[0; 3], 2, &mut bits), "product: descending must be 1 x 3, got 1 x 2");
    let y_of = &mut BitTensor::zeros(3, 3);
    assert_eq!(threshold(&[0; 3], 3, y_of), "product: bits must be 2 x 3, got 3 x 3");
    let error =
        product(&engine, x.view(), &panels, Scores { scale: &[1.0; 2], scores: &mut scores }).unwrap_err();
    assert_eq!(error.to_string(), "product: scale must have length 3, got 2");
}
