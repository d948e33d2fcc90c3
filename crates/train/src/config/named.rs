//! Choices by name: `"adam"`, or a table with settings, `{ name = "sgd", momentum = 0.9 }`.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};

/// Reads a value whose serde tag is `name`, from a text or a table.
pub(crate) fn optional<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    let table = match toml::Value::deserialize(from)? {
        toml::Value::String(name) => toml::Table::from_iter([("name".into(), name.into())]).into(),
        table => table,
    };
    T::deserialize(table).map(Some).map_err(|error| D::Error::custom(error.message()))
}
