//! Comparison within a tolerance.

/// Compares each value; `tolerance` is given index and expected value. A NaN is never close.
pub fn assert_close(what: &str, got: &[f32], expected: &[f64], tolerance: impl Fn(usize, f64) -> f64) {
    assert_eq!(got.len(), expected.len(), "{what}: number of values");
    for (index, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let (error, tolerance) = ((f64::from(got) - expected).abs(), tolerance(index, expected));
        assert!(
            error <= tolerance,
            "{what}[{index}]: expected {expected}, got {got}: off by {error:.1e}, more than {tolerance:.1e}"
        );
    }
}
