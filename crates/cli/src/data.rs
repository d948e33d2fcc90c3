//! `onebit data`: the data sets that have a name, and fetching those that others publish.

use std::path::{Path, PathBuf};

use onebit::{
    data::{BUILTIN, DataFolder, PUBLISHED, PublishedSet, published},
    experiment,
};
use serde_json::{Value, json};

use crate::{
    args::{DataCommand, DataDirArgs, DataGetArgs, DataListArgs},
    failure::{Failure, Result},
    output::{self, bytes},
    table::Table,
};

pub(crate) fn run(command: &DataCommand) -> Result<()> {
    match command {
        DataCommand::List(args) => list(args),
        DataCommand::Get(args) => get(args),
    }
}

impl DataDirArgs {
    /// The folder that the flag names.
    pub(crate) fn named(&self) -> Option<DataFolder> {
        self.data_dir.as_ref().map(DataFolder::new)
    }

    fn folder(&self) -> Result<DataFolder> {
        Ok(self.named().map_or_else(DataFolder::of_user, Ok)?)
    }
}

fn list(args: &DataListArgs) -> Result<()> {
    let folder = args.dir.folder()?;
    let builtin = BUILTIN.map(|(name, make)| {
        let data = make();
        let shape = data.image().map_or(data.features().to_string(), |image| image.to_string());
        let about = if name == "iris" { "flowers, four lengths each" } else { "small handwritten digits" };
        Listed { name, about, samples: [data.len(), 0], classes: data.classes(), shape, set: None }
    });
    let published = PUBLISHED.iter().map(|set| Listed {
        name: set.name,
        about: set.about,
        samples: set.samples,
        classes: set.classes,
        shape: set.image.to_string(),
        set: Some(set),
    });
    let mut table = Table::new(["name", "what", "samples", "test", "classes", "shape", "download", "where"]);
    for listed in builtin.into_iter().chain(published) {
        if args.json {
            output::json(&listed.json(&folder))?;
        } else {
            table.row(listed.row(&folder));
        }
    }
    match args.json {
        true => Ok(()),
        false => output::line(format!("{}\n\nfolder: {}", table.render(), folder.path().display())),
    }
}

/// A set with a name.
struct Listed {
    name: &'static str,
    about: &'static str,
    /// To learn from, and to be judged by.
    samples: [usize; 2],
    classes: usize,
    shape: String,
    /// Unless it is built in.
    set: Option<&'static PublishedSet>,
}

impl Listed {
    fn json(&self, folder: &DataFolder) -> Value {
        let place = self.set.and_then(|set| folder.find(set).ok());
        json!({
            "name": self.name,
            "about": self.about,
            "samples": self.samples[0],
            "test_samples": self.samples[1],
            "classes": self.classes,
            "shape": self.shape,
            "builtin": self.set.is_none(),
            "download_bytes": self.set.map_or(0, PublishedSet::bytes),
            "place": place.map(|place| place.display().to_string()),
        })
    }

    fn row(&self, folder: &DataFolder) -> [String; 8] {
        let dash = || "-".to_string();
        let [samples, test] = self.samples;
        let place = match self.set {
            None => "built in".into(),
            Some(set) => folder.find(set).map_or_else(|_| dash(), |place| place.display().to_string()),
        };
        [
            self.name.into(),
            self.about.into(),
            samples.to_string(),
            if test == 0 { dash() } else { test.to_string() },
            self.classes.to_string(),
            self.shape.clone(),
            self.set.map_or_else(dash, |set| bytes(set.bytes() as usize)),
            place,
        ]
    }
}

fn get(args: &DataGetArgs) -> Result<()> {
    let sets = args.names.iter().map(|name| published_or_complain(name)).collect::<Result<Vec<_>>>()?;
    let folder = args.dir.folder()?;
    let mirrors = args.mirror.clone();
    sets.iter().try_for_each(|set| fetch(set, &folder, mirrors.clone(), args.json))
}

fn published_or_complain(name: &str) -> Result<&'static PublishedSet> {
    published(name).ok_or_else(|| {
        let known: Vec<_> = PUBLISHED.iter().map(|set| set.name).collect();
        Failure::flag(format!("data get: expected one of {}, got {name}", known.join(", ")))
    })
}

/// Fetches what is missing of a set.
#[cfg(feature = "download")]
fn fetch(set: &PublishedSet, folder: &DataFolder, mirrors: Vec<String>, json: bool) -> Result<()> {
    use onebit::data::download::Downloader;

    use crate::download_progress::Listener;

    let mut listener = Listener::new(set.name, json);
    let fetched =
        Downloader { mirrors, ..Downloader::default() }.get(set, folder, &mut |event| listener.hear(event));
    let said = listener.finish();
    let place = fetched.map_err(|error| Failure::other(format!("{}: {error}", set.name)))?;
    said?;
    match json {
        true => output::json(&json!({"event": "set", "set": set.name, "place": place.display().to_string()})),
        false => output::line(format!("{} is in {}", set.name, place.display())),
    }
}

#[cfg(not(feature = "download"))]
fn fetch(set: &PublishedSet, folder: &DataFolder, _mirrors: Vec<String>, _json: bool) -> Result<()> {
    let (name, place) = (set.name, folder.path().display());
    let message =
        format!("{name}: this build has no feature `download`; put its files into {place} by other means");
    Err(Failure::other(message))
}

/// Fetches what a run learns from, if it is a published set that is missing.
pub(crate) fn fetch_for(set: Option<&PublishedSet>, dir: &DataDirArgs, json: bool) -> Result<()> {
    let Some(set) = set else { return Ok(()) };
    let folder = dir.folder()?;
    match folder.find(set) {
        Ok(_) => Ok(()),
        Err(_) => fetch(set, &folder, Vec::new(), json),
    }
}

/// The path itself; of the name of a published set, where it lies.
pub(crate) fn locate(path: &Path, dir: &DataDirArgs) -> Result<PathBuf> {
    Ok(experiment::locate(path, dir.named().as_ref())?)
}

/// The address of a mirror, as a flag.
pub(crate) fn mirror(text: &str) -> std::result::Result<String, String> {
    #[cfg(feature = "download")]
    let sound = onebit::data::download::check_mirror(text).is_ok();
    // nobody asks it
    #[cfg(not(feature = "download"))]
    let sound = true;
    match sound {
        true => Ok(text.into()),
        false => Err("expected an address that starts with http:// or https://".into()),
    }
}
