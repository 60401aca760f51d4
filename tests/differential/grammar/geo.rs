//! Rows of the geo commands. What is sorted by distance are keys of their own: only GEOADD writes to them, and places are
//! drawn from so many that no two members are equally far from a third. Their order would be anybody's.

use super::Row;
use crate::compare::Rule::*;
use crate::support::Random;

pub const ROWS: &[Row] = &[
    (12, "GEOADD geokey (longitude latitude member)…", Exact),
    (6, "GEOADD (geokey|key) (NX|XX|CH|NX%CH|XX%CH|NX%XX) (longitude latitude member)…", Exact),
    (1, "GEOADD key (longitude latitude|longitude member latitude|200 100 member)…", Exact),
    (5, "GEODIST (geokey|geokey|key) member member [(M|unit)]", Exact),
    (3, "GEOHASH (geokey|key) [member…]", Exact),
    (4, "GEOPOS (geokey|key) [member…]", Exact),
    (
        10,
        "GEOSEARCH geokey (FROMMEMBER member|FROMLONLAT longitude latitude) (BYRADIUS radius unit|BYBOX radius radius \
         unit) [(ASC|DESC)] [COUNT geocount [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
        Exact,
    ),
    (
        3,
        "GEOSEARCH key (FROMMEMBER member|FROMLONLAT longitude latitude) (BYRADIUS radius unit|BYBOX radius radius unit)",
        Exact,
    ),
    (
        2,
        "GEOSEARCH geokey (FROMMEMBER member|FROMLONLAT longitude latitude|BYRADIUS radius unit|BYBOX radius radius unit\
         |ASC|DESC|ANY|COUNT geocount|WITHDIST|STORE key|STOREDIST)…",
        Exact,
    ),
    (
        6,
        "GEOSEARCHSTORE geokey geokey (FROMMEMBER member|FROMLONLAT longitude latitude) (BYRADIUS radius unit|BYBOX \
         radius radius unit) [(ASC|DESC)] [COUNT geocount [ANY]]",
        Exact,
    ),
    (
        3,
        "GEOSEARCHSTORE key geokey (FROMMEMBER member|FROMLONLAT longitude latitude) (BYRADIUS radius unit|WITHDIST|ANY\
         |STOREDIST)…",
        Exact,
    ),
    (
        6,
        "(GEORADIUS|GEORADIUS_RO) geokey longitude latitude radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT \
         geocount [ANY]] [(ASC|DESC)]",
        Exact,
    ),
    (
        6,
        "(GEORADIUSBYMEMBER|GEORADIUSBYMEMBER_RO) geokey member radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT \
         geocount [ANY]] [(ASC|DESC)]",
        Exact,
    ),
    (
        4,
        "(GEORADIUS|GEORADIUS_RO) (geokey|key) longitude latitude radius unit [WITHDIST] [(STORE|STOREDIST) key]",
        Exact,
    ),
    (
        4,
        "(GEORADIUSBYMEMBER|GEORADIUSBYMEMBER_RO) geokey member radius unit [COUNT geocount] [ASC] [(STORE key|STOREDIST \
         key)…]",
        Exact,
    ),
    (3, "ZRANGE (geokey|key) 0 -1", Exact),
    (3, "ZREM (geokey|key) member…", Exact),
    (2, "ZADD key (-5|0|1.5|3479099956230698|1e15|1e300|4503599627370496) member", Exact),
];

/// What the words of these rows may stand for.
pub fn word(word: &str) -> Option<&'static str> {
    Some(match word {
        "radius" => "0 1 50 200 500 1000 1500.5 5000 20000 300000 1000000 20000000 1e9 -1 abc inf",
        "unit" => "m km km km km ft mi mi KM Mi yd",
        "geocount" => "1 1 2 3 5 10 100 0 -1 abc 9223372036854775807",
        _ => return None,
    })
}

/// Degrees near one of some places, the poles, or the date line among them.
pub fn degrees(word: &str, random: &mut Random) -> Vec<u8> {
    let (centers, odd, max): (&[i32], &[&str], _) = match word {
        "longitude" => (&[0, 2, 13, 15, -70, 179, -179], &["181", "-180", "180", "abc", "nan", "inf"], 180.0),
        _ => (&[0, 1, 38, 40, -33, 70, 82, -84], &["86", "-86", "90", "abc", "nan", "-inf"], 85.05),
    };
    if random.chance(1) {
        return random.pick(odd).as_bytes().to_vec();
    }
    let spread = [0.02, 1.0, 5.0][random.below(3)];
    let offset = (random.below(2_000_001) as f64 / 1_000_000.0 - 1.0) * spread;
    let degrees = (centers[random.below(centers.len())] as f64 + offset).clamp(-max, max);
    format!("{degrees:.9}").into_bytes()
}
