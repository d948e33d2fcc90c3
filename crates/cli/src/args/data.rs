//! The flags of `onebit data`.

use clap::{Args as ClapArgs, Subcommand};

use super::shared::DataDirArgs;

#[derive(Subcommand)]
pub(crate) enum DataCommand {
    /// List the data sets: their samples, download sizes and places on this machine
    List(DataListArgs),
    /// Download published data sets; existing files are checked, and interrupted downloads resume
    Get(DataGetArgs),
}

#[derive(ClapArgs)]
pub(crate) struct DataListArgs {
    #[command(flatten)]
    pub(crate) dir: DataDirArgs,
    /// Print JSON, one object per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(ClapArgs)]
pub(crate) struct DataGetArgs {
    /// Data sets to download: mnist, fashion-mnist, cifar10 or svhn
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) dir: DataDirArgs,
    /// Address to try first, as URL/NAME/FILE and then URL/FILE; repeat the flag for several
    #[arg(long, value_name = "URL", value_parser = mirror)]
    pub(crate) mirror: Vec<String>,
    /// Print JSON, one object per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(feature = "download")]
fn mirror(text: &str) -> Result<String, String> {
    match onebit::data::download::check_mirror(text) {
        Ok(_) => Ok(text.into()),
        Err(_) => Err("expected an address that starts with http:// or https://".into()),
    }
}

/// Without downloads, mirrors are never used.
#[cfg(not(feature = "download"))]
fn mirror(text: &str) -> Result<String, String> {
    Ok(text.into())
}
