//! Shapes and data from the bytes of a fuzzer.

use onebit_bits::{BitTensor, Ternary};

/// The bytes of a fuzzer, and after their end a stream of others that depends on all of them.
pub struct Input<'a> {
    bytes: &'a [u8],
    state: u64,
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        // FNV-1a
        let hash = |state: u64, byte: &u8| (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self { bytes, state: bytes.iter().fold(0xcbf2_9ce4_8422_2325, hash) }
    }

    fn byte(&mut self) -> u8 {
        match self.bytes {
            [first, rest @ ..] => {
                self.bytes = rest;
                *first
            }
            [] => {
                self.state = self.state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                (self.state >> 56) as u8
            }
        }
    }

    fn word(&mut self) -> u64 {
        u64::from_le_bytes([(); 8].map(|()| self.byte()))
    }

    /// A number in 0..=largest, of one byte if that is enough.
    pub fn up_to(&mut self, largest: usize) -> usize {
        let wide = if largest < 256 { usize::from(self.byte()) } else { self.word() as usize };
        wide % (largest + 1)
    }

    /// Three dimensions, of which the middle one is summed over.
    pub fn shape(&mut self) -> (usize, usize, usize) {
        (self.up_to(40), self.up_to(600), self.up_to(100))
    }

    /// rows x cols bits
    pub fn bits(&mut self, rows: usize, cols: usize) -> BitTensor {
        let mut word = 0;
        BitTensor::from_fn(rows, cols, |_, col| {
            if col % 64 == 0 {
                word = self.word();
            }
            word >> (col % 64) & 1 == 1
        })
    }

    /// rows x cols values of -1, 0, 1
    pub fn ternary(&mut self, rows: usize, cols: usize) -> Ternary {
        let nonzero = self.bits(rows, cols);
        let sign = self.bits(rows, cols).and(nonzero.view()).expect("equal shapes");
        Ternary::new(sign, nonzero).expect("no zero has a sign")
    }

    /// Integers in -limit..=limit.
    pub fn integers(&mut self, len: usize, limit: i32) -> Vec<i32> {
        (0..len).map(|_| self.up_to(2 * limit as usize) as i32 - limit).collect()
    }

    /// Finite numbers whose products with each other are finite, zeros of both signs and subnormal ones among
    /// them.
    pub fn reals(&mut self, len: usize) -> Vec<f32> {
        let real = |input: &mut Self| {
            let word = input.word();
            let any = f32::from_bits(word as u32);
            if any.abs() < 1e12 { any } else { word as i32 as f32 / 16_777_216.0 }
        };
        (0..len).map(|_| real(self)).collect()
    }
}

/// Row after row, as +-1.
pub fn signs(bits: &BitTensor) -> Vec<i8> {
    bools(bits).into_iter().map(|bit| if bit { 1 } else { -1 }).collect()
}

/// Row after row.
pub fn bools(bits: &BitTensor) -> Vec<bool> {
    (0..bits.rows()).flat_map(|r| (0..bits.cols()).map(move |c| bits.get(r, c))).collect()
}

/// Row after row.
pub fn values(x: &Ternary) -> Vec<i8> {
    (0..x.rows()).flat_map(|r| (0..x.cols()).map(move |c| x.get(r, c))).collect()
}

pub fn floats(x: &[i8]) -> Vec<f32> {
    x.iter().map(|&x| f32::from(x)).collect()
}

/// What `==` is for sums in one order: the same bits.
pub fn exact(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}
