//! 1: what a bit stands for, and how a dot product of +-1 becomes XOR and popcount.
//!
//! cargo run --release --example 01_bits

use onebit::{
    BitTensor, Engine,
    bits::{pack_signs, unpack_signs, xnor_gemm},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::single();

    // Bit 1 is +1 and bit 0 is -1, so packing keeps the sign; the sign of 0 is +1.
    let x = pack_signs(&engine, 1, 5, &[0.3, -2.0, 0.0, -0.1, 7.0])?; // x: (1, 5) bits
    assert_eq!(unpack_signs(x.view()), [1.0, -1.0, 1.0, -1.0, 1.0]);

    // A row is whole 64-bit words and its padding is zero, so 5 numbers took one word.
    println!("5 numbers in {} word: {:05b}", x.words_per_row(), x.words()[0]);

    // Two bits multiply to +1 when they agree: the product is XNOR. So the dot product of two rows of n
    // bits is n minus twice the number of places where they differ.
    let w = BitTensor::from_fn(2, 5, |output, input| output == 0 || input < 3); // w: (2, 5) bits
    let mut y = [0; 2];
    xnor_gemm(&engine, x.view(), w.view(), &mut y)?;
    let differ = |o: usize| (x.words()[0] ^ w.row(o)[0]).count_ones() as i32;
    assert_eq!(y, [5 - 2 * differ(0), 5 - 2 * differ(1)]);
    println!("dot products: {y:?}");

    // The same product on real numbers, for comparison.
    let (x, w) = (unpack_signs(x.view()), unpack_signs(w.view()));
    let dot = |row: &[f32]| x.iter().zip(row).map(|(x, w)| x * w).sum::<f32>();
    assert_eq!(w.chunks_exact(5).map(dot).collect::<Vec<_>>(), [y[0] as f32, y[1] as f32]);
    Ok(())
}
