//! Tests of the key search.
