//! Numbers of a file of cases, made by another program.
//!
//! A key or step that the file does not have reads as null, and null is not a number, so such a test fails.

use serde_json::Value as Json;

/// One case of a file.
pub fn case(file: &str, name: &str) -> Json {
    let mut cases: Json = serde_json::from_str(file).expect("the file is JSON");
    cases[name].take()
}

/// The number, or a panic that asks for the right key.
pub fn number(json: &Json) -> f64 {
    json.as_f64().expect("a number; is the key right?")
}

/// All numbers of nested lists, in order.
pub fn numbers(json: &Json) -> Vec<f64> {
    match json {
        Json::Array(list) => list.iter().flat_map(numbers).collect(),
        json => vec![number(json)],
    }
}

/// The same in f32.
pub fn reals(json: &Json) -> Vec<f32> {
    numbers(json).into_iter().map(|x| x as f32).collect()
}
