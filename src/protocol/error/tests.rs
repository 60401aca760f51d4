//! The texts that are made rather than constant.

use super::*;

#[track_caller]
fn check(error: CommandError, expected: &str) {
    let mut line = Vec::new();
    error.write_to(&mut line);
    assert_eq!(String::from_utf8_lossy(&line), expected);
}

#[test]
fn an_unknown_command_is_quoted_up_to_128_bytes() {
    let unknown = |name: &str, arguments: &[&str]| {
        CommandError::unknown_command(name.as_bytes(), arguments.iter().map(|a| a.as_bytes()))
    };
    check(unknown("FOO", &[]), "ERR unknown command 'FOO', with args beginning with: ");
    check(unknown("foo", &["a", "b c"]), "ERR unknown command 'foo', with args beginning with: 'a' 'b c' ");
    check(unknown("f\r\no", &["a\nb"]), "ERR unknown command 'f  o', with args beginning with: 'a b' ");
    check(unknown("f\0o", &["a\0b"]), "ERR unknown command 'f', with args beginning with: 'a' ");
    let long = "x".repeat(200);
    let cut = &long[..128];
    check(unknown(&long, &[&long, "no"]), &format!("ERR unknown command '{cut}', with args beginning with: '{cut}' "));
    // The second argument gets what the first, its quotes included, left of 128 bytes.
    let (first, second) = (&long[..100], &long[..25]);
    check(
        unknown("f", &[first, &long, "no"]),
        &format!("ERR unknown command 'f', with args beginning with: '{first}' '{second}' "),
    );
}

#[test]
fn names_need_not_be_text() {
    let mut line = Vec::new();
    CommandError::unknown_command(b"\xff\xfe", []).write_to(&mut line);
    assert_eq!(line, b"ERR unknown command '\xff\xfe', with args beginning with: ");
    line.clear();
    ProtocolError::ExpectedDollar(0xff).write_to(&mut line);
    assert_eq!(line, b"ERR Protocol error: expected '$', got '\xff'");
}

#[test]
fn texts_with_fields() {
    check(CommandError::wrong_arity("client|setname"), "ERR wrong number of arguments for 'client|setname' command");
    check(CommandError::unknown_subcommand(b"client", b"nope"), "ERR unknown subcommand 'nope'. Try CLIENT HELP.");
    check(
        CommandError::subcommand_syntax(b"OBJECT", b"freq"),
        "ERR unknown subcommand or wrong number of arguments for 'freq'. Try OBJECT HELP.",
    );
    check(CommandError::InvalidExpire("set"), "ERR invalid expire time in 'set' command");
    check(CommandError::unsupported_option(b"ZZ"), "ERR Unsupported option ZZ");
    check(CommandError::hello_option(b"x"), "ERR Syntax error in HELLO option 'x'");
    check(
        CommandError::setting_failed(b"maxmemory", "argument must be a memory value"),
        "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value",
    );
    check(
        CommandError::ExecAbortBecause(Box::new(CommandError::OutOfMemory)),
        "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.",
    );
    check(CommandError::Custom("ERR two\r\nlines".into()), "ERR two  lines");
    check(CommandError::NotBetween(Box::new((-5, 7))), "ERR value is out of range, value must between -5 and 7");
    check(
        CommandError::NotEnabled(&DEBUG_NOT_ENABLED),
        "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a \
         local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
    );
}

#[test]
fn display_is_the_line() {
    for error in [CommandError::WrongType, CommandError::WatchInMulti, CommandError::unknown_command(b"x", [])] {
        check(error.clone(), &error.to_string());
    }
    assert_eq!(CommandError::WrongType.code(), "WRONGTYPE");
    assert_eq!(CommandError::Syntax.code(), "ERR");
}

#[test]
fn a_taken_port_says_what_to_do() {
    let text = StartupError::PortTaken { address: "127.0.0.1:6379".into(), port: 6379 }.to_string();
    assert!(text.contains("127.0.0.1:6379 is taken") && text.ends_with("pipkin --port 6380"), "{text}");
}
