//! The verbs of the contract, each on the one server that a key or a tag belongs to.

mod entries;
mod generations;
mod leases;
mod plain;
mod reads;

use std::sync::Arc;

use larder_core::{Key, Tag};

use crate::{name::Name, namespace::View, node::Node};

pub(crate) use reads::{Answered, Found, Wanted};

/// How often a change is tried that others keep getting in the way of.
const TRIES: usize = 16;

/// One namespace on one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    pub(crate) node: &'a Arc<Node>,
    pub(crate) namespace: &'a str,
}

impl<'a> Site<'a> {
    fn entry<'n>(&self, view: &View, key: &'n Key) -> Name<'n>
    where
        'a: 'n,
    {
        Name::Entry { namespace: self.namespace, generation: view.generation, key }
    }

    fn tag<'n>(&self, tag: &'n Tag) -> Name<'n>
    where
        'a: 'n,
    {
        Name::Tag { namespace: self.namespace, tag }
    }
}
