//! `CLUSTER` and its companions, truthful for one node that serves all slots: see [`crate::engine::cluster`].
//!
//! Where cluster mode is off, all of them say so.

pub mod spec;

use std::net::SocketAddr;

use super::server::write_help;
use crate::command::Args;
use crate::engine::cluster::{Cluster, SLOTS};
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::value::hash_slot;

/// The node, if cluster mode is on.
fn cluster<'k>(call: &Call<'_, 'k>) -> CommandResult<&'k Cluster> {
    let cluster = &call.engine.cluster;
    if cluster.is_enabled { Ok(cluster) } else { Err(CommandError::ClusterDisabled) }
}

/// How the node is reached, as the caller is told.
struct Address {
    ip: String,
    port: u16,
    bus_port: u16,
    hostname: String,
    /// `cluster-preferred-endpoint-type`.
    preferred: &'static str,
}

impl Address {
    /// What is announced; else the address that the caller has reached, which is none over anything but TCP.
    fn of(call: &Call<'_, '_>) -> Address {
        let settings = call.engine.config.read().settings();
        let reached: Option<SocketAddr> = call.session.client.origin.local.parse().ok();
        let own_ip = || reached.map(|address| address.ip().to_canonical().to_string()).unwrap_or_default();
        Address {
            ip: if settings.cluster_announce_ip.is_empty() { own_ip() } else { settings.cluster_announce_ip },
            port: match settings.cluster_announce_port {
                0 => reached.map_or(settings.port, |address| address.port()),
                port => port,
            },
            bus_port: settings.cluster_announce_bus_port,
            hostname: settings.cluster_announce_hostname,
            preferred: settings.cluster_preferred_endpoint_type,
        }
    }

    /// What clients are to connect to; `None` for where they are connected already.
    fn endpoint(&self) -> Option<&str> {
        match self.preferred {
            "hostname" if self.hostname.is_empty() => Some("?"),
            "hostname" => Some(&self.hostname),
            "unknown-endpoint" => None,
            _ => Some(&self.ip),
        }
    }
}

/// `CLUSTER INFO`
pub fn cluster_info(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    cluster(call)?;
    let fields = [
        ("cluster_state", "ok"),
        ("cluster_slots_assigned", "16384"),
        ("cluster_slots_ok", "16384"),
        ("cluster_slots_pfail", "0"),
        ("cluster_slots_fail", "0"),
        ("cluster_known_nodes", "1"),
        ("cluster_size", "1"),
        ("cluster_current_epoch", "0"),
        ("cluster_my_epoch", "0"),
        ("cluster_stats_messages_sent", "0"),
        ("cluster_stats_messages_received", "0"),
        ("total_cluster_links_buffer_limit_exceeded", "0"),
    ];
    let text: String = fields.iter().map(|(name, value)| format!("{name}:{value}\r\n")).collect();
    call.context.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

/// `CLUSTER NODES`
pub fn cluster_nodes(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let id = &cluster(call)?.node_id;
    let Address { ip, port, bus_port, hostname, .. } = Address::of(call);
    let gap = if hostname.is_empty() { "" } else { "," };
    let last = SLOTS - 1;
    let line = format!("{id} {ip}:{port}@{bus_port}{gap}{hostname} myself,master - 0 0 0 connected 0-{last}\n");
    call.context.reply.verbatim("txt", line.as_bytes());
    Ok(Outcome::Done)
}

/// `CLUSTER SLOTS`
pub fn cluster_slots(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let id = &cluster(call)?.node_id;
    let address = Address::of(call);
    let others = [
        ("ip", &address.ip, address.preferred != "ip"),
        ("hostname", &address.hostname, address.preferred != "hostname" && !address.hostname.is_empty()),
    ];
    let others = others.into_iter().filter(|(_, _, is_told)| *is_told);
    let reply = &mut call.context.reply;
    reply.array(1);
    reply.array(3);
    reply.integer(0);
    reply.integer(i64::from(SLOTS - 1));
    reply.array(4);
    reply.bulk_or_null(address.endpoint().map(str::as_bytes));
    reply.integer(address.port.into());
    reply.bulk(id.as_bytes());
    reply.map(others.clone().count());
    for (name, value, _) in others {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
    Ok(Outcome::Done)
}

/// `CLUSTER SHARDS`
pub fn cluster_shards(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let id = &cluster(call)?.node_id;
    let address = Address::of(call);
    let reply = &mut call.context.reply;
    reply.array(1);
    reply.map(2);
    reply.bulk(b"slots");
    reply.array(2);
    reply.integer(0);
    reply.integer(i64::from(SLOTS - 1));
    reply.bulk(b"nodes");
    reply.array(1);
    reply.map(if address.hostname.is_empty() { 7 } else { 8 });
    reply.bulk(b"id");
    reply.bulk(id.as_bytes());
    reply.bulk(b"port");
    reply.integer(address.port.into());
    reply.bulk(b"ip");
    reply.bulk(address.ip.as_bytes());
    reply.bulk(b"endpoint");
    reply.bulk_or_null(address.endpoint().map(str::as_bytes));
    if !address.hostname.is_empty() {
        reply.bulk(b"hostname");
        reply.bulk(address.hostname.as_bytes());
    }
    reply.bulk(b"role");
    reply.bulk(b"master");
    reply.bulk(b"replication-offset");
    reply.integer(0);
    reply.bulk(b"health");
    reply.bulk(b"online");
    Ok(Outcome::Done)
}

/// `CLUSTER MYID`
pub fn cluster_myid(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let id = &cluster(call)?.node_id;
    call.context.reply.bulk(id.as_bytes());
    Ok(Outcome::Done)
}

/// `CLUSTER MYSHARDID`
pub fn cluster_myshardid(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let id = &cluster(call)?.shard_id;
    call.context.reply.bulk(id.as_bytes());
    Ok(Outcome::Done)
}

/// `CLUSTER LINKS`: there is nobody to be linked to.
pub fn cluster_links(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    cluster(call)?;
    call.context.reply.array(0);
    Ok(Outcome::Done)
}

/// `CLUSTER KEYSLOT key`
pub fn cluster_keyslot(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    cluster(call)?;
    call.context.reply.integer(hash_slot(args.next_bytes()?).into());
    Ok(Outcome::Done)
}

/// A slot's number; `error` where there is no such slot.
fn read_slot(args: &mut Args<'_>, error: CommandError) -> CommandResult<u16> {
    u16::try_from(args.next_i64()?).ok().filter(|slot| *slot < SLOTS).ok_or(error)
}

/// Calls `visit` with the keys of a slot. There is no list of them: every key is looked at.
fn visit_slot(call: &mut Call<'_, '_>, slot: u16, mut visit: impl FnMut(&[u8])) {
    let now_ms = call.context.keys.now_ms;
    call.context.keys.each_shard(|shard| {
        let records = shard.database(0).into_iter().flat_map(|database| database.table.iter());
        let live = records.filter(|record| record.deadline().is_none_or(|deadline| deadline >= now_ms));
        live.filter(|record| hash_slot(record.key()) == slot).for_each(|record| visit(record.key()));
    });
}

/// `CLUSTER COUNTKEYSINSLOT slot`
pub fn cluster_countkeysinslot(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    cluster(call)?;
    let slot = read_slot(&mut args, CommandError::InvalidSlot)?;
    let mut count = 0;
    visit_slot(call, slot, |_| count += 1);
    call.context.reply.count(count);
    Ok(Outcome::Done)
}

/// `CLUSTER GETKEYSINSLOT slot count`
pub fn cluster_getkeysinslot(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    cluster(call)?;
    // Both are read before either is judged.
    let slot = args.next_i64()?;
    let count = usize::try_from(args.next_i64()?).map_err(|_| CommandError::InvalidSlotOrCount)?;
    let slot = u16::try_from(slot).ok().filter(|slot| *slot < SLOTS).ok_or(CommandError::InvalidSlotOrCount)?;
    let mut keys: Vec<Vec<u8>> = Vec::new();
    visit_slot(call, slot, |key| {
        if keys.len() < count {
            keys.push(key.to_vec());
        }
    });
    call.context.reply.array(keys.len());
    keys.iter().for_each(|key| call.context.reply.bulk(key));
    Ok(Outcome::Done)
}

/// Reads the id of a node, which must be this one's.
fn read_node(call: &Call<'_, '_>, args: &mut Args<'_>) -> CommandResult {
    let own = &cluster(call)?.node_id;
    let id = args.next_bytes()?;
    if id == own.as_bytes() { Ok(()) } else { Err(CommandError::unknown_node(id)) }
}

/// `CLUSTER REPLICAS node-id`
pub fn cluster_replicas(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    read_node(call, &mut args)?;
    call.context.reply.array(0);
    Ok(Outcome::Done)
}

/// `CLUSTER COUNT-FAILURE-REPORTS node-id`
pub fn cluster_count_failure_reports(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    read_node(call, &mut args)?;
    call.context.reply.integer(0);
    Ok(Outcome::Done)
}

/// Whatever would change the cluster: the one node keeps all slots.
pub fn cluster_fixed(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    cluster(call)?;
    Err(CommandError::ClusterFixed)
}

/// `CLUSTER HELP`
pub fn cluster_help(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    cluster(call)?;
    write_help(&mut call.context.reply, "cluster");
    Ok(Outcome::Done)
}

/// There is no replica to read from, and no slot moves: there is nothing to remember.
fn allowed_in_cluster(call: &mut Call<'_, '_>) -> CommandResult<Outcome> {
    cluster(call)?;
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `READONLY`
pub fn readonly(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    allowed_in_cluster(call)
}

/// `READWRITE`
pub fn readwrite(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    allowed_in_cluster(call)
}

/// `ASKING`
pub fn asking(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    allowed_in_cluster(call)
}
