//! Decimal numbers kept as text, because a float cannot hold every amount of money.

use crate::constant_error;
use std::fmt;
use std::str::FromStr;

/// A decimal number that keeps the digits as written: an optional `-`, and at most one point.
///
/// Use it for money fields, which telecrm stores as text. This type has no arithmetic: convert
/// [`as_str`](Self::as_str) to the decimal type of your choice, and parse its text back. Equal
/// numbers are equal, however many zeros they have: `5000` equals `5000.00`.
///
/// ```
/// use telecrm_core::{Decimal, Lead};
///
/// let budget: Decimal = "1250000.50".parse()?;
/// let lead = Lead::new().set("phone", "919999999999").set("budget", budget);
/// assert_eq!(lead.get("budget"), Some(&"1250000.50".into()));
///
/// let other: Decimal = "1250000.500".parse()?;
/// assert_eq!(other.as_str(), "1250000.500");
/// assert_eq!(other, "1250000.5".parse()?);
/// # Ok::<(), telecrm_core::DecimalError>(())
/// ```
#[derive(Clone)]
pub struct Decimal(String);

impl Decimal {
    /// The digits as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a JSON number, and writes out its exponent. Returns None beyond 400 zeros.
    pub(crate) fn from_json_number(number: &str) -> Option<Self> {
        let number = number.to_ascii_lowercase();
        let Some((mantissa, exponent)) = number.split_once('e') else {
            return number.parse().ok();
        };
        let exponent: i64 = exponent.parse().ok()?;
        // No `f64` has more zeros, and a larger exponent could ask for gigabytes of them.
        let count = usize::try_from(exponent.unsigned_abs()).ok()?;
        if count > 400 {
            return None;
        }
        let zeros = "0".repeat(count);
        let digits = mantissa.trim_start_matches('-');
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (all, point) = if exponent < 0 {
            (format!("{zeros}{whole}{fraction}"), whole.len())
        } else {
            (format!("{whole}{fraction}{zeros}"), whole.len() + count)
        };
        let (whole, fraction) = all.split_at(point);
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            whole => whole,
        };
        let sign = &mantissa[..mantissa.len() - digits.len()];
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}").parse().ok()
    }

    /// Whether it is below zero, the whole part and the fraction, without insignificant zeros.
    fn parts(&self) -> (bool, &str, &str) {
        let digits = self.0.trim_start_matches('-');
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let is_zero = whole.is_empty() && fraction.is_empty();
        (self.0.starts_with('-') && !is_zero, whole, fraction)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Decimal {}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_decimal(text) { Ok(Self(text.to_owned())) } else { Err(DecimalError) }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_serde!(Decimal);

macro_rules! from_integer {
    ($($type:ty),*) => {$(
        impl From<$type> for Decimal {
            fn from(integer: $type) -> Self {
                Self(integer.to_string())
            }
        }
    )*};
}
from_integer!(u8, u16, u32, u64, usize, i8, i16, i32, i64);

/// The error for text that is not a decimal number.
///
/// ```
/// use telecrm_core::{Decimal, DecimalError};
///
/// assert_eq!("12,50,000".parse::<Decimal>(), Err(DecimalError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecimalError;

constant_error!(
    DecimalError,
    "the text is not a decimal number",
    "write only a sign, digits and a point, such as -1250.50"
);

/// An amount of money above zero, for payments.
///
/// ```
/// use telecrm_core::Amount;
///
/// assert_eq!("4999.50".parse::<Amount>()?.as_str(), "4999.50");
/// assert!("5,000".parse::<Amount>().is_err());
/// assert!("0.00".parse::<Amount>().is_err());
/// # Ok::<(), telecrm_core::AmountError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount(Decimal);

impl Amount {
    /// The digits as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

text_serde!(Amount);

impl TryFrom<Decimal> for Amount {
    type Error = AmountError;

    fn try_from(decimal: Decimal) -> Result<Self, AmountError> {
        let (is_negative, whole, fraction) = decimal.parts();
        let is_zero = whole.is_empty() && fraction.is_empty();
        if is_negative || is_zero { Err(AmountError) } else { Ok(Self(decimal)) }
    }
}

impl From<Amount> for Decimal {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Decimal>().map_err(|_| AmountError)?.try_into()
    }
}

impl From<u32> for Amount {
    fn from(amount: u32) -> Self {
        Self(amount.into())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The error for text or a decimal that is not an amount above zero.
///
/// ```
/// use telecrm_core::{Amount, AmountError, Decimal};
///
/// let refund: Decimal = "-250".parse()?;
/// assert_eq!(Amount::try_from(refund), Err(AmountError));
/// # Ok::<(), telecrm_core::DecimalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AmountError;

constant_error!(
    AmountError,
    "the value is not an amount above zero",
    "write only digits and a point, such as 4999.50"
);

/// Whether a text consists of digits, with an optional `-` before them and at most one point.
pub(crate) fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect(text)
    }

    fn equal(one: &str, other: &str) {
        assert_eq!(decimal(one), decimal(other));
    }

    cases! { equal:
        trailing_zeros("5000", "5000.00"),
        negative_zero("-0", "0.0"),
        leading_zeros("007.10", "7.1"),
    }

    fn different(one: &str, other: &str) {
        assert_ne!(decimal(one), decimal(other));
    }

    cases! { different:
        last_of_many_digits("12345678901234567890.12", "12345678901234567890.13"),
        sign("1", "-1"),
        point("1.0", "10"),
        fraction("0.1", "1"),
    }

    fn writes_out_the_exponent(number: &str, expected: &str) {
        let decimal = Decimal::from_json_number(number).expect(number);
        assert_eq!(decimal.as_str(), expected);
    }

    cases! { writes_out_the_exponent:
        positive("1e3", "1000"),
        negative("-125e-1", "-12.5"),
        upper_case("1.25E-3", "0.00125"),
        with_plus("1.250e+3", "1250"),
        moves_the_point("12.34e1", "123.4"),
        zero("0e0", "0"),
        no_exponent("1.10", "1.10"),
    }

    fn reads_json(json: &str, expected: &str) {
        let decimal: Decimal = serde_json::from_str(json).expect(json);
        assert_eq!(decimal.as_str(), expected);
        assert_eq!(serde_json::to_string(&decimal).expect(json), format!("\"{expected}\""));
    }

    cases! { reads_json:
        text(r#""12.50""#, "12.50"),
        number("12.50", "12.50"),
        more_digits_than_a_float("12345678901234567890.12", "12345678901234567890.12"),
    }

    #[test]
    fn json_without_digits_is_no_amount() {
        for json in [r#""five""#, "null", "[5]", "-5"] {
            serde_json::from_str::<Amount>(json).expect_err(json);
        }
    }

    #[test]
    fn four_hundred_zeros_are_written_out() {
        let decimal = Decimal::from_json_number("1e400").expect("a decimal");
        assert_eq!(decimal.as_str().len(), 401);
    }

    fn refuses_more_zeros(number: &str) {
        assert!(Decimal::from_json_number(number).is_none());
    }

    cases! { refuses_more_zeros:
        large("1e401"),
        small("1e-401"),
        gigabytes("1e999999999"),
        smallest_i32("1e-2147483648"),
        beyond_i32("1e99999999999"),
    }

    fn is_an_amount(text: &str) {
        assert_eq!(text.parse::<Amount>().expect(text).as_str(), text);
    }

    cases! { is_an_amount:
        small("0.01"),
        whole("1"),
        many_digits("99999999999999999999999.99"),
    }

    fn is_not_an_amount(text: &str) {
        assert_eq!(text.parse::<Amount>(), Err(AmountError));
    }

    cases! { is_not_an_amount:
        zero("0"),
        negative_zero("-0"),
        negative("-5"),
        zero_with_fraction("0.00"),
        empty(""),
        exponent("1e3"),
        plus("+5"),
        blank(" 5"),
        no_fraction("5."),
        no_whole_part(".5"),
    }
}
