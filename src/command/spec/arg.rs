//! The argument tree of a command, built in rows as one reads it: `arg::integer("count").token("COUNT").optional()`.

/// One node of the argument tree.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// The argument's name in the documentation.
    pub name: &'static str,
    /// Its kind, with the children of a choice or a group.
    pub kind: ArgumentKind,
    /// The keyword in front of it, if any.
    pub token: Option<&'static str>,
    /// May be left out.
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// Where repeated, the token is repeated too.
    pub multiple_token: bool,
    /// Index into the command's key specifications, for keys.
    pub key_spec: Option<u8>,
    /// Version that added it, if later than the command.
    pub since: Option<&'static str>,
    /// Version that deprecated it.
    pub deprecated_since: Option<&'static str>,
    /// Another text to show for it.
    pub display: Option<&'static str>,
}

/// Kind of an argument.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum ArgumentKind {
    String,
    Integer,
    Double,
    Key,
    Pattern,
    UnixTime,
    PureToken,
    /// Exactly one of these.
    OneOf(&'static [Argument]),
    /// All of these, in order.
    Block(&'static [Argument]),
}

impl ArgumentKind {
    /// The name that `COMMAND DOCS` uses.
    pub const fn name(self) -> &'static str {
        match self {
            ArgumentKind::String => "string",
            ArgumentKind::Integer => "integer",
            ArgumentKind::Double => "double",
            ArgumentKind::Key => "key",
            ArgumentKind::Pattern => "pattern",
            ArgumentKind::UnixTime => "unix-time",
            ArgumentKind::PureToken => "pure-token",
            ArgumentKind::OneOf(_) => "oneof",
            ArgumentKind::Block(_) => "block",
        }
    }
    /// The children of a choice or a group; none for a plain argument.
    pub const fn children(self) -> Option<&'static [Argument]> {
        match self {
            ArgumentKind::OneOf(children) | ArgumentKind::Block(children) => Some(children),
            _ => None,
        }
    }
}

impl Argument {
    /// A string of any content, given once; every other kind departs from it.
    const PLAIN: Argument = Argument {
        name: "",
        kind: ArgumentKind::String,
        token: None,
        optional: false,
        multiple: false,
        multiple_token: false,
        key_spec: None,
        since: None,
        deprecated_since: None,
        display: None,
    };

    const fn of(name: &'static str, kind: ArgumentKind) -> Argument {
        Argument { name, kind, ..Argument::PLAIN }
    }
    /// Behind this keyword.
    pub const fn token(self, token: &'static str) -> Argument {
        Argument { token: Some(token), ..self }
    }
    /// May be left out.
    pub const fn optional(self) -> Argument {
        Argument { optional: true, ..self }
    }
    /// May be repeated, a keyword in front of the first only.
    pub const fn multiple(self) -> Argument {
        Argument { multiple: true, ..self }
    }
    /// May be repeated, keyword and all.
    pub const fn multiple_token(self) -> Argument {
        Argument { multiple: true, multiple_token: true, ..self }
    }
    /// Came with this version.
    pub const fn since(self, version: &'static str) -> Argument {
        Argument { since: Some(version), ..self }
    }
    /// Should not be used from this version on.
    pub const fn deprecated(self, version: &'static str) -> Argument {
        Argument { deprecated_since: Some(version), ..self }
    }
    /// Shown as this text instead of its name.
    pub const fn shown_as(self, text: &'static str) -> Argument {
        Argument { display: Some(text), ..self }
    }

    /// It names keys, those of the key specification of this index.
    pub const fn of_keys(self, key_spec: u8) -> Argument {
        Argument { key_spec: Some(key_spec), ..self }
    }

    /// The fewest arguments on the wire that this node takes.
    pub fn minimum(&self) -> usize {
        if self.optional { 0 } else { self.minimum_if_given() }
    }

    /// The same for a node that is there; a choice must be, whatever its own mark says.
    fn minimum_if_given(&self) -> usize {
        let own = match self.kind {
            ArgumentKind::PureToken => 0,
            ArgumentKind::OneOf(choices) => choices.iter().map(Argument::minimum_if_given).min().unwrap_or(0),
            ArgumentKind::Block(parts) => parts.iter().map(Argument::minimum).sum(),
            _ => 1,
        };
        own + usize::from(self.token.is_some())
    }
}

/// A string.
pub const fn string(name: &'static str) -> Argument {
    Argument::of(name, ArgumentKind::String)
}
/// An integer.
pub const fn integer(name: &'static str) -> Argument {
    Argument::of(name, ArgumentKind::Integer)
}
/// A floating-point number.
pub const fn double(name: &'static str) -> Argument {
    Argument::of(name, ArgumentKind::Double)
}
/// A glob pattern.
pub const fn pattern(name: &'static str) -> Argument {
    Argument::of(name, ArgumentKind::Pattern)
}
/// A Unix time.
pub const fn unix_time(name: &'static str) -> Argument {
    Argument::of(name, ArgumentKind::UnixTime)
}
/// A key, told by the key specification of this index.
pub const fn key(name: &'static str, key_spec: u8) -> Argument {
    Argument { key_spec: Some(key_spec), ..Argument::of(name, ArgumentKind::Key) }
}
/// A keyword alone.
pub const fn token(name: &'static str, token: &'static str) -> Argument {
    Argument::of(name, ArgumentKind::PureToken).token(token)
}
/// Exactly one of the choices.
pub const fn one_of(name: &'static str, choices: &'static [Argument]) -> Argument {
    Argument::of(name, ArgumentKind::OneOf(choices))
}
/// All parts, in order.
pub const fn block(name: &'static str, parts: &'static [Argument]) -> Argument {
    Argument::of(name, ArgumentKind::Block(parts))
}
