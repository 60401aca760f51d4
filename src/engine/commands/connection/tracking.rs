//! `CLIENT TRACKING` and its companions; the mechanics are in [`crate::engine::tracking`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::command::Args;
use crate::engine::instance::Engine;
use crate::engine::session::Session;
use crate::engine::tracking::Tracker;
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::keys::Keys;

/// The options of CLIENT TRACKING.
#[derive(Default)]
struct Options<'a> {
    redirect: Option<u64>,
    prefixes: Vec<&'a [u8]>,
    broadcasts: bool,
    opts_in: bool,
    opts_out: bool,
    spares_own: bool,
}

impl<'a> Options<'a> {
    fn read(engine: &Engine, mut args: Args<'a>) -> CommandResult<Options<'a>> {
        let mut options = Options::default();
        while args.remaining() > 0 {
            if args.take_with_value("REDIRECT") {
                if options.redirect.is_some() {
                    return Err(CommandError::TrackingRedirectsOnce);
                }
                let id = u64::try_from(args.next_i64()?).ok().filter(|id| engine.clients.get(*id).is_some());
                options.redirect = Some(id.ok_or(CommandError::TrackingRedirectUnknown)?);
            } else if args.take("BCAST") {
                options.broadcasts = true;
            } else if args.take("OPTIN") {
                options.opts_in = true;
            } else if args.take("OPTOUT") {
                options.opts_out = true;
            } else if args.take("NOLOOP") {
                options.spares_own = true;
            } else if args.take_with_value("PREFIX") {
                options.prefixes.push(args.next_bytes()?);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(options)
    }

    /// What the client asks for, if that goes together and with what it asked for before.
    fn tracker(self, before: Option<&Tracker>) -> CommandResult<Tracker> {
        if !self.broadcasts && !self.prefixes.is_empty() {
            return Err(CommandError::TrackingPrefixWithoutBroadcast);
        }
        if before.is_some_and(|before| before.prefixes.is_some() != self.broadcasts) {
            return Err(CommandError::TrackingBroadcastSwitch);
        }
        if self.broadcasts && (self.opts_in || self.opts_out) {
            return Err(CommandError::TrackingOptWithBroadcast);
        }
        if self.opts_in && self.opts_out {
            return Err(CommandError::TrackingOptInAndOut);
        }
        if before.is_some_and(|before| self.opts_in && before.opts_out || self.opts_out && before.opts_in) {
            return Err(CommandError::TrackingOptSwitch);
        }
        let known = before.and_then(|before| before.prefixes.as_ref());
        let prefixes = self.broadcasts.then(|| self.joined_prefixes(known)).transpose()?;
        Ok(Tracker {
            redirect: self.redirect,
            prefixes,
            opts_in: self.opts_in,
            opts_out: self.opts_out,
            spares_own: self.spares_own,
            ..Tracker::default()
        })
    }

    /// The prefixes together with those from before; none may be the beginning of another.
    fn joined_prefixes(&self, known: Option<&BTreeSet<Vec<u8>>>) -> CommandResult<BTreeSet<Vec<u8>>> {
        let overlap = |a: &[u8], b: &[u8]| a.starts_with(b) || b.starts_with(a);
        for (at, prefix) in self.prefixes.iter().enumerate() {
            if let Some(other) = known.into_iter().flatten().find(|other| overlap(prefix, other)) {
                return Err(CommandError::prefix_overlaps(prefix, "an existing", other));
            }
            if let Some(other) = self.prefixes[at + 1..].iter().find(|other| overlap(prefix, other)) {
                return Err(CommandError::prefix_overlaps(prefix, "another provided", other));
            }
        }
        let mut joined: BTreeSet<Vec<u8>> = known.into_iter().flatten().cloned().collect();
        joined.extend(self.prefixes.iter().map(|prefix| prefix.to_vec()));
        if self.prefixes.is_empty() {
            joined.insert(Vec::new());
        }
        Ok(joined)
    }
}

/// `CLIENT TRACKING ON | OFF [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]`
pub fn client_tracking(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let status = args.next_bytes()?;
    let options = Options::read(call.engine, args)?;
    if status.eq_ignore_ascii_case(b"on") {
        let tracker = Arc::new(options.tracker(call.session.tracker.as_deref())?);
        // What comes from now on waits behind what the client is being replied.
        call.session.client.outbox.cork(true);
        call.session.publish_state();
        call.engine.tracking.begin(&call.session.client, tracker.clone());
        call.session.tracker = Some(tracker);
        call.engine.observe_as_needed(&mut call.context.keys);
    } else if status.eq_ignore_ascii_case(b"off") {
        stop_tracking(call.engine, call.session, &mut call.context.keys);
    } else {
        return Err(CommandError::Syntax);
    }
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// Ends the tracking of a connection, inside the keyspace.
pub fn stop_tracking(engine: &Engine, session: &mut Session, keys: &mut Keys<'_>) {
    if session.tracker.take().is_some() {
        session.caching = false;
        engine.tracking.end(&session.client);
        match keys.is_entered() {
            true => engine.observe_as_needed(keys),
            false => engine.scripts.running.observe_later(),
        }
    }
}

/// `CLIENT CACHING YES | NO`
pub fn client_caching(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let Some(tracker) = &call.session.tracker else { return Err(CommandError::CachingWithoutTracking) };
    if args.take("YES") {
        if !tracker.opts_in {
            return Err(CommandError::CachingYes);
        }
    } else if args.take("NO") {
        if !tracker.opts_out {
            return Err(CommandError::CachingNo);
        }
    } else {
        return Err(CommandError::Syntax);
    }
    call.session.caching = true;
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `CLIENT GETREDIR`
pub fn client_getredir(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.context.reply.integer(redirect(call.session.tracker.as_deref()));
    Ok(Outcome::Done)
}

/// The id that messages are redirected to, 0 for none, -1 for a client that does not track.
pub(super) fn redirect(tracker: Option<&Tracker>) -> i64 {
    // Ids are counted from 1, one per connection.
    tracker.map_or(-1, |tracker| tracker.redirect.unwrap_or(0) as i64)
}

/// `CLIENT TRACKINGINFO`
pub fn client_trackinginfo(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let (tracker, caching) = (call.session.tracker.as_deref(), call.session.caching);
    let flags: Vec<&str> = match tracker {
        None => vec!["off"],
        Some(tracker) => {
            let states = [
                ("on", true),
                ("bcast", tracker.prefixes.is_some()),
                ("optin", tracker.opts_in),
                ("caching-yes", tracker.opts_in && caching),
                ("optout", tracker.opts_out),
                ("caching-no", tracker.opts_out && caching),
                ("noloop", tracker.spares_own),
                ("broken_redirect", tracker.is_broken.load(Relaxed)),
            ];
            states.iter().filter(|(_, holds)| *holds).map(|(name, _)| *name).collect()
        }
    };
    let reply = &mut call.context.reply;
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag.as_bytes()));
    reply.bulk(b"redirect");
    reply.integer(redirect(tracker));
    reply.bulk(b"prefixes");
    let prefixes: Vec<&Vec<u8>> = tracker.and_then(|tracker| tracker.prefixes.as_ref()).into_iter().flatten().collect();
    reply.array(prefixes.len());
    prefixes.iter().for_each(|prefix| reply.bulk(prefix));
    Ok(Outcome::Done)
}
