//! RDB data: what is written comes back, damage is an error and never more, and the encodings of old servers are read.

mod damage;
mod model;
mod old;
mod round_trip;
mod stream;
