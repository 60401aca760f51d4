//! Rows of SORT: on the lists, sets and sorted sets of the others, by strings and hashes whose names end in what these
//! hold.
//!
//! Nothing is drawn whose order is left to the algorithm (texts that are equal up to a NUL) or to a set.

use super::Row;
use crate::compare::Rule::*;

pub const ROWS: &[Row] = &[
    (6, "RPUSH sortable int…", Exact),
    (3, "SADD sortable int…", Exact),
    (3, "ZADD sortable (score int)…", Exact),
    (1, "RPUSH sortable manyints", Exact),
    (2, "RPUSH sortable (int|float|value)…", Exact),
    (4, "DEL sortable", Exact),
    (3, "RPUSH sortlist (int|member)…", Exact),
    (3, "ZADD sortlist (score member)…", Exact),
    (1, "DEL sortlist", Exact),
    (6, "SET weight (int|float|value)", Exact),
    (3, "HSET weight field (int|value)", Exact),
    (10, "SORT sortable [LIMIT index index] [(ASC|DESC)] [ALPHA]", Exact),
    (4, "SORT_RO sortable [LIMIT index index] [(ASC|DESC)] [ALPHA]", Exact),
    (6, "SORT sortable BY weightpattern [(ASC|DESC)] [LIMIT index index] [GET getpattern]", Exact),
    (6, "SORT sortable [BY weightpattern] [(ASC|DESC)] (GET getpattern)…", Exact),
    (3, "SORT_RO sortable BY weightpattern (GET getpattern)…", Exact),
    (5, "SORT sortlist BY (no:sort|#|x) [(ASC|DESC)] [LIMIT index index] [(GET getpattern)…]", Exact),
    (5, "SORT sortable [ALPHA] [(ASC|DESC)] [LIMIT index index] [(GET getpattern)…] STORE sortable", Exact),
    (3, "SORT sortable BY weightpattern [LIMIT index index] STORE key", Exact),
    (2, "SORT key STORE key", Exact),
    (2, "SORT sortable (ASC|DESC|ALPHA|LIMIT index index|LIMIT|GET getpattern|STORE)…", Exact),
    (1, "SORT_RO sortable (ASC|LIMIT 0 1|STORE key)…", Exact),
];

/// What the words of these rows may stand for.
pub fn word(word: &str) -> Option<&'static str> {
    Some(match word {
        "sortable" => "sort:0 sort:1 sort:2 sort:3",
        "sortlist" => "sorted:0 sorted:1",
        "weight" => "w:1 w:2 w:3 w:4 w:5 w:6 w:7 w:8 w:9 w:10 w:-1 w:-2",
        "weightpattern" => "w:* w:* w:* w:*->f1 w:*-> nosuch:* w:*x",
        "getpattern" => "# # w:* w:*->f1 w:*->f2 *:1 nostar nosuch:* h:*->f1",
        _ => return None,
    })
}
