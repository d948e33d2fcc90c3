//! `onebit export`: the size and cost of a deployed model, or its C code.

use std::path::Path;

use onebit::{
    Model,
    model::{self, Error},
};

use crate::{
    args::ExportArgs,
    failure::{Failure, Result},
    output,
    text::bytes,
};

mod sizes;

pub(crate) fn run(args: &ExportArgs) -> Result<()> {
    let path = args.model.display().to_string();
    let file = model::read(&args.model)?;
    let model = Model::from_bytes(&file).map_err(|e| Failure::other(format!("{path}: {e}")))?;
    match &args.c {
        Some(folder) => c(&model, folder, args),
        None => sizes::print(&path, &model, file.len(), args.json),
    }
}

/// Writes the header and the source, and prints the memory that they need.
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

/// The file's name without its extension, with `_` for characters that are not allowed in C names.
fn name_of(model: &Path) -> String {
    let stem = model.file_stem().unwrap_or_default().to_string_lossy();
    stem.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}
