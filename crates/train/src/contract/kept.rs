//! A slot for a value that one verb of a layer keeps for a later verb.

use crate::error::{Error, Result};

/// A value that [`forward`](crate::layer::Layer::forward) or [`receive`](crate::layer::Layer::receive) keeps
/// for a later verb. Reading an empty slot is an error that names the layer, the verb and the missing step.
pub(crate) struct Kept<T> {
    value: Option<T>,
    layer: &'static str,
    needs: &'static str,
}

impl<T> Kept<T> {
    /// An empty slot that the forward pass of `layer` fills.
    pub(crate) const fn by_forward(layer: &'static str) -> Self {
        Self { value: None, layer, needs: "forward pass" }
    }

    /// An empty slot that a signal to `layer` fills.
    pub(crate) const fn by_receive(layer: &'static str) -> Self {
        Self { value: None, layer, needs: "signal" }
    }

    /// The value, for `verb`.
    ///
    /// # Errors
    /// [`Error::Sequence`] when the slot is empty.
    pub(crate) fn get(&self, verb: &'static str) -> Result<&T> {
        self.value.as_ref().ok_or(self.missing(verb))
    }

    /// Moves the value out, for `verb`.
    ///
    /// # Errors
    /// [`Error::Sequence`] when the slot is empty.
    pub(crate) fn take(&mut self, verb: &'static str) -> Result<T> {
        self.value.take().ok_or(self.missing(verb))
    }

    /// The value, or `None` for an empty slot.
    pub(crate) fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// Mutable access to the value, or `None` for an empty slot.
    pub(crate) fn value_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }

    /// Keeps `value` and returns the previous one, for example to recycle it.
    pub(crate) fn replace(&mut self, value: T) -> Option<T> {
        self.value.replace(value)
    }

    /// Keeps `value`, or nothing for `None`.
    pub(crate) fn set(&mut self, value: impl Into<Option<T>>) {
        self.value = value.into();
    }

    /// Empties the slot and returns the value, for example to recycle it.
    pub(crate) fn clear(&mut self) -> Option<T> {
        self.value.take()
    }

    fn missing(&self, verb: &'static str) -> Error {
        Error::Sequence { layer: self.layer, verb, needs: self.needs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_slot_names_layer_verb_and_missing_step() {
        let mut x = Kept::by_forward("dense");
        assert_eq!(x.get("send").unwrap_err().to_string(), "dense: send needs a forward pass before it");
        assert_eq!(x.replace(7), None);
        assert_eq!((x.get("send").unwrap(), x.value()), (&7, Some(&7)));
        assert_eq!((x.take("send").unwrap(), x.clear()), (7, None));
        let dy = Kept::<u8>::by_receive("dense");
        assert_eq!(dy.get("update").unwrap_err().to_string(), "dense: update needs a signal before it");
    }
}
