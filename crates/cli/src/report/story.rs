//! What is known of a run.

use std::fs;

use onebit::record::{EpochLine, Line, RunFolder, RunInfo, RunResult, StepLine};

use super::chart::Mark;
use crate::failure::Result;

/// Everything in the folder of a run.
pub(super) struct Story {
    pub(super) folder: RunFolder,
    pub(super) info: RunInfo,
    pub(super) result: RunResult,
    pub(super) steps: Vec<StepLine>,
    pub(super) epochs: Vec<EpochLine>,
    /// The configuration, if it can be read.
    pub(super) config: Option<String>,
}

impl Story {
    pub(super) fn read(folder: RunFolder) -> Result<Self> {
        let (info, result) = (folder.read_info()?, folder.read_result()?);
        let (mut steps, mut epochs) = (Vec::new(), Vec::new());
        for line in folder.read_metrics()? {
            match line {
                Line::Step(line) => steps.push(line),
                Line::Epoch(line) => epochs.push(line),
            }
        }
        let config = fs::read_to_string(folder.config_path()).ok();
        Ok(Self { folder, info, result, steps, epochs, config })
    }

    /// The last part of the folder's path: shorter than the path, and different from run to run.
    pub(super) fn short_name(&self) -> String {
        let path = self.folder.path();
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        path.file_name().map_or_else(|| self.info.name.clone(), |name| name.to_string_lossy().into_owned())
    }

    /// Where a phase begins, in steps.
    pub(super) fn phases(&self) -> Vec<Mark> {
        let begins = self.epochs.windows(2).filter(|pair| pair[0].phase != pair[1].phase);
        begins
            .map(|pair| Mark { at: pair[0].step as f64, word: format!("phase {}", pair[1].phase) })
            .collect()
    }

    /// The layers that something was seen of, in order.
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
