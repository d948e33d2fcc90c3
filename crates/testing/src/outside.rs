//! Data sets that are too large for the repository, or may not be in it.

use std::{
    env, fs,
    io::{ErrorKind, Write, stderr},
    path::{Path, PathBuf},
    thread,
};

/// The folder that holds the data sets, a folder each: absolute, or from the root of the repository.
pub const VARIABLE: &str = "ONEBIT_TEST_DATA";

/// The folder `name` in `$ONEBIT_TEST_DATA`: `mnist` with the four gzipped idx files, or
/// `cifar-10-batches-bin` with the batches of CIFAR-10's binary version.
///
/// Returns `None` if the folder does not exist, and says on standard error, where the test harness captures
/// nothing, that the calling test checks nothing.
///
/// # Panics
/// If the folder does not exist and the environment has `CI=true`, where no test may pass by checking
/// nothing.
pub fn outside(name: &str) -> Option<PathBuf> {
    let found = find(env::var_os(VARIABLE).map(PathBuf::from).as_deref(), name);
    found
        .map_err(|reason| {
            assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "CI=true, and {reason}");
            let test = thread::current().name().unwrap_or("a test").to_string();
            writeln!(stderr(), "NOT TESTED: {test}: {reason}").expect("standard error can be written to");
        })
        .ok()
}

fn find(data: Option<&Path>, name: &str) -> Result<PathBuf, String> {
    let data = data.ok_or_else(|| format!("{VARIABLE} is not set; it names the folder that has {name}"))?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(data).join(name);
    match fs::read_dir(&path) {
        Ok(_) => Ok(path),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(format!("{VARIABLE}={} has no folder {name}", data.display()))
        }
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said() {
        assert_eq!(
            find(None, "x").unwrap_err(),
            "ONEBIT_TEST_DATA is not set; it names the folder that has x"
        );
        let error = find(Some(Path::new("crates")), "x").unwrap_err();
        assert_eq!(error, "ONEBIT_TEST_DATA=crates has no folder x");
        assert!(find(Some(Path::new("crates")), "testing").unwrap().join("Cargo.toml").is_file());
    }
}
