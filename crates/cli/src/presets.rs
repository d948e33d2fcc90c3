//! `onebit presets`: the built-in configurations.

use onebit::config::{PRESETS, preset_text};

use crate::{args::PresetsArgs, failure::Result, output, table::Table};

pub(crate) fn run(args: &PresetsArgs) -> Result<()> {
    if let Some(name) = &args.name {
        return output::line(preset_text(name)?.trim_end());
    }
    let mut table = Table::new(["preset", "what"]);
    for (name, _, what) in PRESETS {
        table.row([name.into(), what.into()]);
    }
    output::line(table.render())?;
    output::line("\n`onebit presets NAME` prints one. To train with your own copy, save it and change it:")?;
    output::line(
        "  onebit presets iris > mine.toml && onebit train mine.toml --data mine.csv --target COLUMN",
    )
}
