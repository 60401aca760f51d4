//! Floor 1: channels, patterns, and the outboxes of those who subscribe. Knows no command and no key.

pub mod outbox;
pub mod registry;
