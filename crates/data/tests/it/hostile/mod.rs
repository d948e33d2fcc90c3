//! Whatever is to be predicted from: rows or an error, never a panic, and however slowly the bytes come.

mod properties;

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use proptest::{collection::vec, prelude::*, sample::Index};

const TABLE: &[u8] = b"name,width,height\nann,1,2\n\"b\nob\",3e5,-4\n,.5,6\n";

fn array() -> Vec<u8> {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n";
    let length = (header.len() as u16).to_le_bytes();
    [b"\x02\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &[0; 24]].concat()
}

/// Images of 2x2 pixels as `properties::image` takes them: a byte for the shape, then the file.
fn images() -> Vec<Vec<u8>> {
    let grey = DynamicImage::from(GrayImage::from_fn(2, 2, |x, y| [(100 * x + 50 * y) as u8].into()));
    let colour =
        DynamicImage::from(RgbImage::from_fn(2, 2, |x, y| [(100 * x) as u8, (50 * y) as u8, 7].into()));
    let file = |(image, format, shape)| {
        let mut file = Cursor::new(vec![shape]);
        file.set_position(1);
        DynamicImage::write_to(image, &mut file, format).unwrap();
        file.into_inner()
    };
    let (grey_shape, colour_shape) = (1 + 4, 1 + 4 + 32);
    let all = [
        (&grey, ImageFormat::Png, grey_shape),
        (&colour, ImageFormat::Png, colour_shape),
        (&grey, ImageFormat::Jpeg, grey_shape),
        (&colour, ImageFormat::Jpeg, colour_shape),
    ];
    all.map(file).to_vec()
}

/// A file with a few bytes changed, cut off or put in.
fn damaged(mut file: Vec<u8>, changes: &[(Index, u8)], cut: Option<Index>) -> Vec<u8> {
    for (at, byte) in changes {
        let at = at.index(file.len());
        if byte % 8 == 0 { file.insert(at, *byte) } else { file[at] ^= byte }
    }
    if let Some(cut) = cut {
        file.truncate(cut.index(file.len()));
    }
    file
}

fn changes() -> impl Strategy<Value = (Vec<(Index, u8)>, Option<Index>)> {
    (vec((any::<Index>(), any::<u8>()), 0..6), proptest::option::weighted(0.2, any::<Index>()))
}

#[test]
fn sound_files_are_read() {
    properties::csv(TABLE);
    properties::npy(&array());
    images().iter().for_each(|image| properties::image(image));
}

proptest! {
    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        properties::csv(&bytes);
        properties::npy(&bytes);
        properties::image(&bytes);
    }

    #[test]
    fn any_text_of_a_table(text in "[a-z0-9.,;\"\t\r\n -]{0,200}") {
        properties::csv(&[b"width,height\n", text.as_bytes()].concat());
    }

    #[test]
    fn damaged_tables((changes, cut) in changes()) {
        properties::csv(&damaged(TABLE.to_vec(), &changes, cut));
    }

    #[test]
    fn damaged_arrays((changes, cut) in changes()) {
        properties::npy(&damaged(array(), &changes, cut));
    }

    #[test]
    fn damaged_images(which in any::<Index>(), (changes, cut) in changes()) {
        let images = images();
        properties::image(&damaged(images[which.index(images.len())].clone(), &changes, cut));
    }
}
