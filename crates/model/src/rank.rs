//! The order of classes by their scores.

use core::iter;

/// Index of the first of the highest scores; of one class at least. A score that is not a number is below all others.
pub fn best(scores: &[f32]) -> usize {
    top(scores, 1).next().unwrap_or(0)
}

/// The `k` classes with the highest scores, the best first, of equal ones the first; all if there are no more. Scores that
/// are not numbers are below all others. Takes `k` passes and no memory.
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

/// In the order of [`top`].
fn comes_before(scores: &[f32], a: usize, b: usize) -> bool {
    match (scores[a], scores[b]) {
        (x, y) if x > y => true,
        (x, y) if x < y => false,
        (x, y) if x.is_nan() != y.is_nan() => y.is_nan(),
        _ => a < b,
    }
}
