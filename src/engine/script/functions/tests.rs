//! Values of libraries on several threads, and what becomes of those that nobody needs any more.

use super::realm::Realm;
use crate::engine::script::machine::Failure;
use crate::engine::script::value::{Inputs, ScriptError, Server, Text, Value, live_bytes};
use crate::protocol::error::CommandError;

/// A server that has arguments, and nothing else.
struct Words(&'static [&'static str]);

impl Server for Words {
    fn command(&mut self, _: &[&[u8]]) -> Result<&[u8], CommandError> {
        Err(CommandError::Syntax)
    }

    fn done(&mut self) {}

    fn set_protocol(&mut self, _: u8) {}

    fn log(&mut self, _: i64, _: &[u8]) {}

    fn may_run(&mut self, _: &[Text]) -> Option<bool> {
        None
    }

    fn register_function(&mut self, _: &[Value]) -> Result<(), String> {
        Err(String::new())
    }

    fn check(&mut self) -> Result<(), ScriptError> {
        Ok(())
    }

    fn input_len(&self, which: Inputs) -> usize {
        if which == Inputs::Arguments { self.0.len() } else { 0 }
    }

    fn input(&self, _: Inputs, index: usize) -> &[u8] {
        self.0[index].as_bytes()
    }
}

const NOTES: &[u8] = b"local notes, n = {}, 0
local function note(what) n = n + 1 notes[n] = what return n end
redis.register_function('note', function(keys, args) return note(args[1]) end)
redis.register_function('all', function() return table.concat(notes, ' ') end)
redis.register_function('circle', function() local t = {} t.t = t t.f = function() return t end return 0 end)";

fn load(realm: &mut Realm, body: &[u8]) -> Vec<u64> {
    let registered = realm.visit().load(body, None).expect("a library");
    registered.into_iter().map(|function| function.id).collect()
}

/// What a call returns, as a text.
fn call(realm: &mut Realm, id: u64, words: &'static [&'static str]) -> String {
    let mut visit = realm.visit();
    let result: Result<Value, Failure> = visit.call(id, &mut Words(words), 1);
    match result {
        Ok(value) => String::from_utf8_lossy(&value.as_text().expect("a text")).into_owned(),
        Err(failure) => String::from_utf8_lossy(&failure.text()).into_owned(),
    }
}

#[test]
fn a_realm_goes_from_thread_to_thread() {
    let mut realm = Realm::default();
    let ids = load(&mut realm, NOTES);
    assert_eq!(call(&mut realm, ids[0], &["one"]), "1");
    let mut realm = std::thread::spawn(move || {
        assert_eq!(call(&mut realm, 2, &[]), "one");
        assert_eq!(call(&mut realm, 1, &["two"]), "2");
        call(&mut realm, 3, &[]);
        realm
    })
    .join()
    .expect("it does not panic");
    assert_eq!(call(&mut realm, ids[1], &[]), "one two");
    let others = load(&mut realm, NOTES);
    assert_eq!(call(&mut realm, others[1], &[]), "");
    realm.forget(ids.iter().copied());
    assert_eq!(call(&mut realm, others[0], &["x"]), "1");
    assert_eq!(call(&mut realm, ids[0], &["x"]), "ERR attempt to call a nil value");
    std::thread::spawn(move || drop(realm)).join().expect("it does not panic");
}

#[test]
fn its_bytes_are_its_own() {
    let before = live_bytes();
    let mut realm = Realm::default();
    let ids = load(&mut realm, NOTES);
    let empty = realm.bytes();
    assert!(empty > 0 && live_bytes() == before);
    call(&mut realm, ids[0], &["a long text that takes some room of its own"]);
    assert!(realm.bytes() > empty);
    realm.clear();
    assert_eq!((realm.bytes(), live_bytes()), (0, before));
}

#[test]
fn circles_are_found() {
    let mut realm = Realm::default();
    let ids = load(&mut realm, NOTES);
    call(&mut realm, ids[2], &[]);
    let with_one = realm.bytes();
    let rounds = if cfg!(miri) { 10 } else { 5000 };
    for _ in 0..rounds {
        call(&mut realm, ids[2], &[]);
    }
    realm.forget(std::iter::empty());
    assert!(realm.bytes() <= with_one, "{} of {with_one}", realm.bytes());
    assert_eq!(call(&mut realm, ids[0], &["still there"]), "1");
}
