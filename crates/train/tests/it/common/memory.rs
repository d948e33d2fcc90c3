//! A checkpoint in memory.

use std::collections::BTreeMap;

use onebit_bits::BitTensor;
use onebit_train::{
    Result,
    state::{Item, State, Visitor},
};

/// Everything that was named, by its path.
#[derive(Default)]
pub(crate) struct Memory {
    items: BTreeMap<String, Saved>,
    restoring: bool,
}

enum Saved {
    Reals(Vec<f32>),
    Integers(Vec<i32>),
    Bytes(Vec<i8>),
    Bits(BitTensor),
    Count(u64),
}

impl Memory {
    pub(crate) fn save(&mut self, walk: impl FnOnce(&mut State) -> Result<()>) {
        self.restoring = false;
        walk(&mut State::new(self)).unwrap();
    }

    pub(crate) fn restore(&mut self, walk: impl FnOnce(&mut State) -> Result<()>) {
        self.restoring = true;
        walk(&mut State::new(self)).unwrap();
    }
}

impl Visitor for Memory {
    fn visit(&mut self, name: &str, item: Item) -> Result<()> {
        if self.restoring {
            match (item, &self.items[name]) {
                (Item::Reals(to), Saved::Reals(from)) => to.copy_from_slice(from),
                (Item::Integers(to), Saved::Integers(from)) => to.copy_from_slice(from),
                (Item::Bytes(to), Saved::Bytes(from)) => to.copy_from_slice(from),
                (Item::Bits(to), Saved::Bits(from)) => *to = from.clone(),
                (Item::Count(to), Saved::Count(from)) => *to = *from,
                _ => panic!("{name} changed its kind"),
            }
        } else {
            let saved = match item {
                Item::Reals(values) => Saved::Reals(values.to_vec()),
                Item::Integers(values) => Saved::Integers(values.to_vec()),
                Item::Bytes(values) => Saved::Bytes(values.to_vec()),
                Item::Bits(bits) => Saved::Bits(bits.clone()),
                Item::Count(count) => Saved::Count(*count),
            };
            assert!(self.items.insert(name.into(), saved).is_none(), "{name} came twice");
        }
        Ok(())
    }
}
