//! A corner of a layer's weights, for display.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use onebit_bits::BitTensor;
use serde::{Deserialize, Serialize};

use crate::network::Network;

/// Maximum numbers of rows and columns of a corner.
const MOST: (usize, usize) = (64, 1024);

/// The first rows and columns of a matrix of bits.
///
/// ```
/// use onebit_bits::BitTensor;
/// use onebit_train::record::BitImage;
///
/// let image = BitImage::of(&BitTensor::from_fn(2, 3, |row, col| row == col));
/// assert_eq!(image.decode().unwrap(), [true, false, false, false, true, false]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BitImage {
    /// Rows of the whole matrix, one for each output.
    pub of_rows: usize,
    /// Columns of the whole matrix, one for each input; taps times channels in a convolution.
    pub of_cols: usize,
    /// Rows of the corner.
    pub rows: usize,
    /// Columns of the corner.
    pub cols: usize,
    /// The bits in base64: row by row without gaps, eight in a byte, the first in the lowest bit.
    pub bits: String,
}

impl BitImage {
    /// Takes the corner of `bits`.
    pub fn of(bits: &BitTensor) -> Self {
        let (of_rows, of_cols) = bits.shape();
        let (rows, cols) = (of_rows.min(MOST.0), of_cols.min(MOST.1));
        let mut bytes = vec![0u8; (rows * cols).div_ceil(8)];
        for at in (0..rows * cols).filter(|at| bits.get(at / cols, at % cols)) {
            bytes[at / 8] |= 1 << (at % 8);
        }
        Self { of_rows, of_cols, rows, cols, bits: STANDARD.encode(bytes) }
    }

    /// Returns the bits row by row; `None` if the text is invalid or has another length.
    pub fn decode(&self) -> Option<Vec<bool>> {
        let bytes = STANDARD.decode(&self.bits).ok()?;
        let bits = self.rows.checked_mul(self.cols)?;
        (bytes.len() == bits.div_ceil(8))
            .then(|| (0..bits).map(|at| bytes[at / 8] >> (at % 8) & 1 == 1).collect())
    }
}

/// A corner of the weights of one layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerBits {
    /// Index and name of the layer.
    pub layer: String,
    /// Taps of a kernel, 1 in a dense layer. Tap `t` of channel `c` is column `t * channels + c`.
    pub taps: usize,
    /// Corner of the weights.
    pub image: BitImage,
}

/// Returns the corners of all layers with binary weights.
pub(crate) fn weights(net: &Network) -> Vec<LayerBits> {
    let layers = net.labelled_weights().into_iter();
    layers.map(|(layer, w)| LayerBits { layer, taps: w.taps, image: BitImage::of(w.bits) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corner_comes_back() {
        let bits = BitTensor::from_fn(70, 13, |r, c| (r * 7 + c * 3) % 5 < 2);
        let image = BitImage::of(&bits);
        assert_eq!((image.rows, image.cols, image.of_rows, image.of_cols), (64, 13, 70, 13));
        let decoded = image.decode().unwrap();
        assert!((0..64 * 13).all(|at| decoded[at] == bits.get(at / 13, at % 13)));
        assert_eq!(BitImage { rows: 65, ..image.clone() }.decode(), None);
        assert_eq!(BitImage { bits: "no!".into(), ..image }.decode(), None);
    }
}
