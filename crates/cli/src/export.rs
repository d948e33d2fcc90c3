//! `onebit export`: a model as C.

use std::path::Path;

use onebit::{Model, model::Error};

use crate::{
    args::ExportArgs,
    failure::{Failure, Result},
    output::{self, bytes},
};

pub(crate) fn run(args: &ExportArgs) -> Result<()> {
    let model = Model::load(&args.model)?;
    match &args.c {
        Some(folder) => c(&model, folder, args),
        None => Ok(()),
    }
}

/// Writes the header and the source, and says how much memory they need.
fn c(model: &Model, folder: &Path, args: &ExportArgs) -> Result<()> {
    let name = args.name.clone().unwrap_or_else(|| name_of(&args.model));
    let source = model.to_c(&name).map_err(|error| match error {
        Error::CName { .. } => Failure::flag(format!("--name: {error}")),
        other => other.into(),
    })?;
    let [header, code] = source.save(folder)?;
    output::line(format!("{} and {}", header.display(), code.display()))?;
    output::line(format!("tables of {}, a workspace of {}", bytes(source.tables), bytes(source.workspace)))
}

/// The file's name without its extension, with `_` for what C does not take.
fn name_of(model: &Path) -> String {
    let stem = model.file_stem().unwrap_or_default().to_string_lossy();
    stem.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}
