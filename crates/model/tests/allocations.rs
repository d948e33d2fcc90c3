//! An interpreter allocates its workspace, and then nothing.
//!
//! In a binary of its own, because it counts what the whole process allocates.

mod recipe;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use onebit_model::Interpreter;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use recipe::{image_recipes, recipes};

/// The system's allocator, and how many bytes it was asked for: there is no safe way to know.
struct Counting;

static ASKED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

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
