//! The two files.

use alloc::{format, string::String};

use super::{
    CSource, Kind,
    layer::{Network, PLACES},
    literal, member,
    piece::GEOMETRY,
};
use crate::model::Model;

/// What would change results behind our back.
const GUARDS: &str = "\
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0)
#error \"-ffast-math would change the results\"
#endif
#if defined(__FLT_EVAL_METHOD__) && (__FLT_EVAL_METHOD__ == 1 || __FLT_EVAL_METHOD__ == 2)
#error \"floats must be computed as floats: with -mfpmath=sse on x86\"
#endif
";

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

/// The members of the workspace, and their bytes: all have elements of four, or are the last.
fn workspace(model: &Model, network: &Network) -> (String, usize) {
    let (room, mut members, mut bytes) = (&network.room, String::new(), 0);
    let mut add = |kind: &str, what: &str, size: usize, of: usize| {
        if size > 0 {
            members += &member(kind, what, size);
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
        // to whole words, so that nothing is between members or behind them
        let (size, of) = if *kind == Kind::Bytes { (size.next_multiple_of(2), 2) } else { (*size, 4) };
        add(kind.patch(), &name, size, of);
    }
    (members, bytes)
}

fn header(model: &Model, network: &Network, name: &str, (members, workspace): (&str, usize)) -> String {
    let (upper, x) = (name.to_ascii_uppercase(), network.input.value());
    let (features, classes, tables) = (model.inputs, model.classes(), network.tables.bytes);
    let refusal = match network.input {
        Kind::Bytes => "Never refuses: all bytes are features.",
        _ => {
            "-1 if a feature is not a finite number, or is so large that standardization does not leave it one."
        }
    };
    let raw = match model.columns() {
        None => "",
        Some(_) => {
            "\n * Features are those that the columns of a raw table become, in the order of `onebit inspect`."
        }
    };
    format!(
        "\
/* Made by onebit {version}: a binarized network. Constant tables of {tables} bytes; nothing else is needed but a
 * workspace, which may hold anything before a call and is of no use after it.{raw} */
#ifndef {upper}_H
#define {upper}_H

#include <stdint.h>

#ifdef __cplusplus
extern \"C\" {{
#endif

#define {upper}_FEATURES {features}
#define {upper}_CLASSES {classes}
/* Bytes of a workspace. */
#define {upper}_WORKSPACE {workspace}

typedef struct {{
{members}}} {name}_workspace;

extern const char *const {name}_labels[{upper}_CLASSES];

/* The scores of one sample: x has {upper}_FEATURES features, scores has room for {upper}_CLASSES.
 * Gives 0. {refusal} */
int {name}_scores(const {x} *x, float *scores, {name}_workspace *w);

/* The class with the highest score, of equal ones the first; -1 where {name}_scores gives that. */
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
