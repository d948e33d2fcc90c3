//! `onebit data list`: the data sets known by name.

use onebit::data::{BUILTIN, DataFolder, PUBLISHED, PublishedSet};
use serde_json::{Value, json};

use crate::{args::DataListArgs, failure::Result, output, table::Table, text::bytes};

pub(super) fn run(args: &DataListArgs) -> Result<()> {
    let folder = args.dir.folder()?;
    if args.json {
        return entries().try_for_each(|entry| output::json(&entry.json(&folder)));
    }
    let mut table = Table::new(["name", "what", "samples", "test", "classes", "shape", "download", "where"]);
    entries().for_each(|entry| table.row(entry.row(&folder)));
    output::line(format!("{}\n\nfolder: {}", table.render(), folder.path().display()))
}

/// The built-in sets, then the published ones.
fn entries() -> impl Iterator<Item = Entry> {
    let builtin = BUILTIN.map(|(name, make)| {
        let data = make();
        let shape = data.image().map_or(data.features().to_string(), |image| image.to_string());
        let about = if name == "iris" { "flowers, four lengths each" } else { "small handwritten digits" };
        Entry { name, about, samples: [data.len(), 0], classes: data.classes(), shape, published: None }
    });
    let published = PUBLISHED.iter().map(|set| Entry {
        name: set.name,
        about: set.about,
        samples: set.samples,
        classes: set.classes,
        shape: set.image.to_string(),
        published: Some(set),
    });
    builtin.into_iter().chain(published)
}

/// A data set known by name.
struct Entry {
    name: &'static str,
    about: &'static str,
    /// Numbers of training and test samples.
    samples: [usize; 2],
    classes: usize,
    shape: String,
    /// The published set; `None` for a built-in one.
    published: Option<&'static PublishedSet>,
}

impl Entry {
    fn json(&self, folder: &DataFolder) -> Value {
        let place = self.published.and_then(|set| folder.find(set).ok());
        json!({
            "name": self.name,
            "about": self.about,
            "samples": self.samples[0],
            "test_samples": self.samples[1],
            "classes": self.classes,
            "shape": self.shape,
            "builtin": self.published.is_none(),
            "download_bytes": self.published.map_or(0, PublishedSet::bytes),
            "place": place.map(|place| place.display().to_string()),
        })
    }

    fn row(&self, folder: &DataFolder) -> [String; 8] {
        let dash = || "-".to_string();
        let [samples, test] = self.samples;
        let place = match self.published {
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
            self.published.map_or_else(dash, |set| bytes(set.bytes() as usize)),
            place,
        ]
    }
}
