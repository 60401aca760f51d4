//! Handlers of the publish/subscribe commands.

pub mod spec;

/// SUBSCRIBE.
pub fn subscribe() {}

/// UNSUBSCRIBE.
pub fn unsubscribe() {}

/// PSUBSCRIBE.
pub fn psubscribe() {}

/// PUNSUBSCRIBE.
pub fn punsubscribe() {}

/// PUBLISH.
pub fn publish() {}

/// PUBSUB CHANNELS.
pub fn pubsub_channels() {}

/// PUBSUB NUMSUB.
pub fn pubsub_numsub() {}

/// PUBSUB NUMPAT.
pub fn pubsub_numpat() {}

/// PUBSUB HELP.
pub fn pubsub_help() {}
