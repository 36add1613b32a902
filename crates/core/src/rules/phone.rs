//! Which spellings of a phone number telecrm takes, and their normal form.
//!
//! Documented: country code and national number, a leading `+` or not; without a country code the
//! workspace's default is added; what is then too short is dropped. How much telecrm knows of each
//! country's numbers is not documented, so what it takes is judged by lengths only. Whether a number exists is another
//! question, which a library answers where the feature `phone` is on.

use crate::WorkspaceError;
use crate::text::{each_letter, is_unseen, list, texts, trim};
use std::fmt;
use std::str::FromStr;

/// A country whose national numbers can be told from international ones by their length. Read from its ISO 3166 code, in either case.
///
/// India and the countries of the currencies that telecrm takes are always known, all others with the feature `phone`.
///
/// ```
/// use telecrm_core::Country;
///
/// let emirates: Country = "ae".parse()?;
/// assert_eq!((emirates.to_string().as_str(), emirates.calling_code()), ("AE", 971));
/// assert_eq!(Country::default().to_string(), "IN");
/// assert!("XX".parse::<Country>().is_err());
/// # Ok::<(), telecrm_core::WorkspaceError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    code: &'static str,
    calling_code: u16,
    shortest: usize,
    longest: usize,
}

const fn country(
    code: &'static str,
    calling_code: u16,
    shortest: usize,
    longest: usize,
) -> Country {
    Country {
        code,
        calling_code,
        shortest,
        longest,
    }
}

/// India first, the default; then the countries of the currencies that telecrm takes. What is judged by them does not depend on
/// what the library knows.
const COUNTRIES: [Country; 11] = [
    country("IN", 91, 10, 10),
    country("US", 1, 10, 10),
    country("PK", 92, 10, 10),
    country("AE", 971, 8, 9),
    country("QA", 974, 8, 8),
    country("SA", 966, 9, 9),
    country("MY", 60, 8, 10),
    country("AU", 61, 9, 9),
    country("CA", 1, 10, 10),
    country("SG", 65, 8, 8),
    country("SN", 221, 9, 9),
];

/// India.
impl Default for Country {
    fn default() -> Self {
        COUNTRIES[0]
    }
}

impl FromStr for Country {
    type Err = WorkspaceError;

    fn from_str(code: &str) -> Result<Self, WorkspaceError> {
        let upper = code.to_ascii_uppercase();
        let known = COUNTRIES.iter().find(|country| country.code == upper);
        let known = known.copied().or_else(|| of_library(&upper));
        known.ok_or_else(|| {
            let known = match cfg!(feature = "phone") {
                true => "no country's ISO 3166 code, such as IN or AE".to_owned(),
                false => {
                    let known = list("not one of", "", &texts(&COUNTRIES, |known| known.code));
                    known.unwrap_or_default() + "; the feature `phone` knows all others"
                }
            };
            WorkspaceError::new("default country", &format!("{code:?} is {known}"))
        })
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// Any country that the library knows.
#[cfg(feature = "phone")]
fn of_library(code: &str) -> Option<Country> {
    // It has codes of three digits too, for numbers of no country.
    let data = phonenumber::metadata::DATABASE
        .by_id(code)
        .filter(|_| code.len() == 2)?;
    let kinds = data.descriptors();
    let lengths = |kind: Option<&'static phonenumber::metadata::Descriptor>| {
        kind.map_or(&[][..], |kind| kind.possible_length())
    };
    let (general, fixed) = (
        kinds.general().possible_length(),
        lengths(kinds.fixed_line()),
    );
    // What a kind does not say is as in general, and not everybody has mobile numbers.
    let mobile = [lengths(kinds.mobile()), general, fixed];
    let mobile = mobile.into_iter().find(|lengths| !lengths.is_empty())?;
    // Lines at home may be longer than any mobile number; what is as long as that has its country code.
    let longest = usize::from(*mobile.iter().max()?);
    let calling_code = data.country_code();
    // Nor are the shortest of them whole numbers with the country code.
    let least = INTERNATIONAL.start() - calling_code.to_string().len();
    let fixed = fixed.iter().filter(|length| usize::from(**length) >= least);
    let shortest = mobile.iter().chain(fixed).min()?;
    Some(Country {
        code: data.id(),
        calling_code,
        shortest: usize::from(*shortest),
        longest,
    })
}

#[cfg(not(feature = "phone"))]
fn of_library(_: &str) -> Option<Country> {
    None
}

impl Country {
    /// The code with which its numbers begin abroad: 91 for India.
    pub fn calling_code(self) -> u16 {
        self.calling_code
    }

    /// Whether these digits are a national number of this country, and none that has its country code.
    ///
    /// ```
    /// use telecrm_core::Country;
    ///
    /// let india = Country::default();
    /// assert!(india.is_without_code("9876543210"));
    /// assert!(!india.is_without_code("919876543210"));
    /// ```
    pub fn is_without_code(self, digits: &str) -> bool {
        self.is_national(digits) && exists(digits) != Some(true)
    }

    /// A national number with its country code.
    fn international(self, national: &str) -> String {
        format!("{}{national}", self.calling_code)
    }

    fn is_national(self, digits: &str) -> bool {
        (self.shortest..=self.longest).contains(&digits.len()) && !digits.starts_with('0')
    }
}

/// Why a spelling is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Blanks, dashes or anything else that is no digit.
    Symbols,
    /// Too short or too long, or led by a zero.
    Implausible,
}

/// The longest number that E.164 allows, and the shortest in use with its country code.
const INTERNATIONAL: std::ops::RangeInclusive<usize> = 8..=15;

/// The normal form: country code plus national number, digits only.
pub(crate) fn normal_form(text: &str, default: Country) -> Result<String, Refused> {
    let (digits, has_plus) = match text.strip_prefix('+') {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refused::Symbols);
    }
    if !has_plus && default.is_national(digits) {
        return Ok(default.international(digits));
    }
    // Without a plus, only a number too long to be a national one carries its country code.
    let long_enough = has_plus || digits.len() > default.longest;
    if long_enough && INTERNATIONAL.contains(&digits.len()) && !digits.starts_with('0') {
        return Ok(digits.to_owned());
    }
    Err(Refused::Implausible)
}

/// Whether these digits are about as many as some country's numbers have.
pub(crate) fn may_be_national(text: &str) -> bool {
    !text.starts_with('+') && INTERNATIONAL.contains(&text.len())
}

/// The number without the blanks, dashes and brackets that people write between the digits, and without what nobody sees.
pub(crate) fn without_blanks(text: &str) -> String {
    each_letter(text, |c| (!is_blank(c)).then_some(c))
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '-' | '(' | ')') || is_unseen(c)
}

/// The same number without the blanks, dashes and brackets that people write, and without what is dialled only within
/// a country. Nothing where it cannot be told what belongs to the number: a point may end it (`98765 43210.0`), a slash begin
/// another one, `(0)` be dialled or not.
pub(crate) fn tidy(text: &str) -> Option<String> {
    let text = trim(text);
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => ("+", rest),
        None => ("", text),
    };
    let known = |c: char| c.is_ascii_digit() || is_blank(c);
    if !rest.chars().all(known) || rest.contains("(0)") {
        return None;
    }
    let digits = without_blanks(rest);
    Some(match (sign, digits.strip_prefix("00")) {
        ("", Some(international)) => format!("+{international}"),
        ("", None) => digits.strip_prefix('0').unwrap_or(&digits).to_owned(),
        _ => format!("+{digits}"),
    })
}

/// Whether some country has this number, given as its country code and number; nothing without the library that knows.
///
/// The library is asked for whole numbers only: given a national one it takes a leading `91` for India's code,
/// also where it begins the number, as in 91234 56789.
pub(crate) fn exists(digits: &str) -> Option<bool> {
    #[cfg(feature = "phone")]
    {
        let number = phonenumber::parse(None, format!("+{digits}"));
        Some(number.is_ok_and(|number| {
            // What was dialled within a country is left out by the library, and would stay with telecrm.
            let same = number.format().mode(phonenumber::Mode::E164).to_string();
            number.is_valid() && same.strip_prefix('+') == Some(digits)
        }))
    }
    #[cfg(not(feature = "phone"))]
    {
        let _ = digits;
        None
    }
}

/// The number in the form in which telecrm stores it, if exactly one can be meant and there may be such a number.
pub(crate) fn one_form(text: &str, default: Country) -> Option<String> {
    let normal = normal_form(&tidy(text)?, default).ok()?;
    let normal = without_trunk_zero(&normal).unwrap_or(normal);
    (exists(&normal) != Some(false)).then_some(normal)
}

/// The number without the zero that is dialled before it only within its country, if these digits have one after the country code.
pub(crate) fn without_trunk_zero(digits: &str) -> Option<String> {
    #[cfg(feature = "phone")]
    let number = {
        let number = phonenumber::parse(None, format!("+{digits}")).ok()?;
        // Where the zero belongs to the number, as in Italy, the library keeps it.
        let number = number.is_valid().then_some(number)?;
        let number = number.format().mode(phonenumber::Mode::E164).to_string();
        number.trim_start_matches('+').to_owned()
    };
    #[cfg(not(feature = "phone"))]
    let number = COUNTRIES.iter().find_map(|country| {
        let national = digits.strip_prefix(&country.calling_code.to_string())?;
        let national = national.strip_prefix('0')?;
        country
            .is_national(national)
            .then(|| country.international(national))
    })?;
    let place = 1 + digits.get(1..)?.find('0').filter(|place| *place < 3)?;
    let has_one_more = number == format!("{}{}", &digits[..place], &digits[place + 1..]);
    has_one_more.then_some(number)
}

/// Another number that these digits may stand for, and that exists.
pub(crate) fn other_reading(digits: &str, normal: &str, default: Country) -> Option<String> {
    let digits = digits.trim_start_matches('+');
    let other =
        |reading: String| (reading != normal && exists(&reading) == Some(true)).then_some(reading);
    other(digits.to_owned())
        .or_else(|| other(default.international(digits.trim_start_matches('0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "phone")]
    #[test]
    fn a_number_is_judged_with_its_country_code() {
        for digits in [
            "919999999999",
            "919123456789",
            "12025550173",
            "971501234567",
            "6581234567",
        ] {
            assert_eq!(exists(digits), Some(true), "{digits}");
        }
        for digits in [
            "91999999999",
            "9199999",
            "919999999990000",
            "9109999999999",
            "",
            "x",
        ] {
            assert_eq!(exists(digits), Some(false), "{digits}");
        }
    }

    #[test]
    fn every_spelling_has_one_form() {
        for written in [
            "+91 99999-99999",
            "919999999999",
            "09999999999",
            "9999999999",
            "+919999999999",
            "0091 99999 99999",
            "+91 09999 999999",
            "(0) 99999 99999",
        ] {
            let expected = (!written.contains("(0)")).then(|| "919999999999".to_owned());
            assert_eq!(one_form(written, Country::default()), expected, "{written}");
        }
        // Begins like the country code, and is a national number all the same.
        assert_eq!(
            one_form("91234 56789", Country::default()).as_deref(),
            Some("919123456789")
        );
    }

    #[test]
    fn a_zero_after_the_country_code_is_dialled_only_at_home() {
        for (digits, number) in [
            ("9109999999999", Some("919999999999")),
            ("9710501234567", Some("971501234567")),
            ("919999999999", None),
            ("919000000000", None),
            ("910999", None),
            ("", None),
        ] {
            assert_eq!(without_trunk_zero(digits).as_deref(), number, "{digits}");
        }
        // A landline of Rome begins with its zero abroad as well.
        assert_eq!(without_trunk_zero("390669812345"), None);
    }

    #[cfg(feature = "phone")]
    #[test]
    fn every_country_of_the_library_can_be_the_default() {
        for (code, national, normal) in [
            ("GB", "7400123456", "447400123456"),
            ("de", "15123456789", "4915123456789"),
            ("NP", "9841234567", "9779841234567"),
            ("LK", "712345678", "94712345678"),
            ("bd", "1812345678", "8801812345678"),
        ] {
            let country = code.parse().expect("a country");
            assert_eq!(
                normal_form(national, country).as_deref(),
                Ok(normal),
                "{code}"
            );
            assert_eq!(
                normal_form(normal, country).as_deref(),
                Ok(normal),
                "{code}"
            );
        }
        for data in phonenumber::metadata::DATABASE.iter() {
            let is_country = data.id().len() == 2;
            assert_eq!(
                data.id().parse::<Country>().is_ok(),
                is_country,
                "{}",
                data.id()
            );
        }
    }

    #[test]
    fn documented_spellings_have_one_normal_form() {
        for text in ["+919999999999", "919999999999", "9999999999"] {
            assert_eq!(
                normal_form(text, Country::default()).as_deref(),
                Ok("919999999999")
            );
        }
    }

    #[test]
    fn what_is_not_a_plausible_number_is_refused() {
        for text in ["99999", "", "+", "09999999999", "1234567890123456"] {
            assert_eq!(
                normal_form(text, Country::default()),
                Err(Refused::Implausible),
                "{text}"
            );
        }
        for text in ["+91 99999 99999", "99999-99999", "९९९९९९९९९९"] {
            assert_eq!(
                normal_form(text, Country::default()),
                Err(Refused::Symbols),
                "{text}"
            );
        }
    }

    #[test]
    fn the_default_country_decides_what_is_national() {
        let uae = "AE".parse().expect("a known country");
        assert_eq!(normal_form("501234567", uae).as_deref(), Ok("971501234567"));
        assert_eq!(
            normal_form("919999999999", uae).as_deref(),
            Ok("919999999999")
        );
    }

    #[test]
    fn tidying_keeps_the_digits_and_the_plus() {
        for (written, tidied) in [
            ("+91 99999-99999", "+919999999999"),
            ("0091 99999 99999", "+919999999999"),
            ("099999 99999", "9999999999"),
            ("(99999) 99999", "9999999999"),
            (" 9999999999 ", "9999999999"),
        ] {
            assert_eq!(tidy(written).as_deref(), Some(tidied), "{written}");
        }
    }

    #[test]
    fn what_may_be_two_numbers_is_left_alone() {
        for written in [
            "call me",
            "919999900001.0",
            "9.876543210e9",
            "+91 (0) 99999 00003",
            "+44 (0)20 7946 0958",
            "99999-00017 / 18",
            "+91 98765 43210.1",
            "99999 99999 ext 5",
            "99999+99999",
        ] {
            assert_eq!(tidy(written), None, "{written}");
        }
    }
}
