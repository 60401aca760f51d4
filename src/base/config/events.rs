//! Classes of keyspace events, as `notify-keyspace-events` selects them.

use std::fmt;
use std::ops::BitOr;

/// A set of event classes, and of the channels that announce them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyspaceEvents(u16);

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $letter:literal;)*) => {
        impl KeyspaceEvents {
            $($(#[$doc])* pub const $name: KeyspaceEvents = KeyspaceEvents(1 << $bit);)*
            /// Every class with its letter, in the order in which Redis prints them.
            const LETTERS: &'static [(KeyspaceEvents, u8)] = &[$((KeyspaceEvents::$name, $letter)),*];
        }
    };
}

classes! {
    /// Commands of no type: DEL, EXPIRE, RENAME, …
    GENERIC = 0, b'g';
    /// String commands.
    STRING = 1, b'$';
    /// List commands.
    LIST = 2, b'l';
    /// Set commands.
    SET = 3, b's';
    /// Hash commands.
    HASH = 4, b'h';
    /// Sorted set commands.
    SORTED_SET = 5, b'z';
    /// A key expired.
    EXPIRED = 6, b'x';
    /// A key was evicted.
    EVICTED = 7, b'e';
    /// Stream commands.
    STREAM = 8, b't';
    /// Modules' types.
    MODULE = 9, b'd';
    /// A key was created.
    NEW = 10, b'n';
    /// Announce on `__keyspace@<db>__:<key>`.
    KEYSPACE = 11, b'K';
    /// Announce on `__keyevent@<db>__:<event>`.
    KEYEVENT = 12, b'E';
    /// A key was looked up and not there.
    MISSED = 13, b'm';
}

impl KeyspaceEvents {
    /// Nothing at all.
    pub const NONE: KeyspaceEvents = KeyspaceEvents(0);
    /// What the letter `A` stands for: every class but new and missed keys.
    pub const ALL: KeyspaceEvents = KeyspaceEvents(0x3ff);

    /// Reads letters; `None` when one of them means nothing.
    pub fn parse(letters: &[u8]) -> Option<KeyspaceEvents> {
        letters.iter().try_fold(KeyspaceEvents::NONE, |events, letter| {
            let known = Self::LETTERS.iter().find(|(_, own)| own == letter).map(|(class, _)| *class);
            known.or((*letter == b'A').then_some(Self::ALL)).map(|class| events | class)
        })
    }

    /// Whether all of `other` is in it.
    #[inline]
    pub const fn has(self, other: KeyspaceEvents) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for KeyspaceEvents {
    type Output = KeyspaceEvents;
    fn bitor(self, other: KeyspaceEvents) -> KeyspaceEvents {
        KeyspaceEvents(self.0 | other.0)
    }
}

impl fmt::Display for KeyspaceEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.has(Self::ALL);
        if all {
            f.write_str("A")?;
        }
        // Redis does not tell new keys from the rest once everything is on.
        let hidden = if all { Self::ALL | Self::NEW } else { Self::NONE };
        let shown = Self::LETTERS.iter().filter(|(class, _)| self.has(*class) && !hidden.has(*class));
        shown.map(|(_, letter)| *letter as char).try_for_each(|letter| write!(f, "{letter}"))
    }
}
