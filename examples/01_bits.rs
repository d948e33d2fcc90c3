//! # 1. Bits
//!
//! How numbers become bits, and how a dot product of +-1 becomes XOR and popcount.
//!
//! cargo run --release --example 01_bits

use onebit::{
    BitTensor, Engine,
    bits::{pack_signs, product, unpack_signs},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // An engine is an instruction set and a number of threads: here the best of this machine, and one thread.
    let engine = Engine::single();

    // Bit 1 is +1 and bit 0 is -1. Packing keeps only the signs, and the sign of 0 is +1.
    let x = pack_signs(&engine, 1, 5, &[0.3, -2.0, 0.0, -0.1, 7.0])?; // x: (1, 5) bits
    assert_eq!(unpack_signs(x.view()), [1.0, -1.0, 1.0, -1.0, 1.0]);

    // A row takes whole 64-bit words; the bits after the last column are zero. So 5 numbers take one word.
    println!("5 numbers in {} word: {:05b}", x.words_per_row(), x.words()[0]);

    // The product of two bits is +1 if they are equal and -1 if they differ: XNOR. So the dot product of two
    // rows of n bits is n minus twice the number of bits that differ. Here the second row of w equals x.
    let w = BitTensor::from_fn(2, 5, |output, input| output == 0 || input % 2 == 0); // w: (2, 5) bits
    let mut y = [0; 2];
    product(&engine, x.view(), w.view(), &mut y[..])?; // y: (1, 2)
    let differ = |output: usize| (x.words()[0] ^ w.row(output)[0]).count_ones() as i32;
    assert_eq!(y, [5 - 2 * differ(0), 5 - 2 * differ(1)]);
    println!("dot products: {y:?}"); // [1, 5]

    // The same product with real numbers gives the same result.
    let (x, w) = (unpack_signs(x.view()), unpack_signs(w.view()));
    let dot = |row: &[f32]| x.iter().zip(row).map(|(x, w)| x * w).sum::<f32>();
    assert_eq!(w.chunks_exact(5).map(dot).collect::<Vec<_>>(), [y[0] as f32, y[1] as f32]);
    Ok(())
}
