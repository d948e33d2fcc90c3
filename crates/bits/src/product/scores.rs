//! Sums that are added to scores, and never stored.

use crate::{
    error::{Result, check_len},
    machine::SharedSlice,
    product::{Open, Put},
};

/// Adds each sum, times the scale of its column, to a score: `scores_mn += scale_n sum_mn`.
#[derive(Debug)]
pub struct Scores<'a> {
    /// (n)
    pub scale: &'a [f32],
    /// (m, n)
    pub scores: &'a mut [f32],
}

impl<'a> Open<i32> for Scores<'a> {
    type Opened = Adding<'a>;

    fn rows(&self, n: usize) -> Option<usize> {
        self.scores.len().checked_div(n)
    }

    fn open(self, op: &'static str, (m, n): (usize, usize)) -> Result<Adding<'a>> {
        check_len(op, "scale", (1, n), self.scale.len())?;
        check_len(op, "scores", (m, n), self.scores.len())?;
        Ok(Adding { scale: self.scale, scores: SharedSlice::new(self.scores) })
    }
}

/// Opened [`Scores`].
pub struct Adding<'a> {
    scale: &'a [f32],
    scores: SharedSlice<'a, f32>,
}

impl Put<i32> for Adding<'_> {
    #[inline(always)]
    fn put(&self, row: usize, col: usize, sums: &[i32]) {
        let first = row * self.scale.len() + col;
        // SAFETY: the scores have the rows and columns of the product, and every run comes once.
        let scores = unsafe { self.scores.part(first..first + sums.len()) };
        for ((score, scale), sum) in scores.iter_mut().zip(&self.scale[col..]).zip(sums) {
            *score += scale * *sum as f32;
        }
    }
}
