//! Digits of a double by Grisu2 (Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with
//! Integers", PLDI 2010).
//!
//! The digits always read back as the same double. In about two of a thousand cases they are not the closest or not
//! the shortest ones, and Redis prints those very digits; an exact algorithm would print others.
//!
//! The idea: scale the double and its two neighbours' midpoints by a cached power of ten until the binary exponent
//! lies in a small window, then take digits off the upper midpoint until the rest fits between the two.

/// Most digits that [`shortest`] returns.
pub const DIGITS_MAX: usize = 18;

/// A number `mantissa * 2^exponent`.
#[derive(Clone, Copy)]
struct Scaled {
    mantissa: u64,
    exponent: i32,
}

impl Scaled {
    fn normalized(self) -> Scaled {
        let zeros = self.mantissa.leading_zeros();
        Scaled { mantissa: self.mantissa << zeros, exponent: self.exponent - zeros as i32 }
    }

    /// The product's upper 64 bits, rounded.
    fn times(self, other: Scaled) -> Scaled {
        let product = u128::from(self.mantissa) * u128::from(other.mantissa) + (1 << 63);
        Scaled { mantissa: (product >> 64) as u64, exponent: self.exponent + other.exponent + 64 }
    }
}

/// The digits of a positive finite `value`, how many they are, and the power of ten of the last one.
pub fn shortest(value: f64) -> ([u8; DIGITS_MAX], usize, i32) {
    const HIDDEN: u64 = 1 << 52;
    let bits = value.to_bits();
    let (fraction, biased) = (bits & (HIDDEN - 1), (bits >> 52) as i32);
    let (mantissa, exponent) = if biased == 0 { (fraction, -1074) } else { (fraction | HIDDEN, biased - 1075) };

    let upper = Scaled { mantissa: 2 * mantissa + 1, exponent: exponent - 1 }.normalized();
    // The double below a power of two is only half as far away.
    let down = if mantissa == HIDDEN { 2 } else { 1 };
    let lower = (mantissa << down) - 1;
    let lower = Scaled { mantissa: lower << (exponent - down - upper.exponent), exponent: upper.exponent };

    let (power, decimal) = cached_power(upper.exponent);
    let middle = Scaled { mantissa, exponent }.normalized().times(power);
    let (mut upper, mut lower) = (upper.times(power), lower.times(power));
    // One unit of safety on either side, since the products are rounded.
    upper.mantissa -= 1;
    lower.mantissa += 1;
    let (digits, len, kappa) = generate(upper, upper.mantissa - middle.mantissa, upper.mantissa - lower.mantissa);
    (digits, len, kappa - decimal)
}

/// Takes digits off `upper` until what is left is below `delta`, then walks the last digit towards the number itself,
/// which lies `distance` below `upper`.
fn generate(upper: Scaled, distance: u64, mut delta: u64) -> ([u8; DIGITS_MAX], usize, i32) {
    let (mut digits, mut len) = ([0u8; DIGITS_MAX], 0);
    let shift = -upper.exponent;
    let one = 1u64 << shift;
    let (mut whole, mut part) = (upper.mantissa >> shift, upper.mantissa & (one - 1));

    let mut kappa = 10;
    let mut unit = 1_000_000_000u64;
    while kappa > 0 {
        let digit = whole / unit;
        whole %= unit;
        if digit != 0 || len != 0 {
            digits[len] = b'0' + digit as u8;
            len += 1;
        }
        kappa -= 1;
        let rest = (whole << shift) + part;
        if rest <= delta {
            round_last(&mut digits[len - 1], delta, rest, unit << shift, distance);
            return (digits, len, kappa);
        }
        unit /= 10;
    }
    let mut scale = 1u64;
    loop {
        part *= 10;
        delta = delta.wrapping_mul(10);
        scale = scale.wrapping_mul(10);
        kappa -= 1;
        let digit = part >> shift;
        part &= one - 1;
        if digit != 0 || len != 0 {
            digits[len] = b'0' + digit as u8;
            len += 1;
        }
        if part < delta {
            round_last(&mut digits[len - 1], delta, part, one, distance.wrapping_mul(scale));
            return (digits, len, kappa);
        }
    }
}

/// Lowers the last digit as long as that comes closer to the number.
fn round_last(digit: &mut u8, delta: u64, mut rest: u64, unit: u64, distance: u64) {
    while rest < distance
        && delta - rest >= unit
        && (rest + unit < distance || distance - rest > rest + unit - distance)
    {
        *digit -= 1;
        rest += unit;
    }
}

/// Exponent of the first cached power, and the step to the next.
const FIRST_POWER: i32 = -348;
const POWER_STEP: i32 = 8;

/// The power of ten that brings a binary exponent into the window -60 to -32, and its decimal exponent.
fn cached_power(exponent: i32) -> (Scaled, i32) {
    let estimate = (-f64::from(exponent + POWERS.len() as i32) * std::f64::consts::LOG10_2) as i32;
    let mut index = (estimate - FIRST_POWER) / POWER_STEP;
    loop {
        let decimal = FIRST_POWER + index * POWER_STEP;
        // 217706 / 2^16 is log2(10), close enough for every power here.
        let power = Scaled { mantissa: POWERS[index as usize], exponent: ((decimal * 217_706) >> 16) - 63 };
        match exponent + power.exponent + 64 {
            ..-60 => index += 1,
            -60..=-32 => return (power, decimal),
            _ => index -= 1,
        }
    }
}

/// Ten to the -348, -340, … 340, rounded to 64 bits.
#[rustfmt::skip]
const POWERS: [u64; 87] = [
    0xfa8fd5a0081c0288, 0xbaaee17fa23ebf76, 0x8b16fb203055ac76, 0xcf42894a5dce35ea, 0x9a6bb0aa55653b2d,
    0xe61acf033d1a45df, 0xab70fe17c79ac6ca, 0xff77b1fcbebcdc4f, 0xbe5691ef416bd60c, 0x8dd01fad907ffc3c,
    0xd3515c2831559a83, 0x9d71ac8fada6c9b5, 0xea9c227723ee8bcb, 0xaecc49914078536d, 0x823c12795db6ce57,
    0xc21094364dfb5637, 0x9096ea6f3848984f, 0xd77485cb25823ac7, 0xa086cfcd97bf97f4, 0xef340a98172aace5,
    0xb23867fb2a35b28e, 0x84c8d4dfd2c63f3b, 0xc5dd44271ad3cdba, 0x936b9fcebb25c996, 0xdbac6c247d62a584,
    0xa3ab66580d5fdaf6, 0xf3e2f893dec3f126, 0xb5b5ada8aaff80b8, 0x87625f056c7c4a8b, 0xc9bcff6034c13053,
    0x964e858c91ba2655, 0xdff9772470297ebd, 0xa6dfbd9fb8e5b88f, 0xf8a95fcf88747d94, 0xb94470938fa89bcf,
    0x8a08f0f8bf0f156b, 0xcdb02555653131b6, 0x993fe2c6d07b7fac, 0xe45c10c42a2b3b06, 0xaa242499697392d3,
    0xfd87b5f28300ca0e, 0xbce5086492111aeb, 0x8cbccc096f5088cc, 0xd1b71758e219652c, 0x9c40000000000000,
    0xe8d4a51000000000, 0xad78ebc5ac620000, 0x813f3978f8940984, 0xc097ce7bc90715b3, 0x8f7e32ce7bea5c70,
    0xd5d238a4abe98068, 0x9f4f2726179a2245, 0xed63a231d4c4fb27, 0xb0de65388cc8ada8, 0x83c7088e1aab65db,
    0xc45d1df942711d9a, 0x924d692ca61be758, 0xda01ee641a708dea, 0xa26da3999aef774a, 0xf209787bb47d6b85,
    0xb454e4a179dd1877, 0x865b86925b9bc5c2, 0xc83553c5c8965d3d, 0x952ab45cfa97a0b3, 0xde469fbd99a05fe3,
    0xa59bc234db398c25, 0xf6c69a72a3989f5c, 0xb7dcbf5354e9bece, 0x88fcf317f22241e2, 0xcc20ce9bd35c78a5,
    0x98165af37b2153df, 0xe2a0b5dc971f303a, 0xa8d9d1535ce3b396, 0xfb9b7cd9a4a7443c, 0xbb764c4ca7a44410,
    0x8bab8eefb6409c1a, 0xd01fef10a657842c, 0x9b10a4e5e9913129, 0xe7109bfba19c0c9d, 0xac2820d9623bf429,
    0x80444b5e7aa7cf85, 0xbf21e44003acdd2d, 0x8e679c2f5e44ff8f, 0xd433179d9c8cb841, 0x9e19db92b4e31ba9,
    0xeb96bf6ebadf77d9, 0xaf87023b9bf0ee6b,
];
