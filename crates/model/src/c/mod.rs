//! A model as C99 source, for microcontrollers and other programs in C: no heap, no library, no dependencies.
//!
//! What a layer computes is a C function in `text/`, written once for each kind of input. A model becomes
//! constant tables and calls of these functions.
//!
//! | module | what it knows |
//! |---|---|
//! | [`kind`] | the three kinds of input, and their types in C |
//! | [`literal`], [`tables`] | numbers, strings and arrays as C text |
//! | [`piece`] | the functions in `text/`, and which of them each one calls |
//! | [`network`] | the tables, calls and memory of each layer |
//! | [`source`] | header and source as a whole |

mod kind;
mod literal;
mod network;
mod piece;
mod source;
mod tables;

use alloc::string::ToString;

use crate::{
    error::{Error, Result},
    model::Model,
};
pub use source::CSource;

impl Model {
    /// The model as a C99 header and source that include `stdint.h` and nothing else, for programs without
    /// heap, libraries or operating system. All public names start with `name`:
    ///
    /// ```c
    /// #define NAME_FEATURES, NAME_CLASSES, NAME_WORKSPACE
    /// typedef struct { ... } NAME_workspace;                                /* NAME_WORKSPACE bytes */
    /// extern const char *const NAME_labels[NAME_CLASSES];
    /// int NAME_scores(const float *x, float *scores, NAME_workspace *w);    /* 0, or -1 */
    /// int NAME_classify(const float *x, NAME_workspace *w);                 /* the class, or -1 */
    /// ```
    ///
    /// For each sample x: (features), scores and class equal those of [`scores`](Self::scores) and
    /// [`classify`](Self::classify), bit for bit; only if a score is NaN may its bits differ. The functions
    /// return -1 for a feature that [`scores`](Self::scores) refuses with [`Error::NotFinite`]. For a model
    /// that [takes bytes](Self::takes_bytes), `x` is `const uint8_t *`, and every sample is accepted.
    /// `docs/reference/c.md` lists what the compiler must keep to.
    ///
    /// ```
    /// # use onebit_bits::BitTensor;
    /// # use onebit_model::{Affine, Binarize, Dense, Layer, Model, Output};
    /// # let binarize = Layer::Binarize(Binarize { features: 3, thresholds: vec![0.0] });
    /// # let weights = BitTensor::from_fn(2, 3, |class, _| class == 0);
    /// # let scores = Layer::Dense(Dense { weights, output: Output::Scores(Affine::identity(2)) });
    /// # let model = Model::new(3, vec![binarize, scores], vec!["up".into(), "down".into()])?;
    /// let c = model.to_c("trend")?; // 3 features, 2 classes
    /// assert!(c.header.contains("#define TREND_FEATURES 3"));
    /// assert!(c.source.contains("#include \"trend.h\""));
    /// // Tables: one threshold, two rows of weights (32 bits each), mean, scale and shift of two classes.
    /// assert_eq!(c.tables, 4 + 2 * 4 + 3 * 2 * 4);
    /// // Workspace: two scores, and one word for the three bits between the layers.
    /// assert_eq!(c.workspace, 2 * 4 + 4);
    /// # Ok::<(), onebit_model::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::CName`] unless `name` is a letter followed by letters, digits and `_`.
    pub fn to_c(&self, name: &str) -> Result<CSource> {
        let mut chars = name.chars();
        // names with an underscore in front are reserved for the compiler
        let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
        if !first || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Error::CName { name: name.to_string() });
        }
        Ok(source::write(self, name))
    }
}
