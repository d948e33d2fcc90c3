//! Choices by name: `"adam"`, or with settings `{ name = "sgd", momentum = 0.9 }`.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};

/// Reads a choice that serde knows by its tag `name`, when the key is there.
pub(crate) fn optional<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    let table = match toml::Value::deserialize(from)? {
        toml::Value::String(name) => toml::Table::from_iter([("name".into(), name.into())]).into(),
        table => table,
    };
    T::deserialize(table).map(Some).map_err(|error| D::Error::custom(error.message()))
}
