//! Which spellings of a phone number telecrm takes, and their normal form.
//!
//! Documented: country code and national number, a leading `+` or not; without a country code the
//! workspace's default is added; what is then too short is dropped. How much telecrm knows of each
//! country's numbers is not documented, so only lengths are judged here.

/// A country whose national numbers can be told from international ones by their length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Country {
    code: &'static str,
    calling_code: &'static str,
    shortest: usize,
    longest: usize,
}

const fn country(
    code: &'static str,
    calling_code: &'static str,
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

/// India first, the default; then the countries of the currencies that telecrm takes.
const COUNTRIES: [Country; 11] = [
    country("IN", "91", 10, 10),
    country("US", "1", 10, 10),
    country("PK", "92", 10, 10),
    country("AE", "971", 8, 9),
    country("QA", "974", 8, 8),
    country("SA", "966", 9, 9),
    country("MY", "60", 8, 10),
    country("AU", "61", 9, 9),
    country("CA", "1", 10, 10),
    country("SG", "65", 8, 8),
    country("SN", "221", 9, 9),
];

impl Default for Country {
    fn default() -> Self {
        COUNTRIES[0]
    }
}

impl Country {
    /// The country with this ISO 3166 code.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        COUNTRIES.into_iter().find(|country| country.code == code)
    }

    /// The codes that [`Self::from_code`] knows.
    pub(crate) fn codes() -> String {
        COUNTRIES.map(|country| country.code).join(", ")
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
        return Ok(format!("{}{digits}", default.calling_code));
    }
    // Without a plus, only a number too long to be a national one carries its country code.
    let long_enough = has_plus || digits.len() > default.longest;
    if long_enough && INTERNATIONAL.contains(&digits.len()) && !digits.starts_with('0') {
        return Ok(digits.to_owned());
    }
    Err(Refused::Implausible)
}

/// The same number without the blanks, dashes and brackets that people write, and without what is dialled only within
/// a country. Nothing where it cannot be told what belongs to the number: a point may end it (`98765 43210.0`), a slash begin
/// another one, `(0)` be dialled or not.
pub(crate) fn tidy(text: &str) -> Option<String> {
    let text = text.trim();
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => ("+", rest),
        None => ("", text),
    };
    let known = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '\u{a0}' | '-' | '(' | ')');
    if !rest.chars().all(known) || rest.contains("(0)") {
        return None;
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    Some(match (sign, digits.strip_prefix("00")) {
        ("", Some(international)) => format!("+{international}"),
        ("", None) => digits.strip_prefix('0').unwrap_or(&digits).to_owned(),
        _ => format!("+{digits}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let uae = Country::from_code("AE").expect("a known country");
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
