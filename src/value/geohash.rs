//! Places on the globe as numbers: the geohash, distances, and which ranges of numbers cover an area.
//!
//! A geohash halves the globe again and again, by turns in longitude and in latitude; each halving is a bit, so that a
//! *cell* of `step` halvings each way is a number of `2 * step` bits, and the cells inside of it are those that begin
//! with these bits. A place is the number of its cell of [`STEPS`] halvings, 52 bits: exact as a double, and so the
//! score of a sorted set, in which every cell is one range of scores. Latitudes reach as far as the Mercator
//! projection's square does.
//!
//! An area is covered by the cell that holds its center, as small as the area allows, and its eight neighbours, less
//! those that lie outside of the area's bounding box. The sizes and the order of cells, the radius of the earth and the
//! haversine formula are Redis's, to which replies have to be equal.

use std::ops::Range;

/// Halvings in each direction that a place has.
pub const STEPS: u32 = 26;
/// Farthest longitude, in degrees.
const LONGITUDE_MAX: f64 = 180.0;
/// Farthest latitude, in degrees.
const LATITUDE_MAX: f64 = 85.05112878;
/// Mean radius of the earth, in meters.
const EARTH_RADIUS_M: f64 = 6_372_797.560856;
/// Half of the equator's length in the Mercator projection, in meters.
const MERCATOR_MAX_M: f64 = 20_037_726.37;
/// What a comparison that only saves work leaves to the exact one.
const SLACK: f64 = 1.0 + 1e-9;

/// A place, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// East of Greenwich.
    pub longitude: f64,
    /// North of the equator.
    pub latitude: f64,
}

impl Place {
    /// A place that can be encoded; `None` too far north, south, east or west.
    pub fn new(longitude: f64, latitude: f64) -> Option<Place> {
        let fits = longitude.abs() <= LONGITUDE_MAX && latitude.abs() <= LATITUDE_MAX;
        fits.then_some(Place { longitude, latitude })
    }

    /// Its number.
    pub fn encode(self) -> u64 {
        Cell::of(self, STEPS, LATITUDE_MAX).bits()
    }

    /// The middle of the cell with this number, which any score is taken for.
    pub fn decode(score: f64) -> Place {
        // As processors convert: what is below zero keeps its bits, what is too large becomes nothing.
        let bits = match score {
            ..9e18 => score as i64 as u64,
            9e18..18_446_744_073_709_551_616.0 => score as u64,
            _ => 0,
        };
        Cell::from_bits(bits, STEPS).bounds().center()
    }

    /// The text of a geohash as others write it: base 32, latitudes up to the poles. The last digit lies behind our 52
    /// bits and is always the same.
    pub fn text(self) -> [u8; 11] {
        const DIGITS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
        let bits = Cell::of(self, STEPS, 90.0).bits();
        let mut text = [DIGITS[0]; 11];
        for (index, digit) in text[..10].iter_mut().enumerate() {
            *digit = DIGITS[(bits >> (47 - 5 * index)) as usize & 31];
        }
        text
    }

    /// Distance along the surface, in meters.
    pub fn distance(self, other: Place) -> f64 {
        let v = ((other.longitude.to_radians_as_redis() - self.longitude.to_radians_as_redis()) / 2.0).sin();
        if v == 0.0 {
            return meridian_distance(self.latitude, other.latitude);
        }
        let (from, to) = (self.latitude.to_radians_as_redis(), other.latitude.to_radians_as_redis());
        arc(haversine(from, from.cos(), to, v))
    }
}

/// Degrees in radians, in the one multiplication that decides the last bit.
trait Degrees {
    fn to_radians_as_redis(self) -> f64;
    fn to_degrees_as_redis(self) -> f64;
}

impl Degrees for f64 {
    fn to_radians_as_redis(self) -> f64 {
        self * (std::f64::consts::PI / 180.0)
    }
    fn to_degrees_as_redis(self) -> f64 {
        self / (std::f64::consts::PI / 180.0)
    }
}

/// The haversine of the angle between two places; `v` is the sine of half the difference of their longitudes.
fn haversine(from: f64, from_cosine: f64, to: f64, v: f64) -> f64 {
    let u = ((to - from) / 2.0).sin();
    u * u + from_cosine * to.cos() * v * v
}

/// The distance that belongs to a haversine, in meters.
fn arc(haversine: f64) -> f64 {
    2.0 * EARTH_RADIUS_M * haversine.sqrt().asin()
}

/// Distance of two latitudes, in meters.
fn meridian_distance(from: f64, to: f64) -> f64 {
    EARTH_RADIUS_M * (to.to_radians_as_redis() - from.to_radians_as_redis()).abs()
}

/// A rectangle in degrees.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Bounds {
    fn center(self) -> Place {
        Place {
            longitude: ((self.west + self.east) / 2.0).clamp(-LONGITUDE_MAX, LONGITUDE_MAX),
            latitude: ((self.south + self.north) / 2.0).clamp(-LATITUDE_MAX, LATITUDE_MAX),
        }
    }
}

/// A cell: its column from the west and its row from the south, of `2^step` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    column: u32,
    row: u32,
    step: u32,
}

impl Cell {
    fn of(place: Place, step: u32, latitude_max: f64) -> Cell {
        let count = (1_u64 << step) as f64;
        let column = (place.longitude + LONGITUDE_MAX) / (LONGITUDE_MAX + LONGITUDE_MAX) * count;
        let row = (place.latitude + latitude_max) / (latitude_max + latitude_max) * count;
        Cell { column: column as u32, row: row as u32, step }
    }

    fn from_bits(bits: u64, step: u32) -> Cell {
        Cell { column: gathered(bits >> 1), row: gathered(bits), step }
    }

    fn bits(self) -> u64 {
        spread(self.column) << 1 | spread(self.row)
    }

    fn bounds(self) -> Bounds {
        let count = (1_u64 << self.step) as f64;
        let at = |max: f64, index: u32, more: f64| -max + (index as f64 + more) / count * (max + max);
        Bounds {
            west: at(LONGITUDE_MAX, self.column, 0.0),
            south: at(LATITUDE_MAX, self.row, 0.0),
            east: at(LONGITUDE_MAX, self.column, 1.0),
            north: at(LATITUDE_MAX, self.row, 1.0),
        }
    }

    /// The cell so many columns and rows away; the globe is round, in both directions. The date line itself, and the
    /// northern edge, lie in a cell of their own behind the last one, which is left only by a move in that direction.
    fn neighbour(self, columns: i32, rows: i32) -> Cell {
        let last = (1 << self.step) - 1;
        let moved = |from: u32, by: i32| if by == 0 { from } else { from.wrapping_add_signed(by) & last };
        Cell { column: moved(self.column, columns), row: moved(self.row, rows), step: self.step }
    }

    /// The numbers of the places in it.
    fn scores(self) -> Range<u64> {
        let shift = 2 * (STEPS - self.step);
        self.bits() << shift..(self.bits() + 1) << shift
    }
}

/// The bits of a number, each at the double of its place.
fn spread(number: u32) -> u64 {
    let mut bits = number as u64;
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// The bits at even places, pushed together.
fn gathered(bits: u64) -> u32 {
    let mut bits = bits & 0x5555_5555_5555_5555;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        bits = (bits | bits >> shift) & mask;
    }
    bits as u32
}

/// The form of an area, in meters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// All that is no farther than this.
    Circle(f64),
    /// All between two meridians and two parallels.
    Box {
        /// From west to east, as long as it is where each place lies.
        width: f64,
        /// From south to north.
        height: f64,
    },
}

/// An area around a place, to be searched.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    center: Place,
    shape: Shape,
    /// The center's latitude in radians, and its cosine.
    latitude: f64,
    cosine: f64,
    /// A haversine that is greater lies outside of a circle for certain.
    haversine_max: f64,
}

impl Area {
    /// The area of this shape around `center`.
    pub fn new(center: Place, shape: Shape) -> Area {
        let latitude = center.latitude.to_radians_as_redis();
        let half = match shape {
            Shape::Circle(radius) => radius / (2.0 * EARTH_RADIUS_M) * SLACK,
            Shape::Box { .. } => f64::MAX,
        };
        let haversine_max = if half >= std::f64::consts::FRAC_PI_2 { f64::MAX } else { half.sin().powi(2) * SLACK };
        Area { center, shape, latitude, cosine: latitude.cos(), haversine_max }
    }

    /// How far a place is from the center, in meters, if it lies in the area.
    pub fn distance_to(&self, place: Place) -> Option<f64> {
        match self.shape {
            Shape::Circle(radius) => {
                let along_meridian = meridian_distance(self.center.latitude, place.latitude);
                if along_meridian > radius * SLACK {
                    return None;
                }
                let center = self.center.longitude.to_radians_as_redis();
                let v = ((place.longitude.to_radians_as_redis() - center) / 2.0).sin();
                if v == 0.0 {
                    return Some(along_meridian).filter(|distance| *distance <= radius);
                }
                let haversine = haversine(self.latitude, self.cosine, place.latitude.to_radians_as_redis(), v);
                if haversine > self.haversine_max {
                    return None;
                }
                Some(arc(haversine)).filter(|distance| *distance <= radius)
            }
            Shape::Box { width, height } => {
                if meridian_distance(place.latitude, self.center.latitude) > height / 2.0 {
                    return None;
                }
                let abeam = Place { longitude: self.center.longitude, latitude: place.latitude };
                (place.distance(abeam) <= width / 2.0).then(|| self.center.distance(place))
            }
        }
    }

    /// The ranges of numbers that cover the area, in the order in which Redis goes through them.
    pub fn cover(&self) -> impl Iterator<Item = Range<u64>> {
        let bounds = self.bounds();
        let mut cell = Cell::of(self.center, self.step(), LATITUDE_MAX);
        if cell.step > 1 && is_too_small(cell, bounds) {
            cell = Cell::of(self.center, cell.step - 1, LATITUDE_MAX);
        }
        let own = cell.bounds();
        let is_outside = move |columns: i32, rows: i32| {
            cell.step >= 2
                && (rows < 0 && own.south < bounds.south
                    || rows > 0 && own.north > bounds.north
                    || columns < 0 && own.west < bounds.west
                    || columns > 0 && own.east > bounds.east)
        };
        // The center, then north, south, east, west, and the corners.
        let places = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];
        let inside = places.into_iter().filter(move |(columns, rows)| !is_outside(*columns, *rows));
        // With two columns or rows on the globe the neighbours on both sides are one.
        let mut last = None;
        inside.filter_map(move |(columns, rows)| {
            let cell = cell.neighbour(columns, rows);
            let is_new = last.replace(cell) != Some(cell);
            is_new.then(|| cell.scores())
        })
    }

    /// Half the height and half the width, in meters.
    fn reach(&self) -> (f64, f64) {
        match self.shape {
            Shape::Circle(radius) => (radius, radius),
            Shape::Box { width, height } => (height / 2.0, width / 2.0),
        }
    }

    /// The bounding box. On either hemisphere the side towards the pole needs the most degrees of longitude; they are
    /// counted as Redis does.
    fn bounds(&self) -> Bounds {
        let (height, width) = self.reach();
        let Place { longitude, latitude } = self.center;
        let rows = (height / EARTH_RADIUS_M).to_degrees_as_redis();
        let polar = if latitude < 0.0 { latitude - rows } else { latitude + rows };
        let columns = (width / EARTH_RADIUS_M / polar.to_radians_as_redis().cos()).to_degrees_as_redis();
        Bounds { west: longitude - columns, south: latitude - rows, east: longitude + columns, north: latitude + rows }
    }

    /// Halvings for cells of about the area's size; towards the poles cells grow narrow.
    fn step(&self) -> u32 {
        let mut range = match self.shape {
            Shape::Circle(radius) => radius,
            Shape::Box { width, height } => (width / 2.0).hypot(height / 2.0),
        };
        if range == 0.0 {
            return STEPS;
        }
        let mut step = -1;
        while range < MERCATOR_MAX_M && step < 2 * STEPS as i32 {
            range *= 2.0;
            step += 1;
        }
        let latitude = self.center.latitude.abs();
        step -= (latitude > 66.0) as i32 + (latitude > 80.0) as i32;
        step.clamp(1, STEPS as i32).unsigned_abs()
    }
}

/// Whether a cell and its neighbours do not reach to the bounds on all sides.
fn is_too_small(cell: Cell, bounds: Bounds) -> bool {
    cell.neighbour(0, 1).bounds().north < bounds.north
        || cell.neighbour(0, -1).bounds().south > bounds.south
        || cell.neighbour(1, 0).bounds().east < bounds.east
        || cell.neighbour(-1, 0).bounds().west > bounds.west
}

#[cfg(test)]
mod tests;
