//! The stream: entries in the order of their ids, and consumer groups that read them.
//!
//! Entries are packed into nodes of some kilobytes ([`node`]), fields that repeat stand once in each; the nodes stand in
//! an index that a snapshot shares ([`ordered`]), and so do the pending lists of groups ([`group`]). A clone of a stream
//! is a snapshot that shares what neither side changes.
//!
//! Absent: the time (ids and times are the caller's), and what happens to an empty stream, which stays.

mod entries;
mod group;
mod id;
mod node;
mod ordered;
mod part;

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

pub use entries::{Ascending, EntryList, Threshold};
pub use group::{Consumer, Group, Pending};
pub use id::{IdText, StreamId};
pub use node::{Entry, NODE_BYTES_MAX, Node, NodeLimits};
pub use ordered::{Ordered, Walk};
pub use part::Part;

use super::thin::allocation_size;

/// A stream of no more nodes is freed at once.
const FREED_AT_ONCE: usize = 16;

/// Groups by name.
type Groups = BTreeMap<Box<[u8]>, Group>;

/// See the module's text.
#[derive(Clone, Default)]
pub struct Stream {
    /// The entries.
    pub entries: EntryList,
    /// `None` until there is a group.
    groups: Option<Arc<Groups>>,
    /// What the groups hold.
    group_bytes: usize,
}

/// A group to be changed; accounts for the bytes that it gains or loses.
pub struct GroupMut<'a> {
    group: &'a mut Group,
    before: usize,
    bytes: &'a mut usize,
}

impl Deref for GroupMut<'_> {
    type Target = Group;
    fn deref(&self) -> &Group {
        self.group
    }
}

impl DerefMut for GroupMut<'_> {
    fn deref_mut(&mut self) -> &mut Group {
        self.group
    }
}

impl Drop for GroupMut<'_> {
    fn drop(&mut self) {
        *self.bytes = *self.bytes + self.group.heap_bytes() - self.before;
    }
}

/// What a group takes beside what it holds itself.
fn group_size(name: &[u8]) -> usize {
    size_of::<Group>() + size_of::<Box<[u8]>>() + allocation_size(name.len())
}

impl Stream {
    /// Bytes held from the allocator.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        self.entries.heap_bytes() + self.group_bytes
    }

    /// Whether freeing it takes long enough to be left to the background.
    pub fn is_slow_to_free(&self) -> bool {
        self.entries.node_count() > FREED_AT_ONCE || self.group_bytes > FREED_AT_ONCE * NodeLimits::default().bytes
    }

    /// Number of groups.
    pub fn group_count(&self) -> usize {
        self.groups.as_ref().map_or(0, |groups| groups.len())
    }

    /// All groups, by name.
    pub fn groups(&self) -> impl Iterator<Item = (&[u8], &Group)> {
        self.groups.iter().flat_map(|groups| groups.iter().map(|(name, group)| (&**name, group)))
    }

    /// A group.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.as_ref()?.get(name)
    }

    /// A group to be changed, and the entries.
    pub fn group_mut(&mut self, name: &[u8]) -> Option<(&EntryList, GroupMut<'_>)> {
        // A miss must not copy what is shared.
        self.group(name)?;
        let group = Arc::make_mut(self.groups.as_mut()?).get_mut(name)?;
        let before = group.heap_bytes();
        Some((&self.entries, GroupMut { group, before, bytes: &mut self.group_bytes }))
    }

    /// Adds a group; false if there is one of this name.
    pub fn create_group(&mut self, name: &[u8], group: Group) -> bool {
        if self.group(name).is_some() {
            return false;
        }
        self.group_bytes += group_size(name) + group.heap_bytes();
        let groups = self.groups.get_or_insert_default();
        Arc::make_mut(groups).insert(name.into(), group);
        true
    }

    /// Removes a group with all that it knows; false if there is none.
    pub fn destroy_group(&mut self, name: &[u8]) -> bool {
        if self.group(name).is_none() {
            return false;
        }
        let gone = self.groups.as_mut().and_then(|groups| Arc::make_mut(groups).remove(name));
        self.group_bytes -= gone.map_or(0, |group| group_size(name) + group.heap_bytes());
        true
    }

    /// How many entries a group has not been given yet; `None` where it cannot be told.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        let entries = &self.entries;
        if entries.entries_added == 0 {
            return Some(0);
        }
        let known = group.entries_read.filter(|_| !entries.has_gaps_from(group.last_id));
        let read = known.or_else(|| entries.added_up_to(group.last_id))?;
        // The difference as Redis tells it, whatever somebody said was read.
        Some((entries.entries_added as i64).wrapping_sub(read as i64))
    }
}

#[cfg(test)]
mod tests;
