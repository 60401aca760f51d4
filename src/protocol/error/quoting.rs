//! Errors that quote what a client sent, cut to a length that helps.

use super::CommandError;

/// Most bytes of a name, and of all arguments together, that an error quotes.
const QUOTED_BYTES_MAX: usize = 128;

impl CommandError {
    /// The arity error of `name`, a command or `container|subcommand`.
    #[cold]
    pub fn wrong_arity(name: &str) -> CommandError {
        CommandError::WrongArity(name.into())
    }

    /// The error for a command that is not there, quoting its name and the arguments behind it, at most 128 bytes each.
    #[cold]
    pub fn unknown_command<'a>(name: &[u8], arguments: impl IntoIterator<Item = &'a [u8]>) -> CommandError {
        let mut quoted = Vec::new();
        for argument in arguments {
            if quoted.len() >= QUOTED_BYTES_MAX {
                break;
            }
            let shown = cut(argument, QUOTED_BYTES_MAX - quoted.len());
            quoted.extend([b"'", shown, b"' "].concat());
        }
        let line = [b"ERR unknown command '", cut(name, QUOTED_BYTES_MAX), b"', with args beginning with: ", &quoted];
        CommandError::UnknownCommand(line.concat().into())
    }

    /// The error for a container's unknown subcommand; `container` is the name as the client typed it.
    #[cold]
    pub fn unknown_subcommand(container: &[u8], name: &[u8]) -> CommandError {
        CommandError::UnknownSubcommand(try_help(b"ERR unknown subcommand '", container, name))
    }

    /// The error for a subcommand whose arguments do not fit; `container` is the name as the client typed it.
    #[cold]
    pub fn subcommand_syntax(container: &[u8], name: &[u8]) -> CommandError {
        let front = b"ERR unknown subcommand or wrong number of arguments for '";
        CommandError::Quoting(try_help(front, container, name))
    }

    /// CLIENT TRACKING: two prefixes of which one begins with the other.
    #[cold]
    pub fn prefix_overlaps(prefix: &[u8], which: &str, other: &[u8]) -> CommandError {
        let parts: [&[u8]; 7] = [
            b"ERR Prefix '",
            prefix,
            b"' overlaps with ",
            which.as_bytes(),
            b" prefix '",
            other,
            b"'. Prefixes for a single client must not overlap.",
        ];
        CommandError::Quoting(parts.concat().into())
    }

    /// A command that names a consumer group: there is no such key, or no such group.
    #[cold]
    pub fn no_group(key: &[u8], group: &[u8]) -> CommandError {
        no_group("NOGROUP No such key '", key, "' or consumer group '", group, "'")
    }

    /// XREADGROUP: there is no such key, or no such group.
    #[cold]
    pub fn no_group_to_read(key: &[u8], group: &[u8]) -> CommandError {
        no_group("NOGROUP No such key '", key, "' or consumer group '", group, "' in XREADGROUP with GROUP option")
    }

    /// A command that looks into a stream: it has no such group.
    #[cold]
    pub fn no_such_group(key: &[u8], group: &[u8]) -> CommandError {
        no_group("NOGROUP No such consumer group '", group, "' for key name '", key, "'")
    }

    /// XCLAIM: an option that is not known.
    #[cold]
    pub fn unrecognized_claim_option(option: &[u8]) -> CommandError {
        quoting("ERR Unrecognized XCLAIM option '", option, "'")
    }

    /// EXPIRE and its kin: an option that is not known.
    #[cold]
    pub fn unsupported_option(option: &[u8]) -> CommandError {
        quoting("ERR Unsupported option ", option, "")
    }

    /// HELLO: an option that is not known or lacks its arguments.
    #[cold]
    pub fn hello_option(option: &[u8]) -> CommandError {
        quoting("ERR Syntax error in HELLO option '", option, "'")
    }

    /// HSETEX: a word that is no option.
    #[cold]
    pub fn unknown_argument(word: &[u8]) -> CommandError {
        quoting("ERR unknown argument: ", word, "")
    }

    /// GEOADD and its kin: a place that is none.
    #[cold]
    pub fn invalid_place(longitude: f64, latitude: f64) -> CommandError {
        CommandError::Custom(format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}").into())
    }

    /// GEOSEARCH: neither of two options; `name` is the command's as the client typed it.
    #[cold]
    pub fn exactly_one_of(options: &str, name: &[u8]) -> CommandError {
        quoting(&format!("ERR exactly one of {options} can be specified for "), name, "")
    }

    /// CLIENT SETINFO: an attribute that is not known.
    #[cold]
    pub fn unrecognized_option(option: &[u8]) -> CommandError {
        quoting("ERR Unrecognized option '", option, "'")
    }

    /// CLIENT SETINFO: a value that does not fit into a line; `option` is the attribute as the client typed it.
    #[cold]
    pub fn special_characters(option: &[u8]) -> CommandError {
        quoting("ERR ", option, " cannot contain spaces, newlines or special characters.")
    }

    /// CLIENT LIST and CLIENT KILL: a type of clients that is not known.
    #[cold]
    pub fn unknown_client_type(name: &[u8]) -> CommandError {
        quoting("ERR Unknown client type '", name, "'")
    }

    /// CLIENT KILL: a user that is not known.
    #[cold]
    pub fn no_such_user(name: &[u8]) -> CommandError {
        quoting("ERR No such user '", name, "'")
    }

    /// PFDEBUG: a subcommand that is not known.
    #[cold]
    pub fn unknown_pfdebug(name: &[u8]) -> CommandError {
        quoting("ERR Unknown PFDEBUG subcommand '", name, "'")
    }

    /// CLUSTER: a node that is not there.
    #[cold]
    pub fn unknown_node(id: &[u8]) -> CommandError {
        quoting("ERR Unknown node ", id, "")
    }

    /// LATENCY GRAPH: an event that was never slow.
    #[cold]
    pub fn no_samples(event: &[u8]) -> CommandError {
        quoting("ERR No samples available for event '", event, "'")
    }

    /// A whole line that may quote bytes of any kind: errors of scripts.
    #[cold]
    pub fn quoted_line(line: &[u8]) -> CommandError {
        CommandError::Quoting(line.into())
    }

    /// ACL CAT: a category that is not known.
    #[cold]
    pub fn unknown_category(name: &[u8]) -> CommandError {
        quoting("ERR Unknown category '", name, "'")
    }

    /// ACL DRYRUN: a user that is not known.
    #[cold]
    pub fn user_not_found(name: &[u8]) -> CommandError {
        quoting("ERR User '", name, "' not found")
    }

    /// ACL DRYRUN: a command that is not known.
    #[cold]
    pub fn command_not_found(name: &[u8]) -> CommandError {
        quoting("ERR Command '", name, "' not found")
    }

    /// CONFIG SET: a setting that is not known.
    #[cold]
    pub fn unknown_setting(name: &[u8]) -> CommandError {
        quoting("ERR Unknown option or number of arguments for CONFIG SET - '", name, "'")
    }

    /// CONFIG SET: a setting that cannot take its value; the configuration table words the reason.
    #[cold]
    pub fn setting_failed(name: &[u8], reason: &str) -> CommandError {
        let back = format!("') - {reason}");
        quoting("ERR CONFIG SET failed (possibly related to argument '", name, &back)
    }
}

/// The part of a client's bytes that an error quotes: like a C string it ends at a NUL.
fn cut(bytes: &[u8], max: usize) -> &[u8] {
    let end = bytes.iter().take(max).position(|&byte| byte == 0).unwrap_or(bytes.len().min(max));
    &bytes[..end]
}

/// A line that quotes a key and a group.
fn no_group(front: &str, first: &[u8], between: &str, second: &[u8], back: &str) -> CommandError {
    let (first, second) = (cut(first, 8 * QUOTED_BYTES_MAX), cut(second, 8 * QUOTED_BYTES_MAX));
    CommandError::Quoting([front.as_bytes(), first, between.as_bytes(), second, back.as_bytes()].concat().into())
}

/// `front` `bytes` `back`, as an error line.
fn quoting(front: &str, bytes: &[u8], back: &str) -> CommandError {
    // Redis sets no limit here; the argument is the client's own, but a megabyte in a line helps nobody.
    let shown = cut(bytes, 8 * QUOTED_BYTES_MAX);
    CommandError::Quoting([front.as_bytes(), shown, back.as_bytes()].concat().into())
}

/// The line that ends in the advice to ask the container for help.
fn try_help(front: &[u8], container: &[u8], name: &[u8]) -> Box<[u8]> {
    let container = cut(container, QUOTED_BYTES_MAX).to_ascii_uppercase();
    [front, cut(name, QUOTED_BYTES_MAX), b"'. Try ", &container, b" HELP."].concat().into()
}
