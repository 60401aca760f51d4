//! `pipkin check FILE…`: is a file sound, and what is in it.
