//! The data of a run.

use std::fs;

use onebit::record::{EpochLine, Line, RunFolder, RunInfo, RunResult, StepLine};

use super::chart::Mark;
use crate::failure::Result;

/// The contents of the folder of a run.
pub(super) struct RunData {
    pub(super) folder: RunFolder,
    pub(super) info: RunInfo,
    pub(super) result: RunResult,
    pub(super) steps: Vec<StepLine>,
    pub(super) epochs: Vec<EpochLine>,
    /// The configuration, if it can be read.
    pub(super) config: Option<String>,
}

impl RunData {
    pub(super) fn read(folder: RunFolder) -> Result<Self> {
        let info = folder.read_info()?;
        let result = folder.read_result()?;
        let mut steps = Vec::new();
        let mut epochs = Vec::new();
        for line in folder.read_metrics()? {
            match line {
                Line::Step(line) => steps.push(line),
                Line::Epoch(line) => epochs.push(line),
            }
        }
        let config = fs::read_to_string(folder.config_path()).ok();
        Ok(Self { folder, info, result, steps, epochs, config })
    }

    /// The last part of the folder's path, which usually tells runs apart.
    pub(super) fn short_name(&self) -> String {
        let path = self.folder.path();
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        path.file_name().map_or_else(|| self.info.name.clone(), |name| name.to_string_lossy().into_owned())
    }

    /// The steps at which a new phase begins.
    pub(super) fn phases(&self) -> Vec<Mark> {
        let begins = self.epochs.windows(2).filter(|pair| pair[0].phase != pair[1].phase);
        begins
            .map(|pair| Mark { at: pair[0].step as f64, word: format!("phase {}", pair[1].phase) })
            .collect()
    }

    /// The layers with observations, in order.
    pub(super) fn layers(&self) -> Vec<String> {
        let mut names = self.info.layers.clone();
        let seen = self.steps.iter().flat_map(|step| step.report.layers.iter().map(|layer| &layer.layer));
        for name in seen {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}
