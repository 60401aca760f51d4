//! HELP of a container, from the rows of its subcommands: no text of its own to keep in step.

use super::{Argument, ArgumentKind, CommandSpec};

/// The lines of `CONTAINER HELP`: how each subcommand is called, and its summary below.
pub fn help_lines<H>(container: &CommandSpec<H>) -> Vec<String> {
    let name = container.name.to_ascii_uppercase();
    let mut lines = vec![format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")];
    if container.handler.is_some() {
        lines.push("(no subcommand)".to_owned());
        lines.push(format!("    {}.", container.summary));
    }
    for subcommand in container.subcommands {
        let mut call = subcommand.name.to_ascii_uppercase();
        for argument in subcommand.arguments {
            call.push(' ');
            call.push_str(&syntax(argument));
        }
        lines.push(call);
        lines.push(format!("    {}.", subcommand.summary));
    }
    lines
}

/// An argument as one writes it: `<key>`, `[COUNT <count>]`, `<NX|XX>`, `<key> [<key> ...]`.
fn syntax(argument: &Argument) -> String {
    let value = match argument.kind {
        ArgumentKind::PureToken => String::new(),
        ArgumentKind::OneOf(choices) => {
            let choices: Vec<String> = choices.iter().map(required_syntax).collect();
            if argument.optional && argument.token.is_none() {
                choices.join("|")
            } else {
                format!("<{}>", choices.join("|"))
            }
        }
        ArgumentKind::Block(parts) => parts.iter().map(syntax).collect::<Vec<_>>().join(" "),
        _ => format!("<{}>", argument.display.unwrap_or(argument.name)),
    };
    let with_token = |value: &str| match argument.token {
        Some(token) if value.is_empty() => token.to_owned(),
        Some(token) => format!("{token} {value}"),
        None => value.to_owned(),
    };
    let once = with_token(&value);
    let text = match (argument.multiple, argument.multiple_token) {
        (false, _) => once,
        (true, false) => format!("{once} [{value} ...]"),
        (true, true) => format!("{once} [{once} ...]"),
    };
    if argument.optional { format!("[{text}]") } else { text }
}

/// A choice stands without brackets of its own.
fn required_syntax(argument: &Argument) -> String {
    syntax(&Argument { optional: false, ..*argument })
}
