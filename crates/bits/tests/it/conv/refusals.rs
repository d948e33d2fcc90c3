//! Operands that do not fit.

use onebit_bits::*;

#[test]
fn what_cannot_be_is_refused() {
    let engine = Engine::single();
    let conv = Geometry::new(8, 4, (3, 3));
    let one = |h, w| Images { b: 1, h, w };
    let refused = |conv: Geometry, images: Images| conv.output(images).unwrap_err().to_string();
    assert_eq!(refused(conv, one(2, 3)), "conv: a kernel of 3 x 3 does not fit into an image of 2 x 3");
    assert_eq!(
        refused(Geometry { kernel: (0, 3), ..conv }, one(2, 3)),
        "conv: kernel must be at least 1 x 1, got 0 x 3"
    );
    assert_eq!(
        refused(Geometry { stride: (1, 0), ..conv }, one(3, 3)),
        "conv: stride must be at least 1 x 1, got 1 x 0"
    );
    for groups in [0, 3, 8, usize::MAX] {
        let expected =
            format!("conv: groups must divide the 8 channels of the input and 4 of the output, got {groups}");
        assert_eq!(refused(Geometry { groups, ..conv }, one(3, 3)), expected);
    }
    assert!(matches!(Geometry { groups: 9, c_in: 0, c_out: 0, ..conv }.patch(), Err(Error::Groups { .. })));
    let too_large =
        |conv: Geometry, images| assert!(matches!(conv.output(images), Err(Error::TooLarge { .. })));
    too_large(Geometry { padding: Padding::around(usize::MAX), ..conv }, one(3, 3));
    too_large(Geometry { padding: Padding::around(usize::MAX / 4), ..conv }, one(3, 3));
    too_large(Geometry { kernel: (usize::MAX, 2), ..conv }, one(3, 3));
    too_large(Geometry { kernel: (1 << 15, 1 << 15), ..conv }, one(3, 3));
    too_large(conv, Images { b: usize::MAX, h: 3, w: 3 });

    let (x, weights) = (BitTensor::zeros(9, 8), BitTensor::zeros(4, 72));
    let packed = ConvWeights::pack(&engine, conv, weights.view()).unwrap();
    assert_eq!(packed.conv(), &conv);
    let shape = |result: Result<()>| assert!(matches!(result, Err(Error::Shape { .. })), "{result:?}");
    let length = |result: Result<()>| assert!(matches!(result, Err(Error::Length { .. })), "{result:?}");
    let (y, mut bits, row) = (&mut [0; 4][..], BitTensor::zeros(1, 4), BitTensor::zeros(1, 4));
    shape(ConvWeights::pack(&engine, conv, BitTensor::zeros(4, 71).view()).map(drop));
    shape(convolve(&engine, x.view(), one(3, 4), &packed, &mut y[..]));
    shape(convolve(&engine, BitTensor::zeros(9, 7).view(), one(3, 3), &packed, &mut y[..]));
    length(convolve(&engine, x.view(), one(3, 3), &packed, &mut y[..3]));
    let threshold = |thresholds: &[i32], descending: &BitTensor, bits: &mut BitTensor| {
        convolve(
            &engine,
            x.view(),
            one(3, 3),
            &packed,
            Threshold { thresholds, descending: descending.view(), bits },
        )
    };
    assert_eq!(threshold(&[0; 4], &row, &mut bits), Ok(()));
    length(threshold(&[0; 3], &row, &mut bits));
    shape(threshold(&[0; 4], &BitTensor::zeros(1, 5), &mut bits));
    shape(threshold(&[0; 4], &row, &mut BitTensor::zeros(2, 4)));
    let back = ConvTransposed::pack(&engine, conv, weights.view()).unwrap();
    let (dy, dx, dw) = (&[0.0; 4][..], &mut [0.0; 72][..], &mut [0.0; 288][..]);
    let (mut round, mut bytes) = (Int8::new(), Int8::new());
    round.round(&engine, 1, 4, dy, Noise { seed: 0, step: 0 }).unwrap();
    bytes.round(&engine, 4, 1, dy, Noise { seed: 0, step: 0 }).unwrap();
    assert_eq!(convolve(&engine, dy, one(3, 3), &back, &mut dx[..]), Ok(()));
    assert_eq!(convolve(&engine, &round, one(3, 3), &back, &mut dx[..]), Ok(()));
    assert_eq!(
        product(&engine, dy, Patches { geometry: conv, images: one(3, 3), x: x.view() }, &mut dw[..]),
        Ok(())
    );
    assert_eq!(
        product(&engine, &bytes, Patches { geometry: conv, images: one(3, 3), x: x.view() }, &mut dw[..]),
        Ok(())
    );
    shape(ConvTransposed::pack(&engine, conv, x.view()).map(drop));
    length(convolve(&engine, &dy[1..], one(3, 3), &back, &mut dx[..]));
    length(convolve(&engine, dy, one(3, 3), &back, &mut dx[1..]));
    shape(convolve(&engine, &bytes, one(3, 3), &back, &mut dx[..]));
    length(product(
        &engine,
        &dy[1..],
        Patches { geometry: conv, images: one(3, 3), x: x.view() },
        &mut dw[..],
    ));
    length(product(&engine, dy, Patches { geometry: conv, images: one(3, 3), x: x.view() }, &mut dw[1..]));
    shape(product(
        &engine,
        dy,
        Patches { geometry: conv, images: one(3, 3), x: weights.view() },
        &mut dw[..],
    ));
    shape(product(&engine, &round, Patches { geometry: conv, images: one(3, 3), x: x.view() }, &mut dw[..]));

    let pool = Pool { kernel: (2, 2), stride: (2, 2) };
    let refused = |pool: Pool, images: Images| pool.output(images).unwrap_err().to_string();
    assert_eq!(refused(pool, one(1, 3)), "pool: a kernel of 2 x 2 does not fit into an image of 1 x 3");
    assert_eq!(
        refused(Pool { kernel: (0, 1), ..pool }, one(3, 3)),
        "pool: window must be at least 1 x 1, got 0 x 1"
    );
    assert_eq!(
        refused(Pool { stride: (0, 1), ..pool }, one(3, 3)),
        "pool: stride must be at least 1 x 1, got 0 x 1"
    );
    assert!(matches!(pool.output(one(usize::MAX, 3)), Err(Error::TooLarge { .. })));
    let (row, mut smallest) = (BitTensor::zeros(1, 8), BitTensor::zeros(1, 8));
    let mut pooled = |x: &BitTensor, row: &BitTensor, images| {
        pool_or_and(&engine, x.view(), images, pool, row.view(), &mut smallest)
    };
    assert_eq!(pooled(&x, &row, one(3, 3)), Ok(()));
    shape(pooled(&x, &row, one(3, 2)));
    shape(pooled(&x, &BitTensor::zeros(1, 7), one(3, 3)));
    shape(pooled(&BitTensor::zeros(16, 8), &row, one(4, 4)));
    if Isa::best() != Isa::PORTABLE {
        let portable = Engine::single().with_isa(Isa::PORTABLE);
        let wrong = convolve(&portable, x.view(), one(3, 3), &packed, &mut y[..]);
        assert!(matches!(wrong, Err(Error::Packed { .. })), "{wrong:?}");
    }
}
