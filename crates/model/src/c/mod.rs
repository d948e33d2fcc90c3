//! A model as a C99 header and source that need nothing else: no heap, no library, for controllers.
//!
//! What a layer computes is a function in C (`text/`), written once for each kind of input; a model is tables and the
//! calls of these functions.

use alloc::{
    format,
    string::{String, ToString},
};

use crate::{
    error::{Error, Result},
    model::Model,
};

mod layer;
mod literal;
mod piece;
mod source;
mod tables;

/// A model as C: see [`Model::to_c`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSource {
    /// What its public names begin with.
    pub name: String,
    /// The text of `NAME.h`.
    pub header: String,
    /// The text of `NAME.c`, which includes `NAME.h`.
    pub source: String,
    /// Bytes of the constant tables: weights, limits and all other numbers, but not the labels.
    pub tables: usize,
    /// Bytes of the workspace that a caller brings.
    pub workspace: usize,
}

impl Model {
    /// The model as a C99 header and source, for programs without heap, libraries or an operating system: they include
    /// `stdint.h` and nothing else. `name` begins the names of everything public:
    ///
    /// ```c
    /// #define NAME_FEATURES, NAME_CLASSES, NAME_WORKSPACE
    /// typedef struct { ... } NAME_workspace;                                /* NAME_WORKSPACE bytes */
    /// extern const char *const NAME_labels[NAME_CLASSES];
    /// int NAME_scores(const float *x, float *scores, NAME_workspace *w);    /* 0, or -1 */
    /// int NAME_classify(const float *x, NAME_workspace *w);                 /* the class, or -1 */
    /// ```
    ///
    /// For every sample, x: (features), scores and class are those of [`scores`](Self::scores) and
    /// [`classify`](Self::classify), bit for bit (where a score is NaN, its bits may differ). Where these refuse a
    /// feature that is not finite, the functions return -1. A model whose first layer compares sums of bytes takes
    /// `const uint8_t *x` and refuses nothing. `docs/reference/c.md` says what the compiler must keep to.
    ///
    /// # Errors
    /// [`Error::CName`] unless `name` is a letter, then letters, digits and `_`.
    pub fn to_c(&self, name: &str) -> Result<CSource> {
        let mut chars = name.chars();
        // an underscore in front would be a name of the compiler
        let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
        if !first || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Error::CName { name: name.to_string() });
        }
        Ok(source::write(self, name))
    }
}

/// What a layer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Bits,
    Reals,
    Bytes,
}

impl Kind {
    /// The end of the names of functions.
    fn name(self) -> &'static str {
        match self {
            Kind::Bits => "bits",
            Kind::Reals => "reals",
            Kind::Bytes => "bytes",
        }
    }

    /// The type of an element, or of 32 bits.
    fn value(self) -> &'static str {
        match self {
            Kind::Bits => "uint32_t",
            Kind::Reals => "float",
            Kind::Bytes => "uint8_t",
        }
    }

    /// The type of an element of a patch, or of 32 bits.
    fn patch(self) -> &'static str {
        match self {
            Kind::Bits | Kind::Reals => self.value(),
            Kind::Bytes => "int16_t",
        }
    }

    fn sum(self) -> &'static str {
        match self {
            Kind::Bits | Kind::Bytes => "int32_t",
            Kind::Reals => "float",
        }
    }

    fn limit(self) -> &'static str {
        match self {
            // short where all fit, see `layer.rs`
            Kind::Bits => "limit",
            Kind::Reals => "float",
            Kind::Bytes => "int32_t",
        }
    }

    /// The text of a function with the types of this kind.
    fn apply(self, text: &str) -> String {
        text.replace("KIND", self.name())
            .replace("VALUE", self.value())
            .replace("PATCH", self.patch())
            .replace("COUNTED", if self == Kind::Bytes { "counted" } else { "" })
            .replace("SUM", self.sum())
            .replace("LIMIT", self.limit())
    }
}

/// Words of 32 bits for `bits` bits.
fn words(bits: usize) -> usize {
    bits.div_ceil(32)
}

/// `what` and its size, as in a declaration.
fn member(kind: &str, what: &str, size: usize) -> String {
    format!("    {kind} {what}[{size}];\n")
}
