//! Classes in the order of their scores.

use core::iter;

/// The index of the highest score; of several equal ones the first. NaN ranks below every number. 0 if there
/// are no scores.
///
/// ```
/// use onebit_model::best;
///
/// assert_eq!(best(&[0.5, 2.0, 2.0]), 1);
/// assert_eq!(best(&[f32::NAN, -1.0]), 1);
/// ```
pub fn best(scores: &[f32]) -> usize {
    top(scores, 1).next().unwrap_or(0)
}

/// The indices of the `k` highest scores, best first; equal scores keep their order. With fewer than `k`
/// scores, all of them. NaN ranks below every number. Makes `k` passes over the scores and allocates nothing.
///
/// ```
/// use onebit_model::top;
///
/// let names = ["cat", "dog", "fox"];
/// let best: Vec<&str> = top(&[0.5, 2.0, 1.5], 2).map(|class| names[class]).collect();
/// assert_eq!(best, ["dog", "fox"]);
/// ```
pub fn top(scores: &[f32], k: usize) -> impl Iterator<Item = usize> {
    let mut last: Option<usize> = None;
    let next = move || {
        let follows = |class: &usize| last.is_none_or(|last| comes_before(scores, last, *class));
        let better = |a: usize, b: usize| if comes_before(scores, b, a) { b } else { a };
        last = (0..scores.len()).filter(follows).reduce(better);
        last
    };
    iter::from_fn(next).take(k)
}

/// Whether index `a` precedes index `b` in the order of [`top`].
fn comes_before(scores: &[f32], a: usize, b: usize) -> bool {
    match (scores[a], scores[b]) {
        (x, y) if x > y => true,
        (x, y) if x < y => false,
        (x, y) if x.is_nan() != y.is_nan() => y.is_nan(),
        _ => a < b,
    }
}
