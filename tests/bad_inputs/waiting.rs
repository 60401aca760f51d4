//! Clients that are gone while they wait, in every way to wait.

use crate::attack;
use crate::support::{self, Client, eventually, info_number};

/// Every command that waits, for keys that are not there.
const WAITING: [&str; 10] = [
    "BLPOP attack:list attack:other 0",
    "BRPOP attack:list 0",
    "BLMOVE attack:list attack:other LEFT LEFT 0",
    "BRPOPLPUSH attack:list attack:other 0",
    "BLMPOP 0 2 attack:list attack:other LEFT COUNT 2",
    "BZPOPMIN attack:set 0",
    "BZPOPMAX attack:set attack:other 0",
    "BZMPOP 0 1 attack:set MAX COUNT 2",
    "WAIT 1 0",
    "WAITAOF 0 1 0",
];

#[test]
fn bad_input_37_clients_killed_while_they_wait() {
    attack(&[], "killed_clients", |target| {
        let mut client = target.connect();
        for round in 0..20 {
            let mut waiting: Vec<Client> = (0..WAITING.len() + 6).map(|_| target.connect()).collect();
            let mut ids = Vec::new();
            for (number, victim) in waiting.iter_mut().enumerate() {
                ids.push(victim.line("CLIENT ID").integer());
                if let Some(command) = WAITING.get(number) {
                    victim.send(&support::words(command));
                    continue;
                }
                match number % 3 {
                    0 => {
                        victim.line("WATCH attack:list s:1");
                        victim.line("MULTI");
                        victim.line("SET attack:never 1");
                    }
                    1 => drop(victim.line("SUBSCRIBE attack:channel")),
                    _ => {
                        victim.line("HELLO 3");
                        victim.line("CLIENT TRACKING ON BCAST");
                        victim.line("MONITOR");
                    }
                }
            }
            let blocked = || info_number(&mut target.connect(), "clients", "blocked_clients");
            eventually("the block", || (blocked() == Some(WAITING.len() as i64)).then_some(()));
            if round % 2 == 0 {
                ids.iter().for_each(|id| drop(client.call(&["CLIENT", "KILL", "ID", &id.to_string()])));
            }
            drop(waiting);
            eventually("their end", || (blocked() == Some(0)).then_some(()));
            assert_eq!(client.line("RPUSH attack:list a b c").integer(), 3, "nobody takes it");
            assert_eq!(client.line("LRANGE attack:list 0 -1").items().len(), 3);
            assert_eq!(client.line("ZADD attack:set 1 a 2 b").integer(), 2, "nor this");
            assert_eq!(client.line("ZCARD attack:set").integer(), 2);
            assert_eq!(client.line("DEL attack:list attack:set").integer(), 2);
            assert_eq!(client.line("EXISTS attack:never attack:other").integer(), 0);
            eventually("no trackers", || {
                (info_number(&mut client, "clients", "tracking_clients") == Some(0)).then_some(())
            });
            eventually("no subscribers", || (client.line("PUBLISH attack:channel x").integer() == 0).then_some(()));
        }
    });
}
