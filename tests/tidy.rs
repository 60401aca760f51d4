//! The house's style, checked: floors, heads of files, sizes, and where clocks, error texts and `unsafe` may stand.
//!
//! Sources are read as text in rustfmt's layout: a function ends at the first line that closes its own indentation.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors: a module imports its own and lower ones only.
const FLOORS: &[(&str, u8)] = &[
    ("base", 0),
    ("value", 1),
    ("protocol", 1),
    ("pubsub", 1),
    ("store", 2),
    ("persist", 2),
    ("command", 3),
    ("engine", 4),
    ("services", 5),
    ("server", 6),
    ("embed", 6),
    ("gateway", 6),
    ("lib", 7),
    ("allocator", 7),
    ("main", 7),
    ("huge_pages", 7),
    ("progress", 7),
];
/// Neighbours on this floor do not know each other.
const FLOOR_OF_STRANGERS: u8 = 1;

/// Longest file, in lines; tables of commands (`spec.rs`) may be longer.
const FILE_LINES_MAX: usize = 1_000;
/// Longest function, in lines, without a written reason.
const FUNCTION_LINES_MAX: usize = 70;
/// The comment that gives the reason.
const LONG_REASON: &str = "// long: ";

/// The modules that are audited for `unsafe`.
const UNSAFE_FILES: &[&str] = &[
    "src/allocator.rs",
    "src/huge_pages.rs",
    "src/base/prefetch.rs",
    "src/value/bits.rs",
    "src/value/thin.rs",
    "src/value/table/segment.rs",
    "src/value/sorted_set/member.rs",
    "src/value/sorted_set/node.rs",
    "src/base/lock.rs",
    "src/store/record.rs",
    "src/engine/script/functions/realm.rs",
];
/// The only file that asks the system for the time.
const CLOCK_FILE: &str = "src/base/clock.rs";
/// The only file with texts of errors.
const ERROR_FILE: &str = "src/protocol/error.rs";
/// And the folder of its parts.
const ERROR_FOLDER: &str = "src/protocol/error/";

/// A source file: its path from the repository's root, and its lines.
struct Source {
    path: String,
    lines: Vec<String>,
}

impl Source {
    /// Lines that are code: what is a comment as a whole is left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.lines.iter().enumerate().map(|(at, line)| (at + 1, line.as_str()));
        numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Whether this is a module's own tests.
    fn is_test(&self) -> bool {
        !self.path.starts_with("src/") || self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The first folder or file under `src`.
    fn module(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        Some(inside.split(['/', '.']).next().unwrap_or(inside))
    }
}

#[test]
fn imports_go_down_only() {
    check(|source, report| {
        let Some(module) = source.module() else { return };
        let Some(floor) = floor(module) else {
            return report(1, format!("the module {module} has no floor in tests/tidy.rs"));
        };
        for (line, name) in imported_modules(source) {
            match self::floor(&name) {
                Some(other) if other > floor => {
                    report(line, format!("{module} (floor {floor}) reaches up to {name} ({other})"))
                }
                Some(other) if other == FLOOR_OF_STRANGERS && other == floor && name != module => {
                    report(line, format!("{module} and {name} share a floor and must not know each other"));
                }
                _ => {}
            }
        }
    });
}

#[test]
fn every_file_opens_with_its_idea() {
    check(|source, report| {
        if !source.lines.first().is_some_and(|line| line.starts_with("//! ")) {
            report(1, "the file does not open with `//! `".into());
        }
    });
}

#[test]
fn files_are_short() {
    check(|source, report| {
        let lines = source.lines.len();
        if lines > FILE_LINES_MAX && !source.path.ends_with("/spec.rs") {
            report(lines, format!("the file has {lines} lines, {FILE_LINES_MAX} are allowed"));
        }
    });
}

#[test]
fn functions_are_short_or_say_why_not() {
    check(|source, report| {
        for (at, line) in source.lines.iter().enumerate() {
            let lines = function_lines(&source.lines[at..]);
            if is_function(line) && lines > FUNCTION_LINES_MAX && !has_reason(&source.lines[..at]) {
                report(at + 1, format!("a function of {lines} lines without a `{}`", LONG_REASON.trim()));
            }
        }
    });
}

#[test]
fn unsafe_stays_in_the_audited_modules() {
    let allowance = ["allow(", "unsafe_code"].concat();
    check(|source, report| {
        if UNSAFE_FILES.contains(&source.path.as_str()) {
            return;
        }
        for (line, text) in source.code() {
            if text.contains(&allowance) {
                report(line, "unsafe code is allowed in a module that is not among the audited ones".into());
            }
        }
    });
}

#[test]
fn only_the_clock_asks_for_the_time() {
    let sources = ["Instant::", "SystemTime::"].map(|kind| format!("{kind}now"));
    check(|source, report| {
        if source.is_test() || source.path == CLOCK_FILE {
            return;
        }
        for (line, text) in source.code() {
            if sources.iter().any(|name| text.contains(name)) {
                report(line, format!("the time is asked for outside of {CLOCK_FILE}"));
            }
        }
    });
}

#[test]
fn error_texts_stand_in_one_file() {
    let starts = ["ERR ", "WRONGTYPE", "-ERR "].map(|start| format!("\"{start}"));
    check(|source, report| {
        if source.is_test() || source.path.starts_with(ERROR_FOLDER) || source.path == ERROR_FILE {
            return;
        }
        for (line, text) in source.code() {
            if starts.iter().any(|start| text.contains(start)) {
                report(line, format!("the text of an error outside of {ERROR_FILE}"));
            }
        }
    });
}

#[test]
fn no_test_sleeps_and_nothing_is_left_undone() {
    let sleeps = ["thread::", "time::"].map(|module| format!("{module}sleep("));
    let undone = ["#[ignore", "todo!(", "unimplemented!(", "dbg!("];
    check(|source, report| {
        // This file names what it looks for.
        if source.path == "tests/tidy.rs" {
            return;
        }
        for (line, text) in source.code() {
            if source.is_test() && sleeps.iter().any(|sleep| text.contains(sleep)) {
                report(line, "a test sleeps; wait for the condition instead".into());
            }
            if let Some(word) = undone.iter().find(|word| text.contains(*word)) {
                report(line, format!("`{word}` is left"));
            }
        }
    });
}

/// Runs a rule over every source file and fails with all that it reports.
fn check(rule: impl Fn(&Source, &mut dyn FnMut(usize, String))) {
    let mut reports = String::new();
    let sources = sources();
    assert!(sources.iter().any(|source| source.path == "src/lib.rs"), "the sources are found");
    for source in &sources {
        rule(source, &mut |line, message| {
            writeln!(reports, "  {}:{line}: {message}", source.path).expect("a string takes all");
        });
    }
    assert!(reports.is_empty(), "\n{reports}");
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["src", "tests", "benches"] {
        collect(&root.join(folder), &mut paths);
    }
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source file is readable");
        let path = path.strip_prefix(root).expect("it is inside").to_string_lossy().replace('\\', "/");
        Source { path, lines: text.lines().map(String::from).collect() }
    };
    paths.into_iter().map(read).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a folder is readable").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// The modules behind every `crate::`, groups in braces included, with their lines.
fn imported_modules(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let code: Vec<(usize, &str)> = source.code().collect();
    for (index, (line, text)) in code.iter().enumerate() {
        for (at, _) in text.match_indices("crate::") {
            // `$crate::` is a macro's, `pub(in crate::…)` a visibility.
            let rest = &text[at + "crate::".len()..];
            if rest.starts_with('{') {
                let rest = std::iter::once(rest).chain(code[index + 1..].iter().map(|(_, text)| *text));
                found.extend(group_members(rest).into_iter().map(|name| (*line, name)));
            } else {
                found.push((*line, identifier(rest)));
            }
        }
    }
    found
}

/// The first name of each member of the outermost group in braces.
fn group_members<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut members = Vec::new();
    let mut depth = 0;
    let mut expected = false;
    for line in lines {
        for (at, c) in line.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return members;
            }
            if depth == 1 && (c == '{' || c == ',') {
                expected = true;
            } else if expected && c.is_alphanumeric() {
                members.push(identifier(&line[at..]));
                expected = false;
            }
        }
    }
    members
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Whether a function begins in this line.
fn is_function(line: &str) -> bool {
    let mut words = line.split_whitespace().peekable();
    while let Some(word) = words.next_if(|word| !word.starts_with("fn")) {
        let leads = word.starts_with("pub")
            || ["const", "async", "unsafe", "extern", "\"C\"", "crate)", "super)"].contains(&word);
        if !leads {
            return false;
        }
    }
    words.next() == Some("fn")
}

/// Lines from the one given to the one that closes its indentation.
fn function_lines(lines: &[String]) -> usize {
    let Some(first) = lines.first() else { return 0 };
    if first.ends_with([';', '}']) {
        return 1;
    }
    let indentation = &first[..first.len() - first.trim_start().len()];
    let end = format!("{indentation}}}");
    lines.iter().position(|line| *line == end || *line == format!("{indentation});")).map_or(0, |at| at + 1)
}

/// Whether the comments and attributes right above give the reason for a long function.
fn has_reason(above: &[String]) -> bool {
    let attached = |line: &&String| line.trim_start().starts_with("//") || line.trim_start().starts_with("#[");
    above.iter().rev().take_while(attached).any(|line| line.trim_start().starts_with(LONG_REASON))
}

#[test]
fn the_rules_see_what_they_look_for() {
    let source = Source {
        path: "src/value/x.rs".into(),
        lines: ["use crate::{", "    base::{clock, glob},", "    store,", "};", "let a = crate::engine::x();"]
            .map(String::from)
            .to_vec(),
    };
    let names: Vec<String> = imported_modules(&source).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["base", "store", "engine"]);
    let long = ["    pub(crate) async fn x() {", "        y();", "    }", "}"].map(String::from);
    assert!(is_function(&long[0]) && !is_function(&long[1]));
    assert_eq!(function_lines(&long), 3);
    assert!(has_reason(&["// long: a table".to_string(), "#[inline]".to_string()]));
}
