//! `Context`: what a data command runs on.

use super::settings::Settings;
use crate::base::random::Random;
use crate::protocol::reply::Reply;
use crate::store::keys::Keys;

/// The shards that the command holds, the reply it writes, and what it may know of the instance.
pub struct Context<'k> {
    /// The keys that the command declared, and the time.
    pub keys: Keys<'k>,
    /// Where the reply goes.
    pub reply: Reply,
    /// Thresholds of the data types.
    pub settings: &'k Settings,
    /// For SPOP and its kin.
    pub random: &'k Random,
    /// Whether the command may wait: not within MULTI.
    pub may_block: bool,
    /// Whether a script runs the command.
    pub in_script: bool,
    /// When the script that runs asked for the time first, Unix time in us: time stands still for it.
    pub script_us: Option<u64>,
}
