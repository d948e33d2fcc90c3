//! What a model calls its features.

use onebit::Model;

/// The model's names for its features, or names that no file has, so that columns are taken by position.
pub(crate) fn feature_names(model: &Model) -> Vec<String> {
    match model.features() {
        [] => (0..model.inputs()).map(|i| format!("feature {i} of the model")).collect(),
        names => names.to_vec(),
    }
}
