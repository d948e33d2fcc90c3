//! The folder of a run, and folders that contain runs.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, Result},
    experiment::record::{Line, RunInfo, RunResult, Status},
};

/// Maximum size of a file, in bytes; real files are far smaller.
const MOST_BYTES: u64 = 1 << 28;

/// The folder of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Creates a folder and its parents. An existing folder must be empty.
    ///
    /// # Errors
    /// [`Error::Run`] when the folder cannot be created or is not empty.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let failed = |reason| run_error(path, reason);
        fs::create_dir_all(path).map_err(|e| failed(e.to_string()))?;
        match fs::read_dir(path).map_err(|e| failed(e.to_string()))?.next() {
            None => Ok(Self { path: path.into() }),
            Some(_) => {
                Err(failed("expected a new or empty folder for a run, got one with files in it".into()))
            }
        }
    }

    /// Opens the folder of an existing run.
    ///
    /// # Errors
    /// [`Error::Run`] when the folder has no `run.json`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let folder = Self { path: path.into() };
        if folder.info_path().is_file() {
            Ok(folder)
        } else {
            Err(run_error(path, "expected the folder of a run, got one without run.json".into()))
        }
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of `config.toml`.
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// Returns the path of `metrics.jsonl`.
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// Returns the path of `checkpoint`.
    pub fn checkpoint_path(&self) -> PathBuf {
        Self::checkpoint_in(&self.path)
    }

    /// Returns the path of `checkpoint` in a folder that need not exist yet.
    pub fn checkpoint_in(path: impl AsRef<Path>) -> PathBuf {
        path.as_ref().join("checkpoint")
    }

    /// Returns the path of `model.onebit`.
    pub fn model_path(&self) -> PathBuf {
        self.path.join("model.onebit")
    }

    /// Returns the path of `report.html`.
    pub fn report_path(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// Returns the path of `run.json`.
    pub fn info_path(&self) -> PathBuf {
        self.path.join("run.json")
    }

    /// Returns the path of `result.json`.
    pub fn result_path(&self) -> PathBuf {
        self.path.join("result.json")
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    /// [`Error::Run`] with the file and the problem.
    pub fn read_info(&self) -> Result<RunInfo> {
        let path = self.info_path();
        let info: RunInfo = read_json(&path)?;
        if info.format == RunInfo::FORMAT {
            return Ok(info);
        }
        let reason = format!("expected the format `{}`, got `{}`", RunInfo::FORMAT, info.format);
        Err(run_error(&path, reason))
    }

    /// Reads `result.json`; without that file the result is [unfinished](Status::Unfinished).
    ///
    /// # Errors
    /// [`Error::Run`] with the file and the problem.
    pub fn read_result(&self) -> Result<RunResult> {
        let path = self.result_path();
        if path.exists() {
            read_json(&path)
        } else {
            Ok(RunResult { status: Status::Unfinished, ..RunResult::default() })
        }
    }

    /// Reads `metrics.jsonl`; empty if there is none. A last line without its line feed, as a killed run
    /// leaves it, is ignored.
    ///
    /// # Errors
    /// [`Error::Run`] with the file, the line and the problem.
    pub fn read_metrics(&self) -> Result<Vec<Line>> {
        let path = self.metrics_path();
        if !path.exists() {
            return Ok(Vec::new());
        }
        let failed = |reason: String| run_error(&path, reason);
        let file = fs::File::open(&path).map_err(|e| failed(e.to_string()))?;
        let mut reader = BufReader::new(std::io::Read::take(file, MOST_BYTES));
        let mut lines = Vec::new();
        let mut text = Vec::new();
        loop {
            text.clear();
            reader.read_until(b'\n', &mut text).map_err(|e| failed(e.to_string()))?;
            if text.last() != Some(&b'\n') {
                return Ok(lines);
            }
            let line = serde_json::from_slice(&text);
            lines.push(line.map_err(|e| failed(format!("line {}: {e}", lines.len() + 1)))?);
        }
    }
}

/// Creates an error about a file or folder of a run.
pub(crate) fn run_error(path: &Path, reason: String) -> Error {
    Error::Run { path: path.display().to_string(), reason }
}

/// Replaces a file by a value in JSON.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec(value).expect("the value has only names and numbers");
    text.push(b'\n');
    Ok(onebit_model::replace(&[(path.into(), &text)])?)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let failed = |reason: String| run_error(path, reason);
    let file = fs::File::open(path).map_err(|e| failed(e.to_string()))?;
    let reader = BufReader::new(std::io::Read::take(file, MOST_BYTES));
    serde_json::from_reader(reader).map_err(|e| failed(e.to_string()))
}

/// Returns the current time in UTC, such as `2026-11-28T02:14:55Z`.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// Returns the path of a folder that does not exist yet: `<above>/<name>-2026-11-28T02-14-55`, with `-2`,
/// `-3`, .. appended if that exists.
pub fn fresh_name(above: impl AsRef<Path>, name: &str) -> PathBuf {
    let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let base = format!("{stem}-{}", now().trim_end_matches('Z').replace(':', "-"));
    let numbered = (2..).map(|n| format!("{base}-{n}"));
    let mut names = std::iter::once(base.clone()).chain(numbered).map(|name| above.as_ref().join(name));
    names.find(|path| !path.exists()).expect("the numbers do not end")
}

/// Lists the runs in a folder, oldest first: its subfolders, and the folder itself if it is a run.
///
/// # Errors
/// [`Error::Run`] when the folder cannot be read.
pub fn list(above: impl AsRef<Path>) -> Result<Vec<RunFolder>> {
    let above = above.as_ref();
    let failed = |e: std::io::Error| run_error(above, e.to_string());
    let mut runs: Vec<RunFolder> = RunFolder::open(above).into_iter().collect();
    for entry in fs::read_dir(above).map_err(failed)? {
        runs.extend(RunFolder::open(entry.map_err(failed)?.path()));
    }
    // an unreadable run is listed too, so that its problem is reported
    runs.sort_by_cached_key(|run| {
        (run.read_info().map_or_else(|_| String::new(), |info| info.started), run.path.clone())
    });
    Ok(runs)
}
