//! What the differential test cannot see of the geo commands: effects.

use crate::command::testing::Bench;

#[test]
fn places_are_logged_as_scores() {
    let bench = Bench::new(1);
    let (reply, logged) = bench.run(&["GEOADD", "g", "NX", "CH", "13.361389", "38.115556", "Palermo"]);
    assert_eq!(reply, b":1\r\n");
    let words: Vec<_> = logged[0].1.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    assert_eq!(words, ["ZADD", "g", "NX", "3479099956230698", "Palermo"]);
    assert_eq!(bench.run(&["GEOADD", "g", "NX", "1", "1", "Palermo"]).1, []);
    assert_eq!(bench.text("ZSCORE g Palermo"), "$16\r\n3479099956230698\r\n");
}

#[test]
fn the_few_closest_of_many_are_those_of_a_full_search() {
    let bench = Bench::new(2);
    for number in 0..300_u32 {
        let (longitude, latitude) = (number % 17, number * 7 % 23);
        bench.text(&format!("GEOADD g {longitude}.{number} {latitude}.{number} m{number}"));
    }
    for order in ["ASC", "DESC"] {
        let search = format!("GEOSEARCH g FROMLONLAT 8 11 BYRADIUS 5000 km {order}");
        let words = |line: String| {
            let reply = bench.text(&line);
            reply.lines().filter(|line| line.starts_with('m')).map(str::to_owned).collect::<Vec<_>>()
        };
        let all = words(search.clone());
        assert_eq!(all.len(), 300);
        for count in [1, 2, 10, 149, 150, 151, 299] {
            assert_eq!(words(format!("{search} COUNT {count}")), all[..count]);
        }
    }
}
