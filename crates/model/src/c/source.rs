//! The header and the source of a model, and their type.

use alloc::{format, string::String};

use super::{
    kind::Kind,
    literal,
    network::{Network, PLACES},
    piece::GEOMETRY,
};
use crate::model::Model;

/// A model as C99 source: see [`Model::to_c`], which has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSource {
    /// The name that all public names start with.
    pub name: String,
    /// The text of `NAME.h`.
    pub header: String,
    /// The text of `NAME.c`, which includes `NAME.h`.
    pub source: String,
    /// Bytes of the constant tables: weights, limits and all other numbers, but not the labels.
    pub tables: usize,
    /// Bytes of the workspace that a caller provides.
    pub workspace: usize,
}

/// Refuses compiler options that would change results.
const GUARDS: &str = "\
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0)
#error \"-ffast-math would change the results\"
#endif
#if defined(__FLT_EVAL_METHOD__) && (__FLT_EVAL_METHOD__ == 1 || __FLT_EVAL_METHOD__ == 2)
#error \"floats must be computed as floats: with -mfpmath=sse on x86\"
#endif
";

/// Header and source of `model`, whose public names start with `name`.
pub(super) fn write(model: &Model, name: &str) -> CSource {
    let network = Network::new(model);
    let (members, workspace) = workspace(model, &network);
    CSource {
        name: name.into(),
        header: header(model, &network, name, (&members, workspace)),
        source: source(model, &network, name),
        tables: network.tables.bytes,
        workspace,
    }
}

/// The members of the workspace, and their bytes. Each takes whole words, so there is no padding between
/// them.
fn workspace(model: &Model, network: &Network) -> (String, usize) {
    let (room, mut members, mut bytes) = (&network.room, String::new(), 0);
    let mut add = |kind: &str, what: &str, size: usize, of: usize| {
        if size > 0 {
            members += &format!("    {kind} {what}[{size}];\n");
            bytes += size * of;
        }
    };
    add("float", "scores", model.classes(), 4);
    add("float", "x", room.features, 4);
    for (place, words) in PLACES.iter().zip(room.bits) {
        add("uint32_t", place, words, 4);
    }
    for (kind, size) in &room.patches {
        let name = format!("patch_{}", kind.name());
        // an even number of 16-bit values: whole words
        let (size, of) = if *kind == Kind::Bytes { (size.next_multiple_of(2), 2) } else { (*size, 4) };
        add(kind.patch(), &name, size, of);
    }
    (members, bytes)
}

fn header(model: &Model, network: &Network, name: &str, (members, workspace): (&str, usize)) -> String {
    let (upper, x) = (name.to_ascii_uppercase(), network.input.value());
    let (features, classes, tables) = (model.inputs, model.classes(), network.tables.bytes);
    let refusal = match network.input {
        Kind::Bytes => "Always returns 0.",
        _ => "Returns 0, or -1 if a feature is not finite, before or after standardization.",
    };
    let raw = match model.columns() {
        None => "",
        Some(_) => {
            "\n * The features are those that the columns of a raw table become, in the order of the columns."
        }
    };
    format!(
        "\
/* Made by onebit {version}: a binarized network with {tables} bytes of constant tables. The caller provides a
 * workspace; its contents do not matter before a call, and mean nothing after it.{raw} */
#ifndef {upper}_H
#define {upper}_H

#include <stdint.h>

#ifdef __cplusplus
extern \"C\" {{
#endif

#define {upper}_FEATURES {features}
#define {upper}_CLASSES {classes}
/* Size of a workspace in bytes. */
#define {upper}_WORKSPACE {workspace}

typedef struct {{
{members}}} {name}_workspace;

extern const char *const {name}_labels[{upper}_CLASSES];

/* Computes the scores of one sample: x holds {upper}_FEATURES features, scores has room for {upper}_CLASSES.
 * {refusal} */
int {name}_scores(const {x} *x, float *scores, {name}_workspace *w);

/* Returns the class with the highest score, of several equal ones the first; or -1 if {name}_scores does. */
int {name}_classify(const {x} *x, {name}_workspace *w);

#ifdef __cplusplus
}}
#endif

#endif
",
        version = env!("CARGO_PKG_VERSION"),
    )
}

fn source(model: &Model, network: &Network, name: &str) -> String {
    let (upper, x, calls) = (name.to_ascii_uppercase(), network.input.value(), &network.calls);
    let labels: String =
        model.labels.iter().map(|label| format!("    {},\n", literal::string(label))).collect();
    let geometry = if network.tables.text.contains("static const geometry ") { GEOMETRY } else { "" };
    let infinite = if network.tables.infinite { literal::INFINITE } else { "" };
    let variable = if calls.contains("for (i") { "    uint32_t i;\n" } else { "" };
    let unused = if calls.contains("w->") { "" } else { "    (void)w;\n" };
    format!(
        "\
/* Made by onebit {version}. */
#include \"{name}.h\"

{GUARDS}{infinite}
typedef char workspace_has_its_size[sizeof({name}_workspace) == {upper}_WORKSPACE ? 1 : -1];
typedef {limit} limit;

{geometry}{tables}{functions}const char *const {name}_labels[{upper}_CLASSES] = {{
{labels}}};

int {name}_scores(const {x} *x, float *scores, {name}_workspace *w)
{{
{variable}{unused}{calls}    return 0;
}}

int {name}_classify(const {x} *x, {name}_workspace *w)
{{
    int best = 0, i;
    if ({name}_scores(x, w->scores, w) != 0)
        return -1;
    for (i = 1; i < {upper}_CLASSES; i++)
        if (w->scores[i] > w->scores[best] || (w->scores[i] == w->scores[i] && w->scores[best] != w->scores[best]))
            best = i;
    return best;
}}
",
        version = env!("CARGO_PKG_VERSION"),
        limit = network.limit().0,
        tables = network.tables.text,
        functions = network.pieces.text(&network.feature),
    )
}
