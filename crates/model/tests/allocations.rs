//! An interpreter allocates its workspace, and then nothing.
//!
//! In a binary of its own, because it counts what the whole process allocates.

mod recipe;

#[path = "../../bits/tests/counting/mod.rs"]
mod counting;

use std::sync::atomic::Ordering::Relaxed;

use counting::ASKED;
use onebit_model::Interpreter;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use recipe::{image_recipes, recipes};

#[test]
fn an_interpreter_allocates_its_workspace_and_then_nothing() {
    let mut runner = TestRunner::deterministic();
    let strategy = prop_oneof![recipes(), image_recipes()];
    for _ in 0..100 {
        let recipe = strategy.new_tree(&mut runner).unwrap().current();
        let (model, x) = (recipe.model(), recipe.samples(2));
        let before = ASKED.load(Relaxed);
        let mut interpreter = Interpreter::new(&model).unwrap();
        let made = ASKED.load(Relaxed);
        assert_eq!(made - before, model.workspace(), "{recipe:?}");
        for x in x.chunks_exact(model.inputs()) {
            interpreter.scores(x).unwrap();
        }
        assert_eq!(ASKED.load(Relaxed), made, "{recipe:?}");
    }
}
