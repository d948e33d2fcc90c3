//! Checks that layers share: of kept values, shapes and settings.

use crate::error::{Error, Result};

/// Returns the value in `slot`, or an error that names the missing verb.
pub(crate) fn kept<'a, T>(
    slot: &'a Option<T>,
    layer: &'static str,
    verb: &'static str,
    needs: &'static str,
) -> Result<&'a T> {
    slot.as_ref().ok_or(Error::Sequence { layer, verb, needs })
}

/// Checks the shape of `what`, for example that a signal has the shape of the output.
pub(crate) fn check_shape(
    layer: &'static str,
    what: &str,
    expected: (usize, usize),
    got: (usize, usize),
) -> Result<()> {
    if expected != got {
        let expected = format!("{what} of {} x {}", expected.0, expected.1);
        return Err(Error::shape(layer, expected, format!("{} x {}", got.0, got.1)));
    }
    Ok(())
}

/// Checks that a layer has at least one input, output and threshold.
pub(crate) fn check_sizes(layer: &'static str, sizes: [usize; 3]) -> Result<[usize; 3]> {
    match ["inputs", "outputs", "depth"].into_iter().zip(sizes).find(|(_, size)| *size == 0) {
        Some((name, size)) => Err(Error::setting(format!("{layer} {name}"), "at least 1", size)),
        None => Ok(sizes),
    }
}

/// Checks a quorum: a share of the voters, from 0 to 1.
pub(crate) fn check_quorum(name: impl ToString, share: f64) -> Result<f64> {
    if !(0.0..=1.0).contains(&share) {
        return Err(Error::setting(name, "a share from 0 to 1", share));
    }
    Ok(share)
}

/// Checks that the input of a layer has `expected` columns.
pub(crate) fn check_cols(layer: &'static str, expected: usize, got: usize) -> Result<()> {
    if expected != got {
        return Err(Error::shape(layer, format!("{expected} columns"), got));
    }
    Ok(())
}
