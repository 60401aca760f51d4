//! Replies of `COMMAND` to the byte, line ends shown as blanks.

use super::*;
use crate::protocol::reply::Protocol;

fn written(protocol: Protocol, write: impl FnOnce(&mut Reply)) -> String {
    let mut reply = Reply::new(protocol);
    write(&mut reply);
    String::from_utf8(reply.bytes().to_vec()).unwrap().replace("\r\n", " ")
}

fn words(call: &str) -> Vec<&[u8]> {
    call.split(' ').filter(|word| !word.is_empty()).map(str::as_bytes).collect()
}

#[test]
fn info_tells_ten_facts() {
    let info = |protocol| written(protocol, |reply| write_infos(reply, &[b"ZUnionStore", b"nope"]));
    assert_eq!(
        info(Protocol::Resp3),
        "*2 *10 $11 zunionstore :-4 ~3 +write +denyoom +movablekeys :1 :1 :1 ~3 +@write +@sortedset +@slow ~0 ~2 \
         %3 $5 flags ~2 +OW +update $12 begin_search %2 $4 type $5 index $4 spec %1 $5 index :1 \
         $9 find_keys %2 $4 type $5 range $4 spec %3 $7 lastkey :0 $7 keystep :1 $5 limit :0 \
         %3 $5 flags ~2 +RO +access $12 begin_search %2 $4 type $5 index $4 spec %1 $5 index :2 \
         $9 find_keys %2 $4 type $6 keynum $4 spec %3 $9 keynumidx :0 $8 firstkey :1 $7 keystep :1 ~0 _ "
    );
    assert!(
        info(Protocol::Resp2).starts_with("*2 *10 $11 zunionstore :-4 *3 +write +denyoom +movablekeys :1 :1 :1 *3")
    );
    assert!(info(Protocol::Resp2).ends_with(":1 *0 $-1 "));
}

#[test]
fn subcommands_are_found_by_their_full_name() {
    let info = |name: &str| written(Protocol::Resp3, |reply| write_infos(reply, &[name.as_bytes()]));
    assert_eq!(
        info("Command|COUNT"),
        "*1 *10 $13 command|count :2 ~2 +loading +stale :0 :0 :0 ~2 +@slow +@connection ~0 ~0 ~0 "
    );
    for unknown in ["command|", "command|count|x", "get|x", "|get", ""] {
        assert_eq!(info(unknown), "*1 _ ", "{unknown}");
    }
    assert!(
        info("memory").starts_with("*1 *10 $6 memory :-2 ~0 :0 :0 :0 ~1 +@slow ~0 ~0 *6 *10 $12 memory|usage :-3 ")
    );
}

#[test]
fn docs_nest_arguments_and_leave_unknown_names_out() {
    let docs = |call: &str| written(Protocol::Resp3, |reply| write_docs(reply, &words(call)));
    assert_eq!(docs("nope"), "%0 ");
    let setnx = docs("nope setnx");
    assert!(setnx.starts_with("%1 $5 setnx %8 $7 summary "), "{setnx}");
    assert!(setnx.ends_with(
        " $5 since $5 1.0.0 $5 group $6 string $10 complexity $4 O(1) $9 doc_flags ~1 +deprecated \
         $16 deprecated_since $6 2.6.12 $11 replaced_by $15 `SET` with `NX` $9 arguments *2 \
         %4 $4 name $3 key $4 type $3 key $12 display_text $3 key $14 key_spec_index :0 \
         %3 $4 name $5 value $4 type $6 string $12 display_text $5 value "
    ));
    assert!(docs("mset").ends_with(
        "$9 arguments *1 %4 $4 name $4 data $4 type $5 block $5 flags ~1 +multiple $9 arguments *2 \
         %4 $4 name $3 key $4 type $3 key $12 display_text $3 key $14 key_spec_index :0 \
         %3 $4 name $5 value $4 type $6 string $12 display_text $5 value "
    ));
    assert!(docs("module").contains(" $11 subcommands %2 $11 module|list %4 "));
}

#[test]
fn without_names_all_commands_answer() {
    let count = REGISTRY.top.len();
    assert!(written(Protocol::Resp3, |reply| write_docs(reply, &[])).starts_with(&format!("%{count} ")));
    assert!(written(Protocol::Resp3, |reply| write_infos(reply, &[])).starts_with(&format!("*{count} ")));
    assert!(
        written(Protocol::Resp3, |reply| write_list(reply, None)).starts_with(&format!("*{} ", REGISTRY.all.len()))
    );
}

#[test]
fn list_filters_by_category_and_pattern() {
    let list = |call: &str| {
        Filter::parse(&words(call)).map(|filter| written(Protocol::Resp2, |reply| write_list(reply, filter)))
    };
    for (call, expected) in [
        ("filterby aclcat HyperLogLog", "*5 $5 pfadd $7 pfcount $7 pfmerge $7 pfdebug $10 pfselftest "),
        ("FILTERBY PATTERN PF[am]*", "*2 $5 pfadd $7 pfmerge "),
        ("filterby pattern object|f*", "*1 $11 object|freq "),
        ("filterby aclcat @hyperloglog", "*0 "),
        ("filterby aclcat nope", "*0 "),
        ("filterby module x", "*0 "),
    ] {
        assert_eq!(list(call).unwrap(), expected, "{call}");
    }
    for call in ["x", "filterby", "filterby aclcat", "filterby x y", "x aclcat y", "filterby aclcat a b"] {
        assert!(matches!(list(call), Err(CommandError::Syntax)), "{call}");
    }
}

#[test]
fn getkeys_answers_with_keys_or_says_why_not() {
    let keys = |call: &str| {
        let mut reply = Reply::new(Protocol::Resp2);
        match write_keys(&mut reply, &words(call)) {
            Ok(()) => String::from_utf8(reply.bytes().to_vec()).unwrap().replace("\r\n", " "),
            Err(error) => error.to_string(),
        }
    };
    for (call, expected) in [
        ("mset a 1 b 2", "*2 $1 a $1 b "),
        ("OBJECT Freq a", "*1 $1 a "),
        ("zunionstore d 2 a b", "*3 $1 d $1 a $1 b "),
        ("nope a", "ERR Invalid command specified"),
        ("client nope", "ERR Invalid command specified"),
        ("client", "ERR The command has no key arguments"),
        ("client kill a", "ERR The command has no key arguments"),
        ("subscribe a", "ERR The command has no key arguments"),
        ("get", "ERR Invalid number of arguments specified for command"),
        ("get a b", "ERR Invalid number of arguments specified for command"),
        ("zunion 3 a b", "ERR Invalid arguments specified for command"),
        ("zunion 9223372036854775807 a b", "ERR Invalid arguments specified for command"),
        ("pfmerge a", "ERR Invalid arguments specified for command"),
    ] {
        assert_eq!(keys(call), expected, "{call}");
    }
    let flags = written(Protocol::Resp3, |reply| write_keys_and_flags(reply, &words("set a b get")).unwrap());
    assert_eq!(flags, "*1 *2 $1 a ~3 +RW +access +update ");
}

#[test]
fn help_is_told_by_the_rows() {
    let help = written(Protocol::Resp2, |reply| write_help(reply, "object"));
    assert!(
        help.starts_with("*11 +OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are: +ENCODING <key> +    ")
    );
    let help = written(Protocol::Resp2, |reply| write_help(reply, "command"));
    assert!(help.contains(" +INFO [<command-name> [<command-name> ...]] "), "{help}");
    assert!(help.contains(" +GETKEYS <command> [<arg> [<arg> ...]] "), "{help}");
}
