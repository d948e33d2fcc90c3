//! The order of classes by their scores.

use core::iter;

/// Index of the first of the highest scores; of one class at least.
pub fn best(scores: &[f32]) -> usize {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best
}

/// The `k` classes with the highest scores, the best first, of equal ones the first; all if there are no more. Classes
/// whose score is not a number are left out. Takes `k` passes and no memory.
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
        let follows = |class: &usize| match last {
            None => !scores[*class].is_nan(),
            Some(last) => scores[*class] < scores[last] || scores[*class] == scores[last] && *class > last,
        };
        let better = |a: usize, b: usize| if scores[b] > scores[a] { b } else { a };
        let next = (0..scores.len()).filter(follows).reduce(better)?;
        last = Some(next);
        last
    };
    iter::from_fn(next).take(k)
}
