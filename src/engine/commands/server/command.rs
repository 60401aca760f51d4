//! `COMMAND` and its subcommands: what the rows say, written as replies.
//!
//! Shapes are those of Redis 7.2: flags and categories are sets of status strings, key specifications are maps, a
//! subcommand's facts nest in its container's. Maps and sets turn into arrays under RESP2, as everywhere.

use crate::base::glob;
use crate::command::Args;
use crate::command::spec::keys::{KeyPositions, key_positions};
use crate::command::spec::{
    Argument, BeginSearch, Categories, CommandSpec, FindKeys, Flags, KeyFlags, KeySpec, help_lines,
};
use crate::engine::registry::{Command, REGISTRY, Row};
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;

/// COMMAND.
pub fn command(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    args.finish()?;
    write_infos(&mut call.context.reply, &[]);
    Ok(Outcome::Done)
}

/// COMMAND COUNT: subcommands do not count.
pub fn command_count(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    args.finish()?;
    call.context.reply.count(REGISTRY.top.len());
    Ok(Outcome::Done)
}

/// COMMAND INFO: facts about these commands, null for an unknown one; about all without a name.
pub fn command_info(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let names: Vec<&[u8]> = args.rest().collect();
    write_infos(&mut call.context.reply, &names);
    Ok(Outcome::Done)
}

/// COMMAND DOCS: documentation of these commands, unknown ones left out; of all without a name.
pub fn command_docs(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let names: Vec<&[u8]> = args.rest().collect();
    write_docs(&mut call.context.reply, &names);
    Ok(Outcome::Done)
}

/// COMMAND GETKEYS: the keys within a call.
pub fn command_getkeys(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let words: Vec<&[u8]> = args.rest().collect();
    write_keys(&mut call.context.reply, &words)?;
    Ok(Outcome::Done)
}

/// COMMAND GETKEYSANDFLAGS: the keys within a call, each with what happens to it.
pub fn command_getkeysandflags(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let words: Vec<&[u8]> = args.rest().collect();
    write_keys_and_flags(&mut call.context.reply, &words)?;
    Ok(Outcome::Done)
}

/// COMMAND LIST: the names of all commands and subcommands that pass the filter.
pub fn command_list(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let words: Vec<&[u8]> = args.rest().collect();
    write_list(&mut call.context.reply, Filter::parse(&words)?);
    Ok(Outcome::Done)
}

/// COMMAND HELP.
pub fn command_help(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    args.finish()?;
    write_help(&mut call.context.reply, "command");
    Ok(Outcome::Done)
}

/// HELP of any container, from the rows of its subcommands.
pub fn write_help(reply: &mut Reply, container: &str) {
    let lines = match REGISTRY.find(container.as_bytes()).map(|command| command.row) {
        Some(Row::Data(spec)) => help_lines(spec),
        Some(Row::Engine(spec)) => help_lines(spec),
        None => Vec::new(),
    };
    reply.array(lines.len());
    for line in lines {
        reply.simple(&line);
    }
}

fn write_infos(reply: &mut Reply, names: &[&[u8]]) {
    if names.is_empty() {
        reply.array(REGISTRY.top.len());
        for command in &REGISTRY.top {
            write_info(reply, command);
        }
        return;
    }
    reply.array(names.len());
    for name in names {
        match REGISTRY.find_full(name) {
            Some(command) => write_info(reply, command),
            None => reply.null(),
        }
    }
}

fn write_docs(reply: &mut Reply, names: &[&[u8]]) {
    let named: Vec<&Command> = names.iter().filter_map(|name| REGISTRY.find_full(name)).collect();
    let commands = if names.is_empty() { &REGISTRY.top } else { &named };
    reply.map(commands.len());
    for command in commands {
        write_doc(reply, command);
    }
}

/// What `COMMAND LIST FILTERBY` asks for.
#[derive(Clone, Copy, Debug)]
enum Filter<'a> {
    /// Commands of this module; there are no modules.
    Module,
    /// Commands of this ACL category, named without `@`.
    Category(&'a [u8]),
    /// Commands whose full name matches, in any case.
    Pattern(&'a [u8]),
}

impl<'a> Filter<'a> {
    /// Parses what stands behind `COMMAND LIST`; `None` where nothing does.
    fn parse(arguments: &[&'a [u8]]) -> CommandResult<Option<Filter<'a>>> {
        let [keyword, kind, value] = arguments else {
            return if arguments.is_empty() { Ok(None) } else { Err(CommandError::Syntax) };
        };
        if !keyword.eq_ignore_ascii_case(b"filterby") {
            Err(CommandError::Syntax)
        } else if kind.eq_ignore_ascii_case(b"module") {
            Ok(Some(Filter::Module))
        } else if kind.eq_ignore_ascii_case(b"aclcat") {
            Ok(Some(Filter::Category(value)))
        } else if kind.eq_ignore_ascii_case(b"pattern") {
            Ok(Some(Filter::Pattern(value)))
        } else {
            Err(CommandError::Syntax)
        }
    }

    fn accepts(self, command: &Command) -> bool {
        match self {
            Filter::Module => false,
            Filter::Category(name) => Categories::NAMES
                .iter()
                .any(|(bit, text)| text.as_bytes().eq_ignore_ascii_case(name) && command.categories.has(*bit)),
            Filter::Pattern(pattern) => glob::matches_ignoring_case(pattern, command.full_name.as_bytes()),
        }
    }
}

fn write_list(reply: &mut Reply, filter: Option<Filter<'_>>) {
    let accepted = || REGISTRY.all.iter().filter(move |command| filter.is_none_or(|filter| filter.accepts(command)));
    reply.array(accepted().count());
    for command in accepted() {
        reply.bulk(command.full_name.as_bytes());
    }
}

fn write_keys(reply: &mut Reply, call: &[&[u8]]) -> CommandResult {
    let positions = keys_of_call(call)?;
    reply.array(positions.len());
    for (position, _) in positions {
        reply.bulk(call[position as usize]);
    }
    Ok(())
}

fn write_keys_and_flags(reply: &mut Reply, call: &[&[u8]]) -> CommandResult {
    let positions = keys_of_call(call)?;
    reply.array(positions.len());
    for (position, flags) in positions {
        reply.array(2);
        reply.bulk(call[position as usize]);
        write_statuses(reply, flags.names());
    }
    Ok(())
}

fn keys_of_call(call: &[&[u8]]) -> CommandResult<KeyPositions> {
    let command = REGISTRY.find_call(call).ok_or(CommandError::InvalidCommand)?;
    if command.keys.iter().all(|spec| spec.flags.has(KeyFlags::NOT_KEY)) {
        return Err(CommandError::NoKeyArguments);
    }
    if !command.arity.accepts(call.len()) {
        return Err(CommandError::InvalidCommandArity);
    }
    match key_positions(command.keys, call) {
        Ok(positions) if !positions.is_empty() => Ok(positions),
        _ if command.flags.has(Flags::NO_MANDATORY_KEYS) => Ok(KeyPositions::new()),
        _ => Err(CommandError::InvalidCommandArguments),
    }
}

/// The ten facts of one command.
fn write_info(reply: &mut Reply, command: &Command) {
    match command.row {
        Row::Data(spec) => write_row_info(reply, command, spec),
        Row::Engine(spec) => write_row_info(reply, command, spec),
    }
}

fn write_row_info<H>(reply: &mut Reply, command: &Command, spec: &CommandSpec<H>) {
    let keys = spec.legacy_keys();
    reply.array(10);
    reply.bulk(command.full_name.as_bytes());
    reply.integer(spec.arity.signed());
    write_statuses(reply, spec.all_flags().names());
    reply.integer(keys.first.into());
    reply.integer(keys.last.into());
    reply.integer(keys.step.into());
    reply.set(command.categories.names().count());
    for name in command.categories.names() {
        reply.simple(&format!("@{name}"));
    }
    reply.set(spec.tips.len());
    for tip in spec.tips {
        reply.bulk(tip.as_bytes());
    }
    reply.set(spec.keys.len());
    for spec in spec.keys {
        write_key_spec(reply, spec);
    }
    match command.subcommands.len() {
        0 => reply.set(0),
        count => reply.array(count),
    }
    for subcommand in &command.subcommands {
        write_info(reply, subcommand);
    }
}

fn write_statuses<'a>(reply: &mut Reply, names: impl Iterator<Item = &'a str>) {
    let names: Vec<&str> = names.collect();
    reply.set(names.len());
    for name in names {
        reply.simple(name);
    }
}

fn write_key_spec(reply: &mut Reply, spec: &KeySpec) {
    reply.map(if spec.notes.is_empty() { 3 } else { 4 });
    if !spec.notes.is_empty() {
        write_text(reply, "notes", spec.notes);
    }
    reply.bulk(b"flags");
    write_statuses(reply, spec.flags.names());
    reply.bulk(b"begin_search");
    match spec.begin {
        BeginSearch::Index(index) => write_search(reply, "index", &[("index", index.into())]),
        BeginSearch::Keyword(keyword, from) => {
            write_search_head(reply, "keyword", 2);
            write_text(reply, "keyword", keyword);
            write_number(reply, "startfrom", from.into());
        }
        BeginSearch::Anywhere(_) | BeginSearch::Patterns(_) | BeginSearch::Unknown => {
            write_search(reply, "unknown", &[])
        }
    }
    reply.bulk(b"find_keys");
    match spec.find {
        FindKeys::Range { last, step, limit } => {
            let numbers = [("lastkey", last.into()), ("keystep", step.into()), ("limit", limit.into())];
            write_search(reply, "range", &numbers);
        }
        FindKeys::KeyNumber { count_at, first, step } => {
            let numbers = [("keynumidx", count_at.into()), ("firstkey", first.into()), ("keystep", step.into())];
            write_search(reply, "keynum", &numbers);
        }
        FindKeys::Unknown => write_search(reply, "unknown", &[]),
    }
}

fn write_search(reply: &mut Reply, kind: &str, numbers: &[(&str, i64)]) {
    write_search_head(reply, kind, numbers.len());
    for (name, value) in numbers {
        write_number(reply, name, *value);
    }
}

fn write_search_head(reply: &mut Reply, kind: &str, columns: usize) {
    reply.map(2);
    write_text(reply, "type", kind);
    reply.bulk(b"spec");
    reply.map(columns);
}

/// A name and the documentation of one command.
fn write_doc(reply: &mut Reply, command: &Command) {
    match command.row {
        Row::Data(spec) => write_row_doc(reply, command, spec),
        Row::Engine(spec) => write_row_doc(reply, command, spec),
    }
}

fn write_row_doc<H>(reply: &mut Reply, command: &Command, spec: &CommandSpec<H>) {
    let marks = marks_of(&[(spec.deprecated.is_some(), "deprecated"), (spec.internal, "syscmd")]);
    let texts = [
        ("summary", Some(spec.summary)),
        ("since", Some(spec.since)),
        ("group", Some(spec.group.name())),
        ("complexity", Some(spec.complexity)),
    ];
    let replacement = [
        ("deprecated_since", spec.deprecated.map(|(version, _)| version)),
        ("replaced_by", spec.deprecated.map(|(_, instead)| instead)),
    ];
    let others = [marks.is_empty(), spec.history.is_empty(), spec.arguments.is_empty(), command.subcommands.is_empty()];
    reply.bulk(command.full_name.as_bytes());
    reply.map(given(&texts) + given(&replacement) + others.iter().filter(|empty| !**empty).count());
    write_texts(reply, &texts);
    write_marks(reply, "doc_flags", &marks);
    write_texts(reply, &replacement);
    if !spec.history.is_empty() {
        reply.bulk(b"history");
        reply.set(spec.history.len());
        for (version, change) in spec.history {
            reply.array(2);
            reply.bulk(version.as_bytes());
            reply.bulk(change.as_bytes());
        }
    }
    if !spec.arguments.is_empty() {
        write_arguments(reply, spec.arguments);
    }
    if !command.subcommands.is_empty() {
        reply.bulk(b"subcommands");
        reply.map(command.subcommands.len());
        for subcommand in &command.subcommands {
            write_doc(reply, subcommand);
        }
    }
}

fn write_arguments(reply: &mut Reply, arguments: &[Argument]) {
    reply.bulk(b"arguments");
    reply.array(arguments.len());
    for argument in arguments {
        write_argument(reply, argument);
    }
}

fn write_argument(reply: &mut Reply, argument: &Argument) {
    let children = argument.kind.children();
    let display = children.is_none().then(|| argument.display.unwrap_or(argument.name));
    let head = [("name", Some(argument.name)), ("type", Some(argument.kind.name())), ("display_text", display)];
    let tail = [("token", argument.token), ("since", argument.since), ("deprecated_since", argument.deprecated_since)];
    let marks = marks_of(&[
        (argument.optional, "optional"),
        (argument.multiple, "multiple"),
        (argument.multiple_token, "multiple_token"),
    ]);
    let others = [argument.key_spec.is_some(), !marks.is_empty(), children.is_some()];
    reply.map(given(&head) + given(&tail) + others.iter().filter(|there| **there).count());
    write_texts(reply, &head);
    if let Some(index) = argument.key_spec {
        write_number(reply, "key_spec_index", index.into());
    }
    write_texts(reply, &tail);
    write_marks(reply, "flags", &marks);
    if let Some(children) = children {
        write_arguments(reply, children);
    }
}

/// A column's name, and its text unless the column is left out.
type Column<'a> = (&'a str, Option<&'a str>);

fn given(columns: &[Column<'_>]) -> usize {
    columns.iter().filter(|(_, text)| text.is_some()).count()
}

fn write_texts(reply: &mut Reply, columns: &[Column<'_>]) {
    for (name, text) in columns {
        if let Some(text) = text {
            write_text(reply, name, text);
        }
    }
}

fn marks_of(marks: &[(bool, &'static str)]) -> Vec<&'static str> {
    marks.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect()
}

fn write_marks(reply: &mut Reply, name: &str, marks: &[&str]) {
    if !marks.is_empty() {
        reply.bulk(name.as_bytes());
        write_statuses(reply, marks.iter().copied());
    }
}

fn write_text(reply: &mut Reply, name: &str, text: &str) {
    reply.bulk(name.as_bytes());
    reply.bulk(text.as_bytes());
}

fn write_number(reply: &mut Reply, name: &str, value: i64) {
    reply.bulk(name.as_bytes());
    reply.integer(value);
}

#[cfg(test)]
mod tests;
