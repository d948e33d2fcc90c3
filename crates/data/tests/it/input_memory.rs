//! Hostile inputs of predict take no more memory than is written in `docs/reference/security.md`: what is
//! allocated is counted.

use std::io::{Cursor, Read, repeat};

use image::{DynamicImage, GrayImage, ImageFormat};
use onebit_data::{FeatureRows, ImageShape, NpyRows, read_image};

use crate::counting::counted;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Does something with hostile bytes, and checks the bytes that it has at a time.
fn at_most<T>(what: &str, limit: usize, run: impl FnOnce() -> T) -> T {
    let (result, allocated) = counted(run);
    let peak = allocated.peak;
    println!("{what}: {peak} bytes at a time");
    assert!(peak > 0, "{what}: it is done by another thread, whose bytes are not counted");
    assert!(peak <= limit, "{what}: {peak} bytes at a time, more than {limit}");
    result
}

#[test]
fn memory_has_a_bound_that_no_header_moves() {
    let wanted = ["x", "y"].map(String::from);
    // A row of 4 MiB and more.
    for byte in *b"x,\"\0\n" {
        let what = format!("a table of `{}` without end", byte.escape_ascii());
        at_most(&what, 64 * 4 * MIB, || FeatureRows::new(repeat(byte), "x", &wanted).err().unwrap());
        at_most(&what, 64 * 4 * MIB, || {
            let rows = FeatureRows::new(b"x,y\n".chain(repeat(byte)), "x", &wanted).unwrap();
            rows.take(1).for_each(|row| assert!(row.is_err()));
        });
    }
    let commas = vec![b','; 4 * MIB - 16 * KIB];
    at_most("a header of commas", 64 * 4 * MIB, || {
        FeatureRows::new(&commas[..], "x", &wanted).err().unwrap()
    });
    let rows = "1,2\n".repeat(100_000);
    at_most("a long table", 64 * KIB, || {
        let table = FeatureRows::new(b"x,y\n".chain(rows.as_bytes()), "x", &wanted).unwrap();
        assert_eq!(table.map(Result::unwrap).count(), 100_000);
    });

    let array = |shape: &str, rows: usize| {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &vec![0; 8 * 100 * rows]].concat()
    };
    for (shape, rows) in [("(18446744073709551615, 100)", 1000), ("(1, 18446744073709551615)", 0)] {
        let file = array(shape, rows);
        at_most(&format!("an array {shape}"), 32 * KIB, || match NpyRows::new(&file[..], "x", 100) {
            Ok(array) => assert_eq!(array.filter(Result::is_ok).count(), rows),
            Err(error) => assert!(error.to_string().contains("18446744073709551615"), "{error}"),
        });
    }

    let image = |format| {
        let mut file = Cursor::new(Vec::new());
        DynamicImage::from(GrayImage::new(8, 8)).write_to(&mut file, format).unwrap();
        file.into_inner()
    };
    let (mut png, mut jpeg) = (image(ImageFormat::Png), image(ImageFormat::Jpeg));
    png[16..24].copy_from_slice([60000u32.to_be_bytes(); 2].as_flattened());
    let mut crc = flate2::Crc::new();
    crc.update(&png[12..29]);
    png[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    let start_of_frame = jpeg.windows(2).position(|marker| marker == b"\xff\xc0").unwrap();
    jpeg[start_of_frame + 5..start_of_frame + 9].copy_from_slice([60000u16.to_be_bytes(); 2].as_flattened());
    for file in [png, jpeg] {
        for shape in [None, Some(ImageShape { height: 8, width: 8, channels: 1 })] {
            let error = at_most("an image of 60000x60000 pixels", 256 * KIB, || {
                read_image(&file[..], "x", 64, shape).unwrap_err()
            });
            assert!(error.to_string().ends_with("got 60000x60000 pixels"), "{error}");
        }
    }
    at_most("an image without end", 256 * MIB, || read_image(repeat(0x89), "x", 64, None).unwrap_err());
}
