//! An interpreter allocates its workspace, and then nothing.

use onebit_model::Interpreter;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::{
    counting::counted,
    recipe::{image_recipes, recipes},
};

#[test]
fn an_interpreter_allocates_its_workspace_and_then_nothing() {
    let mut runner = TestRunner::deterministic();
    let strategy = prop_oneof![recipes(), image_recipes()];
    for _ in 0..100 {
        let recipe = strategy.new_tree(&mut runner).unwrap().current();
        let (model, x) = (recipe.model(), recipe.samples(2));
        let (mut interpreter, made) = counted(|| Interpreter::new(&model).unwrap());
        assert_eq!(made.asked, model.workspace(), "{recipe:?}");
        let ((), more) = counted(|| {
            for x in x.chunks_exact(model.inputs()) {
                interpreter.scores(x).unwrap();
            }
        });
        assert_eq!(more.asked, 0, "{recipe:?}");
    }
}
