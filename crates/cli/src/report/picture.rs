//! Pictures as PNG data inside a page.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

/// A picture of `width * height` RGBA pixels, row by row.
pub(super) struct Picture {
    width: usize,
    height: usize,
    rgba: Vec<u8>,
}

impl Picture {
    /// A picture whose pixel at row and column is `colour(row, column)`.
    pub(super) fn from_fn(width: usize, height: usize, colour: impl Fn(usize, usize) -> [u8; 4]) -> Self {
        let rgba = (0..width * height).flat_map(|at| colour(at / width, at % width)).collect();
        Self { width, height, rgba }
    }

    /// The picture as a `data:` address for `src` and `href`.
    pub(super) fn uri(&self) -> String {
        let mut png = Vec::new();
        let size = (self.width as u32, self.height as u32);
        let encoded =
            PngEncoder::new(&mut png).write_image(&self.rgba, size.0, size.1, ExtendedColorType::Rgba8);
        match encoded {
            Ok(()) => format!("data:image/png;base64,{}", STANDARD.encode(png)),
            // A picture without pixels cannot be encoded.
            Err(_) => "data:,".into(),
        }
    }
}

/// The colour of a share: dark blue at 0, pale at 1/2, dark red at 1.
pub(super) fn share_colour(share: f32) -> [u8; 4] {
    const STOPS: [[f32; 3]; 5] = [
        [24.0, 38.0, 112.0],
        [86.0, 136.0, 208.0],
        [250.0, 243.0, 205.0],
        [228.0, 122.0, 76.0],
        [122.0, 16.0, 40.0],
    ];
    let place = share.clamp(0.0, 1.0) * 4.0;
    let stop = (place as usize).min(3);
    let between = |c: usize| STOPS[stop][c] + (STOPS[stop + 1][c] - STOPS[stop][c]) * (place - stop as f32);
    [between(0) as u8, between(1) as u8, between(2) as u8, 255]
}

/// The colour of a density from 0 to 1: transparent at 0.
pub(super) fn density_colour(density: f32) -> [u8; 4] {
    let density = density.clamp(0.0, 1.0);
    [56, 122, 214, (255.0 * density.sqrt()) as u8]
}

/// The colour of a bit: blue for 1, transparent for 0.
pub(super) fn bit_colour(bit: bool) -> [u8; 4] {
    if bit { [56, 122, 214, 255] } else { [0, 0, 0, 0] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_comes_back() {
        let picture = Picture::from_fn(3, 2, |row, column| [row as u8 * 100, column as u8 * 50, 7, 255]);
        let uri = picture.uri();
        let png = STANDARD.decode(uri.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        let back = image::load_from_memory(&png).unwrap().to_rgba8();
        assert_eq!((back.width(), back.height(), back.get_pixel(2, 1).0), (3, 2, [100, 100, 7, 255]));
    }

    #[test]
    fn colours_of_shares_end_dark() {
        let light = |share| share_colour(share).iter().take(3).map(|&c| u32::from(c)).sum::<u32>();
        assert!(light(0.0) < light(0.25) && light(0.25) < light(0.5));
        assert!(light(1.0) < light(0.75) && light(0.75) < light(0.5));
    }
}
