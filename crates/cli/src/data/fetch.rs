//! `onebit data get`: downloads of published sets.

use onebit::data::{DataFolder, PUBLISHED, PublishedSet, published};

use crate::{
    args::{DataDirArgs, DataGetArgs},
    failure::{Failure, Result},
};

pub(super) fn run(args: &DataGetArgs) -> Result<()> {
    let sets = args.names.iter().map(|name| find(name)).collect::<Result<Vec<_>>>()?;
    let folder = args.dir.folder()?;
    sets.iter().try_for_each(|set| fetch(set, &folder, args.mirror.clone(), args.json))
}

/// Downloads a published set unless it is there.
pub(crate) fn fetch_if_missing(set: &PublishedSet, dir: &DataDirArgs, json: bool) -> Result<()> {
    let folder = dir.folder()?;
    match folder.find(set) {
        Ok(_) => Ok(()),
        Err(_) => fetch(set, &folder, Vec::new(), json),
    }
}

fn find(name: &str) -> Result<&'static PublishedSet> {
    published(name).ok_or_else(|| {
        let known: Vec<_> = PUBLISHED.iter().map(|set| set.name).collect();
        Failure::flag(format!("data get: expected one of {}, got {name}", known.join(", ")))
    })
}

/// Downloads the missing files of a set.
#[cfg(feature = "download")]
fn fetch(set: &PublishedSet, folder: &DataFolder, mirrors: Vec<String>, json: bool) -> Result<()> {
    use onebit::data::download::Downloader;
    use serde_json::json;

    use super::progress::Listener;
    use crate::output;

    let mut listener = Listener::new(set.name, json);
    let downloader = Downloader { mirrors, ..Downloader::default() };
    let fetched = downloader.get(set, folder, &mut |event| listener.hear(event));
    let printed = listener.finish();
    let place = fetched.map_err(|error| Failure::other(format!("{}: {error}", set.name)))?;
    printed?;
    if json {
        output::json(&json!({"event": "set", "set": set.name, "place": place.display().to_string()}))
    } else {
        output::line(format!("{} is in {}", set.name, place.display()))
    }
}

#[cfg(not(feature = "download"))]
fn fetch(set: &PublishedSet, folder: &DataFolder, _mirrors: Vec<String>, _json: bool) -> Result<()> {
    Err(Failure::other(format!(
        "{}: this build cannot download (it has no feature `download`); put the files into {} yourself",
        set.name,
        folder.path().display()
    )))
}
