//! Countries: the calling code of a country, and how long its phone numbers are.

use crate::text::quoted;
use crate::write_hint;
use std::fmt;
use std::str::FromStr;

/// A country whose phone numbers can be written without a country code.
///
/// Parse it from the ISO 3166 code in either case. India and the countries whose currencies telecrm
/// accepts are always known. The feature `phone` adds all others.
///
/// ```
/// use telecrm_core::Country;
///
/// let emirates: Country = "ae".parse()?;
/// assert_eq!((emirates.to_string().as_str(), emirates.calling_code()), ("AE", 971));
/// assert_eq!(Country::default().to_string(), "IN");
/// assert!("XX".parse::<Country>().is_err());
/// # Ok::<(), telecrm_core::CountryError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    code: &'static str,
    calling_code: u16,
    shortest: usize,
    longest: usize,
}

/// India, and the countries of the currencies that telecrm accepts. These lengths apply with and
/// without the feature `phone`, so that both judge a number alike.
const COUNTRIES: [Country; 11] = [
    Country::new("IN", 91, 10, 10),
    Country::new("US", 1, 10, 10),
    Country::new("PK", 92, 10, 10),
    Country::new("AE", 971, 8, 9),
    Country::new("QA", 974, 8, 8),
    Country::new("SA", 966, 9, 9),
    Country::new("MY", 60, 8, 10),
    Country::new("AU", 61, 9, 9),
    Country::new("CA", 1, 10, 10),
    Country::new("SG", 65, 8, 8),
    Country::new("SN", 221, 9, 9),
];

/// The lengths of a number with its country code: the shortest in use, and the limit of E.164.
pub(crate) const INTERNATIONAL: std::ops::RangeInclusive<usize> = 8..=15;

/// India.
impl Default for Country {
    fn default() -> Self {
        COUNTRIES[0]
    }
}

text_serde!(Country);

impl FromStr for Country {
    type Err = CountryError;

    fn from_str(code: &str) -> Result<Self, CountryError> {
        let upper = code.to_ascii_uppercase();
        let known = COUNTRIES.iter().find(|country| country.code == upper);
        known.copied().or_else(|| from_library(&upper)).ok_or_else(|| CountryError(code.to_owned()))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl Country {
    const fn new(code: &'static str, calling_code: u16, shortest: usize, longest: usize) -> Self {
        Self { code, calling_code, shortest, longest }
    }

    /// The country code of its phone numbers, such as 91 for India.
    pub fn calling_code(self) -> u16 {
        self.calling_code
    }

    /// The countries that are known without the feature `phone`.
    #[cfg(not(feature = "phone"))]
    pub(crate) fn built_in() -> &'static [Self] {
        &COUNTRIES
    }

    /// The length of its longest national number.
    pub(crate) fn longest(self) -> usize {
        self.longest
    }

    /// A national number with its country code.
    pub(crate) fn international(self, national: &str) -> String {
        format!("{}{national}", self.calling_code)
    }

    /// Whether these digits can be a national number of the country.
    pub(crate) fn is_national(self, digits: &str) -> bool {
        (self.shortest..=self.longest).contains(&digits.len()) && !digits.starts_with('0')
    }
}

/// Looks up a country in the data of libphonenumber.
#[cfg(feature = "phone")]
fn from_library(code: &str) -> Option<Country> {
    use phonenumber::metadata::{DATABASE, Descriptor};

    // The library also has codes of three digits, for numbers that belong to no country.
    if code.len() != 2 {
        return None;
    }
    let data = DATABASE.by_id(code)?;
    let kinds = data.descriptors();
    let lengths =
        |kind: Option<&'static Descriptor>| kind.map_or(&[][..], Descriptor::possible_length);
    let general = kinds.general().possible_length();
    let fixed = lengths(kinds.fixed_line());
    // A kind without lengths of its own has the general ones. Some countries list no mobile
    // numbers.
    let mobile = [lengths(kinds.mobile()), general, fixed];
    let mobile = mobile.into_iter().find(|lengths| !lengths.is_empty())?;
    // Landline numbers can be longer than any mobile number. A number of that length is taken for
    // one with its country code.
    let longest = usize::from(*mobile.iter().max()?);
    let calling_code = data.country_code();
    // Some landline numbers are too short to be complete with the country code.
    let least = INTERNATIONAL.start() - calling_code.to_string().len();
    let fixed = fixed.iter().filter(|length| usize::from(**length) >= least);
    let shortest = mobile.iter().chain(fixed).min()?;
    Some(Country { code: data.id(), calling_code, shortest: usize::from(*shortest), longest })
}

#[cfg(not(feature = "phone"))]
fn from_library(_: &str) -> Option<Country> {
    None
}

/// The error for an unknown country code.
///
/// ```
/// use telecrm_core::Country;
///
/// let error = "XX".parse::<Country>().unwrap_err();
/// assert_eq!(error.to_string(), "unknown country code `XX`");
/// assert!(error.hint().is_some_and(|hint| hint.contains("IN")));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CountryError(String);

impl CountryError {
    /// What to do about the error.
    pub fn hint(&self) -> Option<String> {
        if cfg!(feature = "phone") {
            return Some("use an ISO 3166 code such as IN".to_owned());
        }
        let known = quoted(COUNTRIES.iter().map(|country| country.code));
        Some(format!("enable the feature `phone`, or use one of {known}"))
    }
}

/// `{}` is one sentence. `{:#}` adds the hint on a line of its own.
impl fmt::Display for CountryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown country code `{}`", self.0)?;
        write_hint(f, self.hint().as_deref())
    }
}

impl std::error::Error for CountryError {}
