//! Decimal numbers as text: money is never a float.

use super::FieldValue;
use std::fmt;
use std::str::FromStr;

/// A decimal number, exactly as it is written: digits with at most a leading `-` and one point.
///
/// Money fields take it, since telecrm takes money as text. There is no arithmetic here: hand
/// [`as_str`](Self::as_str) to the decimal type of your choice, and its text back. Two are equal if they are the same
/// number: `5000` is `5000.00`.
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
    /// The digits as they were written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number that JSON writes so, without its exponent.
    pub(crate) fn written_out(number: &str) -> Option<Self> {
        let number = number.to_ascii_lowercase();
        let Some((mantissa, exponent)) = number.split_once('e') else {
            return number.parse().ok();
        };
        let exponent: i64 = exponent.parse().ok()?;
        // No `f64` has more zeros, and an exponent could ask for gigabytes of them.
        let count = usize::try_from(exponent.unsigned_abs()).ok()?;
        if count > 400 {
            return None;
        }
        let zeros = "0".repeat(count);
        let digits = mantissa.trim_start_matches('-');
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (all, point) = match exponent < 0 {
            true => (format!("{zeros}{whole}{fraction}"), whole.len()),
            false => (format!("{whole}{fraction}{zeros}"), whole.len() + count),
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

    /// Sign, whole part and fraction, without the zeros that mean nothing.
    fn parts(&self) -> (bool, &str, &str) {
        let digits = self.0.strip_prefix('-').unwrap_or(&self.0);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (whole, fraction) = (
            whole.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        );
        let is_zero = whole.is_empty() && fraction.is_empty();
        (digits.len() < self.0.len() && !is_zero, whole, fraction)
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
        match is_decimal(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(DecimalError),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! from_integer {
    ($($type:ty),*) => {$(
        impl From<$type> for Decimal {
            fn from(integer: $type) -> Self {
                Self(integer.to_string())
            }
        }
    )*};
}
from_integer!(u32, u64, i32, i64);

/// A text, as money fields take it.
impl From<Decimal> for FieldValue {
    fn from(decimal: Decimal) -> Self {
        decimal.0.into()
    }
}

/// A text that is not a decimal number.
///
/// ```
/// use telecrm_core::{Decimal, DecimalError};
///
/// assert_eq!("12,50,000".parse::<Decimal>(), Err(DecimalError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecimalError;

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is not a decimal number: write digits with a point, such as -1250.50")
    }
}

impl std::error::Error for DecimalError {}

/// An amount of money above zero, as payments have it: a [`Decimal`], and never a float.
///
/// ```
/// use telecrm_core::Amount;
///
/// assert_eq!("4999.50".parse::<Amount>()?.as_str(), "4999.50");
/// assert!("5,000".parse::<Amount>().is_err());
/// assert!("0.00".parse::<Amount>().is_err());
/// # Ok::<(), telecrm_core::AmountError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Amount(Decimal);

impl Amount {
    /// The digits as they were written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<Decimal> for Amount {
    type Error = AmountError;

    fn try_from(decimal: Decimal) -> Result<Self, AmountError> {
        let (is_negative, whole, fraction) = decimal.parts();
        let is_zero = whole.is_empty() && fraction.is_empty();
        match is_negative || is_zero {
            true => Err(AmountError),
            false => Ok(Self(decimal)),
        }
    }
}

impl From<Amount> for Decimal {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

/// A text, as money fields take it.
impl From<Amount> for FieldValue {
    fn from(amount: Amount) -> Self {
        amount.0.into()
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

/// A text or a decimal that is not an amount above zero.
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

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the text is not an amount above zero: write digits with a point, such as 4999.50",
        )
    }
}

impl std::error::Error for AmountError {}

/// Digits, with a sign and a point where they belong, and nothing else.
pub(crate) fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_is_equal_however_many_zeros_it_has() {
        let decimal = |text: &str| text.parse::<Decimal>().expect(text);
        for (one, other) in [("5000", "5000.00"), ("-0", "0.0"), ("007.10", "7.1")] {
            assert_eq!(decimal(one), decimal(other), "{one} {other}");
        }
        for (one, other) in [
            ("12345678901234567890.12", "12345678901234567890.13"),
            ("1", "-1"),
            ("1.0", "10"),
            ("0.1", "1"),
        ] {
            assert_ne!(decimal(one), decimal(other), "{one} {other}");
        }
    }

    #[test]
    fn an_exponent_is_written_out() {
        let written_out = |number: &str| Decimal::written_out(number).map(|d| d.to_string());
        for (number, decimal) in [
            ("1e3", "1000"),
            ("-125e-1", "-12.5"),
            ("1.25E-3", "0.00125"),
            ("1.250e+3", "1250"),
            ("12.34e1", "123.4"),
            ("0e0", "0"),
            ("1.10", "1.10"),
        ] {
            assert_eq!(written_out(number).as_deref(), Some(decimal), "{number}");
        }
        assert_eq!(written_out("1e400").map(|digits| digits.len()), Some(401));
        for endless in [
            "1e401",
            "1e-401",
            "1e999999999",
            "1e-2147483648",
            "1e99999999999",
        ] {
            assert_eq!(written_out(endless), None, "{endless}");
        }
    }

    #[test]
    fn an_amount_is_above_zero() {
        for text in ["0.01", "1", "99999999999999999999999.99"] {
            assert_eq!(text.parse::<Amount>().expect(text).as_str(), text);
        }
        for text in ["0", "-0", "-5", "0.00", "", "1e3", "+5", " 5", "5.", ".5"] {
            assert_eq!(text.parse::<Amount>(), Err(AmountError), "{text}");
        }
    }
}
