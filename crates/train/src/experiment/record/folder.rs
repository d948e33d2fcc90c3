//! The folder of a run, and folders of runs.

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

/// The longest line of metrics and the longest file that is read, in bytes: ours are far below.
const MOST_BYTES: u64 = 1 << 28;

/// Where a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// A new folder, made with those above it. One that is there must be empty.
    ///
    /// # Errors
    /// [`Error::Run`] when it cannot be made, or has something in it.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let failed = |reason| run_error(path, reason);
        fs::create_dir_all(path).map_err(|e| failed(e.to_string()))?;
        match fs::read_dir(path).map_err(|e| failed(e.to_string()))?.next() {
            None => Ok(Self { path: path.into() }),
            Some(_) => {
                Err(failed("expected a new or empty folder for a run, and there is something in it".into()))
            }
        }
    }

    /// The folder of a run that is there.
    ///
    /// # Errors
    /// [`Error::Run`] when there is no run in it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let folder = Self { path: path.into() };
        match folder.info_path().is_file() {
            true => Ok(folder),
            false => {
                Err(run_error(path, "expected the folder of a run, and there is no run.json in it".into()))
            }
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `config.toml`.
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// `metrics.jsonl`.
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// `checkpoint`.
    pub fn checkpoint_path(&self) -> PathBuf {
        Self::checkpoint_in(&self.path)
    }

    /// `checkpoint` in a folder that need not be there yet.
    pub fn checkpoint_in(path: impl AsRef<Path>) -> PathBuf {
        path.as_ref().join("checkpoint")
    }

    /// `model.onebit`.
    pub fn model_path(&self) -> PathBuf {
        self.path.join("model.onebit")
    }

    /// `report.html`.
    pub fn report_path(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// `run.json`.
    pub fn info_path(&self) -> PathBuf {
        self.path.join("run.json")
    }

    /// `result.json`.
    pub fn result_path(&self) -> PathBuf {
        self.path.join("result.json")
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    /// [`Error::Run`] that names the file and what is wrong with it.
    pub fn read_info(&self) -> Result<RunInfo> {
        let path = self.info_path();
        let info: RunInfo = read_json(&path)?;
        match info.format == RunInfo::FORMAT {
            true => Ok(info),
            false => {
                let reason = format!("expected the format `{}`, got `{}`", RunInfo::FORMAT, info.format);
                Err(run_error(&path, reason))
            }
        }
    }

    /// Reads `result.json`; of a run that has none yet it is an [unfinished](Status::Unfinished) one.
    ///
    /// # Errors
    /// [`Error::Run`] that names the file and what is wrong with it.
    pub fn read_result(&self) -> Result<RunResult> {
        let path = self.result_path();
        match path.exists() {
            true => read_json(&path),
            false => Ok(RunResult { status: Status::Unfinished, ..RunResult::default() }),
        }
    }

    /// Reads `metrics.jsonl`; nothing if it is not there. A last line without its end, as a killed run leaves it, does
    /// not count.
    ///
    /// # Errors
    /// [`Error::Run`] that names the file, the line and what is wrong with it.
    pub fn read_metrics(&self) -> Result<Vec<Line>> {
        let path = self.metrics_path();
        if !path.exists() {
            return Ok(Vec::new());
        }
        let failed = |reason: String| run_error(&path, reason);
        let file = fs::File::open(&path).map_err(|e| failed(e.to_string()))?;
        let mut reader = BufReader::new(std::io::Read::take(file, MOST_BYTES));
        let (mut lines, mut text) = (Vec::new(), Vec::new());
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

/// An error about a run's folder or file.
pub(crate) fn run_error(path: &Path, reason: String) -> Error {
    Error::Run { path: path.display().to_string(), reason }
}

/// Replaces a file by a JSON text.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec(value).expect("it has only names and numbers");
    text.push(b'\n');
    Ok(onebit_model::replace(&[(path.into(), &text)])?)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let failed = |reason: String| run_error(path, reason);
    let file = fs::File::open(path).map_err(|e| failed(e.to_string()))?;
    let reader = BufReader::new(std::io::Read::take(file, MOST_BYTES));
    serde_json::from_reader(reader).map_err(|e| failed(e.to_string()))
}

/// Now, in UTC: `2026-11-28T02:14:55Z`.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// A folder that is not there yet: `<above>/<name>-2026-11-28T02-14-55`, with a number behind it where that exists.
pub fn fresh_name(above: impl AsRef<Path>, name: &str) -> PathBuf {
    let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let base = format!("{stem}-{}", now().trim_end_matches('Z').replace(':', "-"));
    let numbered = (2..).map(|n| format!("{base}-{n}"));
    let mut names = std::iter::once(base.clone()).chain(numbered).map(|name| above.as_ref().join(name));
    names.find(|path| !path.exists()).expect("there is always a larger number")
}

/// The runs in a folder, the oldest first: those whose folders lie in it, and itself if it is one.
///
/// # Errors
/// [`Error::Run`] when it cannot be read.
pub fn list(above: impl AsRef<Path>) -> Result<Vec<RunFolder>> {
    let above = above.as_ref();
    let failed = |e: std::io::Error| run_error(above, e.to_string());
    let mut runs: Vec<RunFolder> = RunFolder::open(above).into_iter().collect();
    for entry in fs::read_dir(above).map_err(failed)? {
        runs.extend(RunFolder::open(entry.map_err(failed)?.path()));
    }
    // a run that cannot be read is listed too, with what is wrong
    runs.sort_by_cached_key(|run| {
        (run.read_info().map_or_else(|_| String::new(), |info| info.started), run.path.clone())
    });
    Ok(runs)
}
