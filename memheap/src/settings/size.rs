//! The standard's grammar of sizes, exactly, and percentages.
//!
//! `NUM[suffix][anything]`: NUM is a non-negative integer or decimal fraction (`.5` and `1.` too), the
//! suffix one of `k m g t` in either case, 2^10 to 2^40. The value is rounded **up** to a byte; what
//! follows the suffix is ignored (`20kk` is `20k`, `20MB` is `20M`); `0` is legal. `NUM%` is a share of
//! the host's memory. The arithmetic is exact: no floating point is involved.

/// A size as written: bytes, or a share of the host's memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SizeValue {
    /// So many bytes.
    Bytes(u64),
    /// So many millionths of a percent of the host's memory.
    Share(u64),
}

/// What is wrong with a size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SizeError {
    /// It is not a number with an optional suffix.
    #[error("is no size")]
    Garbage,
    /// It does not fit in 64 bits.
    #[error("does not fit in 64 bits")]
    Overflow,
    /// More than all the memory of the host.
    #[error("is more than 100 % of the host's memory")]
    OverHundred,
}

impl SizeValue {
    /// The size in bytes on a host with `host` bytes of memory.
    pub fn resolve(self, host: u64) -> u64 {
        match self {
            SizeValue::Bytes(n) => n,
            SizeValue::Share(millionths) => (u128::from(host) * u128::from(millionths) / 100_000_000) as u64,
        }
    }
}

/// Parses a size: `NUM[k|m|g|t][anything]`, rounded up to a byte, or `NUM%`.
pub fn parse_size(text: &str) -> Result<SizeValue, SizeError> {
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let text = text.trim();
    let (whole, rest) = text.split_at(digits(text));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(after) => after.split_at(digits(after)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(SizeError::Garbage);
    }
    let factor = match rest.bytes().next().map(|c| c.to_ascii_lowercase()) {
        None => 1,
        Some(b'k') => 1 << 10,
        Some(b'm') => 1 << 20,
        Some(b'g') => 1 << 30,
        Some(b't') => 1 << 40,
        Some(b'%') if rest.len() == 1 => return percentage(whole, fraction),
        Some(_) => return Err(SizeError::Garbage),
    };
    scaled_up(whole, fraction, factor).map(SizeValue::Bytes)
}

fn percentage(whole: &str, fraction: &str) -> Result<SizeValue, SizeError> {
    let millionths = scaled_up(whole, fraction, 1_000_000)?;
    if millionths > 100_000_000 { Err(SizeError::OverHundred) } else { Ok(SizeValue::Share(millionths)) }
}

/// `ceil(whole.fraction * factor)`. `factor` is at most 2^40, so a digit beyond the 18th of the
/// fraction can add less than one to the product: it is enough to know whether there is one.
fn scaled_up(whole: &str, fraction: &str, factor: u128) -> Result<u64, SizeError> {
    let number = |s: &str| match s.trim_start_matches('0') {
        "" => Ok(0),
        s if s.len() > 20 => Err(SizeError::Overflow),
        s => s.parse::<u128>().map_err(|_| SizeError::Garbage),
    };
    let (near, far) = fraction.split_at(fraction.len().min(18));
    let scale = 10u128.pow(near.len() as u32);
    let part = number(near)? * factor;
    let beyond = !part.is_multiple_of(scale) || far.bytes().any(|c| c != b'0');
    let total = number(whole)? * factor + part / scale + u128::from(beyond);
    u64::try_from(total).map_err(|_| SizeError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_the_standard_and_the_seed() {
        let cases: &[(&str, u64)] = &[
            ("268435456", 268_435_456),
            ("256m", 268_435_456),
            ("1.5G", 1_610_612_736),
            (".5m", 524_288),
            ("0.5m", 524_288),
            ("3.1M", 3_250_586),
            ("20kk", 20_480),
            ("20m", 20_971_520),
            ("20MB", 20_971_520),
            ("0", 0),
            ("1.", 1),
            ("0.0000000000000000000000001", 1),
            ("1t", 1 << 40),
            ("18446744073709551615", u64::MAX),
        ];
        for (text, n) in cases {
            assert_eq!(parse_size(text), Ok(SizeValue::Bytes(*n)), "{text}");
        }
    }

    #[test]
    fn garbage_is_an_error() {
        for text in ["", "k", "abc", "-1", "1x", ".", "nan", "inf", "1 g", "1e9", "%", "5%%", "+1", "0x10"] {
            assert_eq!(parse_size(text), Err(SizeError::Garbage), "{text}");
        }
    }

    #[test]
    fn overflow_is_an_error() {
        for text in [
            "99999999999T",
            "18446744073709551616",
            "16777216t",
            "999999999999999999999999999999999999999999",
        ] {
            assert_eq!(parse_size(text), Err(SizeError::Overflow), "{text}");
        }
    }

    #[test]
    fn percentages_are_of_the_host() {
        assert_eq!(parse_size("25%").map(|v| v.resolve(4 << 30)), Ok(1 << 30));
        assert_eq!(parse_size("12.5%").map(|v| v.resolve(8000)), Ok(1000));
        assert_eq!(parse_size("101%"), Err(SizeError::OverHundred));
        assert_eq!(parse_size("0%").map(|v| v.resolve(4 << 30)), Ok(0));
    }
}
