//! Checkpoints: a run that is killed goes on to the bit-identical result, and no file does harm.
//!
//! | module | what it checks |
//! |---|---|
//! | `resume` | from every point of a run, over nets of every layer and rule |
//! | `layout` | the file is what a reader of safetensors expects |
//! | `disk` | a whole checkpoint is there at every instant; what is wrong is said |
//! | `hostile` | damaged, truncated and forged files |

mod disk;
mod hostile;
mod layout;
mod nets;
mod resume;
mod support;
