//! `onebit export`: what a trained network becomes where it is deployed.

use std::fs;

use onebit::Model;

use crate::{
    args::ExportArgs,
    failure::{Failure, Result},
    sizes,
};

pub(crate) fn run(args: &ExportArgs) -> Result<()> {
    let path = args.model.display().to_string();
    let file = fs::read(&args.model).map_err(|e| Failure::other(format!("{path}: {e}")))?;
    let model = Model::from_bytes(&file).map_err(|e| Failure::other(format!("{path}: {e}")))?;
    sizes::print(&path, &model, file.len(), args.json)
}
