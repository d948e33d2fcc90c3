//! Bit matrices: rows of 64-bit words.
//!
//! Column c of a row is bit `c % 64` of word `c / 64`. A row has `ceil(cols / 64)` words; the bits beyond the
//! last column, the padding, are zero, and no public function can change that.
//!
//! ```
//! use onebit_bits::BitTensor;
//!
//! let mut w = BitTensor::from_fn(2, 70, |r, c| r == 1 && c >= 68);
//! assert_eq!(w.row(1), [0, 0b110000]);
//! let flips = BitTensor::from_fn(2, 70, |_, c| c == 69);
//! w.flip(flips.view())?;
//! assert_eq!((w.get(0, 69), w.get(1, 69)), (true, false));
//! # Ok::<(), onebit_bits::Error>(())
//! ```

use alloc::{vec, vec::Vec};
use core::ops::Range;

use crate::error::{Error, Result, check_len, check_shape};

/// A bit matrix over the storage `W`: see [`BitTensor`] and [`BitView`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bits<W> {
    rows: usize,
    cols: usize,
    words: W,
}

/// A bit matrix that owns its words.
pub type BitTensor = Bits<Vec<u64>>;

/// A bit matrix that borrows its words; cheap to copy.
pub type BitView<'a> = Bits<&'a [u64]>;

/// Readers, for owned and borrowed words.
impl<W: AsRef<[u64]>> Bits<W> {
    /// Makes a matrix of existing words, row after row.
    ///
    /// # Errors
    /// [`Error::Length`] unless there are `rows * ceil(cols / 64)` words, [`Error::Padding`] if a padding bit
    /// is one.
    pub fn from_words(rows: usize, cols: usize, words: W) -> Result<Self> {
        check_len("from_words", "words", (rows, cols.div_ceil(64)), words.as_ref().len())?;
        let bits = Self { rows, cols, words };
        if !cols.is_multiple_of(64) {
            let padding = !0 << (cols % 64);
            let clean = |&row: &usize| bits.row(row).last().is_none_or(|last| last & padding == 0);
            if let Some(row) = (0..rows).find(|row| !clean(row)) {
                return Err(Error::Padding { row });
            }
        }
        Ok(bits)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns: bits of a row, without padding.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// (rows, columns).
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// Words of a row: `ceil(cols / 64)`.
    pub fn words_per_row(&self) -> usize {
        self.cols.div_ceil(64)
    }

    /// All words, row after row.
    pub fn words(&self) -> &[u64] {
        self.words.as_ref()
    }

    /// The words of one row.
    ///
    /// # Panics
    /// Panics if there is no such row.
    pub fn row(&self, row: usize) -> &[u64] {
        let w = self.words_per_row();
        &self.words()[row * w..(row + 1) * w]
    }

    /// One bit.
    ///
    /// # Panics
    /// Panics if there is no such row or column.
    pub fn get(&self, row: usize, col: usize) -> bool {
        assert!(row < self.rows && col < self.cols, "no bit ({row}, {col}) in {:?}", self.shape());
        self.row(row)[col / 64] >> (col % 64) & 1 == 1
    }

    /// The same bits, borrowed.
    pub fn view(&self) -> BitView<'_> {
        Bits { rows: self.rows, cols: self.cols, words: self.words() }
    }

    /// The same bits, copied.
    pub fn to_tensor(&self) -> BitTensor {
        Bits { rows: self.rows, cols: self.cols, words: self.words().to_vec() }
    }

    /// Number of ones.
    pub fn count_ones(&self) -> u64 {
        self.words().iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Copies the rows with the given indices, in their order; an index may repeat.
    ///
    /// # Errors
    /// [`Error::Row`] if an index has no row.
    pub fn select_rows(&self, indices: &[usize]) -> Result<BitTensor> {
        let mut words = Vec::with_capacity(indices.len() * self.words_per_row());
        for &row in indices {
            if row >= self.rows {
                return Err(Error::Row { row, rows: self.rows });
            }
            words.extend_from_slice(self.row(row));
        }
        Ok(Bits { rows: indices.len(), cols: self.cols, words })
    }

    /// Bitwise `self ^ other`: in +-1 terms, minus the product.
    ///
    /// # Errors
    /// [`Error::Shape`] unless the shapes are equal.
    pub fn xor(&self, other: BitView) -> Result<BitTensor> {
        self.zip("xor", other, |a, b| a ^ b)
    }

    /// Bitwise `self & other`.
    ///
    /// # Errors
    /// [`Error::Shape`] unless the shapes are equal.
    pub fn and(&self, other: BitView) -> Result<BitTensor> {
        self.zip("and", other, |a, b| a & b)
    }

    /// Bitwise `!self`: in +-1 terms, the negative.
    #[must_use]
    pub fn not(&self) -> BitTensor {
        let words = self.words().iter().map(|word| !word).collect();
        let mut negative = Bits { rows: self.rows, cols: self.cols, words };
        negative.clear_padding();
        negative
    }

    /// Repeats each row `times` times side by side: (r, c) -> (r, times * c).
    ///
    /// # Panics
    /// Panics if the result does not fit into memory.
    #[must_use]
    pub fn tile_columns(&self, times: usize) -> BitTensor {
        let cols = self.cols.checked_mul(times).expect("tile_columns: too large");
        let mut tiled = BitTensor::zeros(self.rows, cols);
        for r in 0..self.rows {
            let row = tiled.row_mut(r);
            for t in 0..times {
                for (w, &word) in self.row(r).iter().enumerate() {
                    put(row, t * self.cols + w * 64, word);
                }
            }
        }
        tiled
    }

    fn zip(&self, op: &'static str, other: BitView, f: fn(u64, u64) -> u64) -> Result<BitTensor> {
        check_shape(op, "other", self.shape(), other.shape())?;
        let words = self.words().iter().zip(other.words).map(|(&a, &b)| f(a, b)).collect();
        Ok(Bits { rows: self.rows, cols: self.cols, words })
    }
}

impl<'a> BitView<'a> {
    /// The words of one row, like [`Bits::row`], with the lifetime of the borrowed words.
    ///
    /// # Panics
    /// Panics if there is no such row.
    #[must_use]
    pub fn into_row(self, row: usize) -> &'a [u64] {
        let w = self.words_per_row();
        &self.words[row * w..(row + 1) * w]
    }

    /// A range of the rows, borrowed.
    ///
    /// # Panics
    /// Panics if the range exceeds the rows.
    #[must_use]
    pub fn part(self, rows: Range<usize>) -> Self {
        let w = self.words_per_row();
        Self { rows: rows.len(), cols: self.cols, words: &self.words[rows.start * w..rows.end * w] }
    }

    /// All words, with the lifetime of the borrow.
    pub(crate) fn into_words(self) -> &'a [u64] {
        self.words
    }
}

/// Constructors and writers.
impl BitTensor {
    /// A matrix whose bits are all 0, that is, -1.
    ///
    /// # Panics
    /// Panics if it does not fit into memory.
    #[must_use]
    pub fn zeros(rows: usize, cols: usize) -> Self {
        let words = rows.checked_mul(cols.div_ceil(64)).expect("zeros: too large");
        Self { rows, cols, words: vec![0; words] }
    }

    /// Turns into (rows, cols) zeros, in the same memory if that suffices.
    pub(crate) fn reset(&mut self, rows: usize, cols: usize) {
        let words = rows.checked_mul(cols.div_ceil(64)).expect("reset: too large");
        (self.rows, self.cols) = (rows, cols);
        self.words.clear();
        self.words.resize(words, 0);
    }

    /// A matrix whose bits are computed from (row, column).
    ///
    /// # Panics
    /// Panics if it does not fit into memory.
    #[must_use]
    pub fn from_fn(rows: usize, cols: usize, mut bit: impl FnMut(usize, usize) -> bool) -> Self {
        let mut bits = Self::zeros(rows, cols);
        for r in 0..rows {
            for (c, word) in bits.row_mut(r).iter_mut().enumerate() {
                for c in c * 64..cols.min((c + 1) * 64) {
                    *word |= u64::from(bit(r, c)) << (c % 64);
                }
            }
        }
        bits
    }

    /// Writes one bit.
    ///
    /// # Panics
    /// Panics if there is no such row or column.
    pub fn set(&mut self, row: usize, col: usize, bit: bool) {
        assert!(row < self.rows && col < self.cols, "no bit ({row}, {col}) in {:?}", self.shape());
        let word = &mut self.row_mut(row)[col / 64];
        *word = *word & !(1 << (col % 64)) | u64::from(bit) << (col % 64);
    }

    /// `self ^= flips`: the only way in which training changes weights.
    ///
    /// # Errors
    /// [`Error::Shape`] unless the shapes are equal.
    pub fn flip(&mut self, flips: BitView) -> Result<()> {
        check_shape("flip", "flips", self.shape(), flips.shape())?;
        self.words.iter_mut().zip(flips.words).for_each(|(word, flip)| *word ^= flip);
        Ok(())
    }

    /// `self &= mask`.
    ///
    /// # Errors
    /// [`Error::Shape`] unless the shapes are equal.
    pub fn keep(&mut self, mask: BitView) -> Result<()> {
        check_shape("keep", "mask", self.shape(), mask.shape())?;
        self.words.iter_mut().zip(mask.words).for_each(|(word, mask)| *word &= mask);
        Ok(())
    }

    /// The same bits in row-major order, in rows of another length.
    ///
    /// ```
    /// # use onebit_bits::BitTensor;
    /// let pixels = BitTensor::from_fn(4, 3, |pixel, channel| pixel == 1 && channel == 2);
    /// let samples = pixels.reshape(2, 6)?;
    /// assert_eq!((samples.row(0), samples.row(1)), (&[0b10_0000][..], &[0][..]));
    /// # Ok::<(), onebit_bits::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] unless the number of bits stays the same.
    pub fn reshape(self, rows: usize, cols: usize) -> Result<Self> {
        check_len("reshape", "the new shape", self.shape(), rows.saturating_mul(cols))?;
        let whole_words = self.cols.is_multiple_of(64) && cols.is_multiple_of(64);
        if self.cols == cols || whole_words {
            return Ok(Self { rows, cols, ..self });
        }
        let mut reshaped = Self::zeros(rows, cols);
        let (mut row, mut at) = (0, 0);
        for from in 0..self.rows {
            let mut done = 0;
            while done < self.cols {
                let len = (self.cols - done).min(cols - at);
                copy(self.row(from), done, reshaped.row_mut(row), at, len);
                (done, at) = (done + len, at + len);
                if at == cols {
                    (row, at) = (row + 1, 0);
                }
            }
        }
        Ok(reshaped)
    }

    /// Copies the rows with the given indices, in their order, into `to`: (rows.len(), cols).
    ///
    /// # Errors
    /// [`Error::Shape`] unless `to` has this shape, [`Error::Length`] if an index has no row.
    pub fn gather_rows(&self, rows: &[usize], to: &mut BitTensor) -> Result<()> {
        check_shape("gather_rows", "to", (rows.len(), self.cols), to.shape())?;
        for (at, row) in rows.iter().enumerate() {
            if *row >= self.rows {
                let (expected, got) = (self.rows, row + 1);
                return Err(Error::Length { op: "gather_rows", operand: "rows", expected, got });
            }
            to.row_mut(at).copy_from_slice(self.row(*row));
        }
        Ok(())
    }

    /// The words, row after row.
    #[must_use]
    pub fn into_words(self) -> Vec<u64> {
        self.words
    }

    /// The words, to write; the writer keeps the padding zero.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// The words of one row, to write; the writer keeps the padding zero.
    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [u64] {
        let w = self.words_per_row();
        &mut self.words[row * w..(row + 1) * w]
    }

    /// Clears the padding after a write of whole words.
    pub(crate) fn clear_padding(&mut self) {
        if self.cols.is_multiple_of(64) {
            return;
        }
        let (w, used) = (self.words_per_row(), !(!0 << (self.cols % 64)));
        self.words.chunks_exact_mut(w).for_each(|row| row[w - 1] &= used);
    }
}

/// ORs the ones of `word` into `row` from column `at` on.
#[inline(always)]
pub(crate) fn put(row: &mut [u64], at: usize, word: u64) {
    let (index, shift) = (at / 64, at % 64);
    if index < row.len() {
        row[index] |= word << shift;
    }
    if shift > 0 && index + 1 < row.len() {
        row[index + 1] |= word >> (64 - shift);
    }
}

/// Copies `len` bits of `from`, from bit `first` on, to the zeros of `to` from bit `at` on.
#[inline(always)]
pub(crate) fn copy(from: &[u64], first: usize, to: &mut [u64], at: usize, len: usize) {
    if (first | at | len).is_multiple_of(64) {
        let from = &from[first / 64..][..len / 64];
        // a loop: a few words are not worth a call to copy
        to[at / 64..].iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        return;
    }
    for done in (0..len).step_by(64) {
        let (index, shift) = ((first + done) / 64, (first + done) % 64);
        let above = if shift > 0 { from.get(index + 1).map_or(0, |next| next << (64 - shift)) } else { 0 };
        let exists = !0 >> (64 - (len - done).min(64));
        put(to, at + done, (from[index] >> shift | above) & exists);
    }
}
