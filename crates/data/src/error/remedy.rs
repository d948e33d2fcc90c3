//! What a user can do about an error.

/// What a user can do about an error. Messages say what is wrong; the interface in front of the user, such as
/// a command, turns a remedy into its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// Leave out the column of this name; see [`TableOptions::drop`](crate::TableOptions::drop).
    DropColumn(String),
    /// Name the column that holds the classes, or another one than now; see
    /// [`TableOptions::target`](crate::TableOptions::target).
    NameTarget,
    /// Fill in missing values; see [`Missing::Mean`](crate::Missing::Mean).
    FillMissing,
    /// Train the model anew, with missing values filled in.
    TrainToFillMissing,
    /// Download the published set of this name, or say where it is.
    Download(&'static str),
    /// Say where the data are.
    NamePath,
}
