//! Places, cells and areas: against what is published, and against looking at every place.

use proptest::prelude::*;

use super::*;

fn place() -> impl Strategy<Value = Place> {
    (-180.0..180.0, -85.0..85.0).prop_map(|(longitude, latitude)| Place { longitude, latitude })
}

#[test]
fn known_places() {
    let palermo = Place::new(13.361389, 38.115556).unwrap();
    let catania = Place::new(15.087269, 37.502669).unwrap();
    assert_eq!((palermo.encode(), catania.encode()), (3479099956230698, 3479447370796909));
    let decoded = Place::decode(3479099956230698.0);
    assert_eq!((&decoded.text(), &Place::decode(3479447370796909.0).text()), (b"sqc8b49rny0", b"sqdtr74hyu0"));
    assert_eq!(format!("{:.4}", decoded.distance(Place::decode(3479447370796909.0))), "166274.1516");
    assert_eq!(Place::new(180.1, 0.0), None);
    assert_eq!(Place::new(0.0, 85.06), None);
    assert_eq!(Place::new(f64::NAN, 0.0), None);
}

#[test]
fn any_score_is_some_place() {
    for score in [-1.0, f64::MIN, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, 1e18, 0.5] {
        let place = Place::decode(score);
        assert!(Place::new(place.longitude, place.latitude).is_some(), "{score}: {place:?}");
    }
}

proptest! {
    #[test]
    fn encoding_and_decoding(place in place()) {
        let number = place.encode();
        let decoded = Place::decode(number as f64);
        prop_assert_eq!(decoded.encode(), number);
        prop_assert!((decoded.longitude - place.longitude).abs() < 1e-5);
        prop_assert!((decoded.latitude - place.latitude).abs() < 1e-5);
        prop_assert!(place.distance(decoded) < 1.0);
    }

    #[test]
    fn bits_are_spread_and_gathered(column: u32, row: u32) {
        let cell = Cell { column: column >> 6, row: row >> 6, step: STEPS };
        prop_assert_eq!(Cell::from_bits(cell.bits(), STEPS), cell);
        prop_assert_eq!(cell.neighbour(3, -2).neighbour(-3, 2), cell);
    }

    #[test]
    fn what_saves_work_decides_nothing(center in place(), other in place(), factor in 0.9..1.1) {
        let distance = center.distance(other);
        for radius in [distance, distance * factor, distance.next_up(), distance.next_down()] {
            let found = Area::new(center, Shape::Circle(radius)).distance_to(other);
            prop_assert_eq!(found, Some(distance).filter(|distance| *distance <= radius));
        }
    }

    #[test]
    fn an_area_is_covered(
        center in (-170.0..170.0, -60.0..60.0_f64),
        size in 1.0..300_000.0_f64,
        wide in 0.5..2.0_f64,
        offsets in proptest::collection::vec((-3.0..3.0_f64, -3.0..3.0_f64), 100),
    ) {
        let center = Place { longitude: center.0, latitude: center.1 };
        for shape in [Shape::Circle(size), Shape::Box { width: size * wide, height: size }] {
            let area = Area::new(center, shape);
            let ranges: Vec<_> = area.cover().collect();
            prop_assert!(ranges.len() <= 9);
            for (east, north) in &offsets {
                let degrees = size / 111_000.0;
                let longitude = (center.longitude + east * degrees).clamp(-180.0, 180.0);
                let other = Place { longitude, latitude: (center.latitude + north * degrees).clamp(-85.0, 85.0) };
                let other = Place::decode(other.encode() as f64);
                let covering = ranges.iter().filter(|range| range.contains(&other.encode())).count();
                prop_assert!(covering <= 1);
                prop_assert!(area.distance_to(other).is_none() || covering == 1, "{other:?} of {area:?}");
            }
        }
    }
}
