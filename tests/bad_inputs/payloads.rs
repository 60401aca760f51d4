//! Rows 26 to 28: payloads of RESTORE that are damaged or contradict themselves, and claim more than there is.

use crate::support::{self, Client};
use crate::{ERRORS, attack};

/// What DUMP gives for one key of each type, small and large, with the names of the commands that make them.
fn dumped(client: &mut Client) -> Vec<Vec<u8>> {
    let numbers: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let words: Vec<String> = (0..200).map(|n| format!("word {n}")).collect();
    let mut make = |command: &str, arguments: &[String]| {
        let all: Vec<&str> = [command, "attack:made"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        client.line("DEL attack:made");
        assert!(!client.call(&all).is_error(), "{command}");
        client.call(&["DUMP", "attack:made"]).bytes().to_vec()
    };
    let mut payloads = vec![make("SET", &["a text that is long enough, enough, enough".into()])];
    for count in [4, 200] {
        for values in [&numbers[..count], &words[..count]] {
            payloads.push(make("RPUSH", values));
            payloads.push(make("SADD", values));
            payloads.push(make("HSET", values));
            payloads.push(make("ZADD", &numbers[..count]));
        }
    }
    payloads
}

/// A payload with its checksum put right.
fn signed(payload: &[u8]) -> Vec<u8> {
    let body = &payload[..payload.len() - 8];
    [body, &pipkin::base::crc64::crc64(body).to_le_bytes()].concat()
}

#[test]
fn bad_input_26_restored_payloads_with_flipped_bits() {
    attack(&[], ERRORS, |target| {
        let mut client = target.connect();
        let mut random = support::Random::new(26);
        for payload in dumped(&mut client) {
            for round in 0..150 {
                let mut damaged = payload.clone();
                let at = if round < payload.len() - 10 { round } else { random.below(payload.len() - 10) };
                damaged[at] ^= 1 << random.below(8);
                let restore = |client: &mut Client, payload: &[u8]| {
                    client.line("DEL attack:r");
                    client.call(&[b"RESTORE".as_slice(), b"attack:r", b"0", payload]).text()
                };
                assert_eq!(restore(&mut client, &damaged), "ERR DUMP payload version or checksum are wrong");
                let text = restore(&mut client, &signed(&damaged));
                // Flipped bits of a member are another member.
                assert!(text == "OK" || text == "ERR Bad data format", "{text}: {}", damaged.escape_ascii());
                let stored = client.line("EXISTS attack:r").integer();
                assert_eq!(stored, i64::from(text == "OK"));
                // What was accepted can be read to its end.
                assert!(stored == 0 || !client.line("DUMP attack:r").is_error());
                assert!(!client.line("DEBUG DIGEST-VALUE attack:r").is_error());
            }
        }
        client.line("DEL attack:r attack:made");
    });
}

#[test]
fn bad_input_27_restored_values_that_contradict_themselves() {
    let bodies: [&[u8]; 13] = [
        // Listpacks: a field without a value, a field twice, a score that is a word, scores out of order.
        b"\x10\x0a\x0a\0\0\0\x01\0\x81f\x02\xff",
        b"\x10\x11\x11\0\0\0\x04\0\x81f\x02\x01\x01\x81f\x02\x02\x01\xff",
        b"\x11\x0d\x0d\0\0\0\x02\0\x81a\x02\x81x\x02\xff",
        b"\x11\x11\x11\0\0\0\x04\0\x81a\x02\x02\x01\x81b\x02\x01\x01\xff",
        // Intsets: out of order, twice, of an odd width.
        b"\x0b\x0c\x02\0\0\0\x02\0\0\0\x02\0\x01\0",
        b"\x0b\x0c\x02\0\0\0\x02\0\0\0\x01\0\x01\0",
        b"\x0b\x0b\x03\0\0\0\x01\0\0\0\x01\0\0",
        // Plain: a member twice, a field twice, no number for a score.
        b"\x02\x02\x01a\x01a",
        b"\x04\x02\x01f\x011\x01f\x012",
        b"\x05\x01\x01a\0\0\0\0\0\0\xf8\x7f",
        // Claims: 2^60 fields, a string of 2^60 bytes, a compressed string of 512 MB from two bytes.
        b"\x04\x81\x10\0\0\0\0\0\0\0\x01f\x011",
        b"\x00\x81\x10\0\0\0\0\0\0\0abc",
        b"\x00\xc3\x02\x80\x1f\xff\xff\xff\0a",
    ];
    attack(&[], ERRORS, |target| {
        let mut client = target.connect();
        for body in bodies {
            let payload = signed(&[body, b"\x0a\0", &[0; 8]].concat());
            let reply = client.call(&[b"RESTORE".as_slice(), b"attack", b"0", &payload]);
            assert_eq!(reply.text(), "ERR Bad data format", "{}", body.escape_ascii());
            assert_eq!(client.line("EXISTS attack").integer(), 0);
        }
    });
}

#[test]
fn bad_input_28_streams_whose_pending_lists_disagree() {
    attack(&[], ERRORS, |target| {
        let mut client = target.connect();
        for line in [
            "XADD attack:x 1-1 f v",
            "XADD attack:x 1-2 f w",
            "XGROUP CREATE attack:x g 0",
            "XREADGROUP GROUP g ann COUNT 1 STREAMS attack:x >",
            "XREADGROUP GROUP g bob COUNT 1 STREAMS attack:x >",
        ] {
            assert!(!client.line(line).is_error(), "{line}");
        }
        let payload = client.line("DUMP attack:x").bytes().to_vec();
        let id = |seq: u8| [&[0; 7][..], &[1], &[0; 7], &[seq]].concat();
        let places = |seq: u8| -> Vec<usize> {
            let id = id(seq);
            (0..payload.len() - 16).filter(|at| payload[*at..at + 16] == id[..]).collect()
        };
        // The first entry's id is that of the node as well.
        let ([_, first_in_group, first_of_ann], [second_in_group, second_of_bob]) = (&places(1)[..], &places(2)[..])
        else {
            panic!("every entry is pending in its group and for its consumer")
        };
        let mut restore = |damaged: &[u8], what: &str| {
            let reply = client.call(&[b"RESTORE".as_slice(), b"attack:r", b"0", &signed(damaged)]);
            assert_eq!(reply.text(), "ERR Bad data format", "{what}");
            assert_eq!(client.line("EXISTS attack:r").integer(), 0, "{what}");
        };
        let with = |changes: &[(usize, u8)]| {
            let mut damaged = payload.clone();
            changes.iter().for_each(|(at, seq)| damaged[at + 15] = *seq);
            damaged
        };
        restore(&with(&[(*first_of_ann, 7)]), "a consumer's entry that its group does not have");
        restore(&with(&[(*second_of_bob, 1)]), "an entry that two consumers have");
        restore(&with(&[(*first_in_group, 9)]), "a group's entry that no consumer has");
        restore(&with(&[(*second_in_group, 1)]), "an entry that is pending twice");
        let mut random = support::Random::new(28);
        for round in 0..payload.len() - 10 {
            let mut damaged = payload.clone();
            damaged[round] ^= 1 << random.below(8);
            let reply = client.call(&[b"RESTORE".as_slice(), b"attack:r", b"0", &signed(&damaged), b"REPLACE"]).text();
            assert!(reply == "OK" || reply == "ERR Bad data format", "{reply}: {}", damaged.escape_ascii());
            client.line("XINFO STREAM attack:r FULL COUNT 0");
            client.line("XAUTOCLAIM attack:r g ann 0 0");
            client.line("XTRIM attack:r MAXLEN 0");
            client.line("DEL attack:r");
            let cut = signed(&[&payload[..round], b"\x0a\0", &[0; 8]].concat());
            let cut = client.call(&[b"RESTORE".as_slice(), b"attack:r", b"0", &cut]).text();
            assert_eq!(cut, "ERR Bad data format", "cut off at {round}");
        }
    });
}
