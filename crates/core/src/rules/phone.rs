//! What telecrm stores of a phone number, and its normal form.
//!
//! Documented: a number has a country code, with or without a leading `+`. telecrm adds the default
//! country to a number without a country code, and drops a number that is then too short. The
//! documentation does not say what telecrm knows about each country's numbers, so these rules judge
//! lengths only. Whether a number exists is a separate question, which libphonenumber answers if
//! the feature `phone` is enabled.

use super::field_outcome::{FieldOutcome, Note, drop_value};
use crate::country::INTERNATIONAL;
use crate::text::{describe, plain_symbols, trim};
use crate::workspace::{FieldType, PhoneBlanks};
use crate::{Certainty, Country, FieldValue, Workspace};
use std::borrow::Cow;

/// Why a number is not valid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PhoneError {
    /// It contains blanks, dashes or other characters that are not digits.
    Symbols,
    /// It is too short or too long, or starts with a zero.
    Implausible,
}

/// Checks the value of a phone field.
pub(super) fn accept_phone(workspace: &Workspace, text: Option<&str>) -> FieldOutcome {
    let Some(text) = text else {
        let hint = "write the number as a string";
        return drop_value(Certainty::Documented, "a phone number is a string", hint);
    };
    let digits = match workspace.phone_blanks() {
        PhoneBlanks::Strip => Cow::Owned(without_blanks(text)),
        PhoneBlanks::Refuse => Cow::Borrowed(text),
    };
    match normal_form(&digits, workspace.country()) {
        Ok(normal) if normal == text => FieldOutcome::keep(normal),
        Ok(normal) => {
            let reason = "stored as country code and number, digits only";
            FieldOutcome::change(normal, Note::documented("ID2", reason))
        }
        Err(PhoneError::Symbols) => {
            let mut reason =
                "a phone number consists of digits and an optional leading `+`".to_owned();
            let number = digits.strip_prefix('+').unwrap_or(&digits);
            if let Some(odd) = number.chars().find(|c| !c.is_ascii_digit()) {
                reason += &format!(", and this one contains {}", describe(odd));
            }
            let hint = "write only the digits, without blanks and dashes";
            drop_value(Certainty::Inferred, reason, hint)
        }
        Err(PhoneError::Implausible) => {
            // If the default country is unknown, the number can be valid there.
            let may_be_national = workspace.known_country().is_none() && may_be_national(&digits);
            let certainty =
                if may_be_national { Certainty::Inferred } else { Certainty::Documented };
            drop_value(
                certainty,
                "the phone number is valid neither with a country code nor in the default country",
                "write the number with its country code, such as +919999999999",
            )
        }
    }
}

/// The normal form of a number: country code and national number, digits only.
pub(crate) fn normal_form(text: &str, default: Country) -> Result<String, PhoneError> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let has_plus = digits.len() < text.len();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PhoneError::Symbols);
    }
    if !has_plus && default.is_national(digits) {
        return Ok(default.international(digits));
    }
    // Without a plus, only a number longer than any national one has a country code.
    let has_code = has_plus || digits.len() > default.longest();
    if has_code && INTERNATIONAL.contains(&digits.len()) && !digits.starts_with('0') {
        return Ok(digits.to_owned());
    }
    Err(PhoneError::Implausible)
}

/// Whether some country has numbers of about this length.
fn may_be_national(text: &str) -> bool {
    !text.starts_with('+') && INTERNATIONAL.contains(&text.len())
}

/// The number without blanks, dashes, brackets and invisible characters of any kind, and with
/// digits in ASCII.
fn without_blanks(text: &str) -> String {
    plain_symbols(text).chars().filter(|c| !is_separator(*c)).collect()
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '(' | ')')
}

/// The number without blanks, dashes, brackets and trunk prefix. Returns None if the text is
/// ambiguous: a point can end the number (`98765 43210.0`), a slash can start another one, and
/// `(0)` can be dialled or not.
pub(crate) fn tidy(text: &str) -> Option<String> {
    let text = plain_symbols(trim(text));
    let mut text = text.trim();
    // Exports of advertising platforms, links, and the mark that keeps a spreadsheet's cell text.
    for prefix in ["p:", "tel:", "'"] {
        text = text.strip_prefix(prefix).unwrap_or(text).trim_start();
    }
    let rest = text.strip_prefix('+').or_else(|| text.strip_prefix("(+")).unwrap_or(text);
    let known = |c: char| c.is_ascii_digit() || is_separator(c);
    if !rest.chars().all(known) || rest.contains("(0)") {
        return None;
    }
    let digits = without_blanks(rest);
    if rest.len() < text.len() {
        return Some(format!("+{digits}"));
    }
    Some(match digits.strip_prefix("00") {
        Some(international) => format!("+{international}"),
        None => digits.strip_prefix('0').unwrap_or(&digits).to_owned(),
    })
}

/// Whether a number with country code exists. Returns None without libphonenumber.
#[cfg(feature = "phone")]
pub(crate) fn exists(digits: &str) -> Option<bool> {
    // Only whole numbers with a plus: in a national number, the library takes a leading 91 for
    // India's country code even if it is part of the number, as in 91234 56789.
    let number = phonenumber::parse(None, format!("+{digits}"));
    // The library removes a trunk prefix, and telecrm does not.
    Some(number.is_ok_and(|number| number.is_valid() && to_digits(&number) == digits))
}

/// Whether a number with country code exists. Returns None without libphonenumber.
#[cfg(not(feature = "phone"))]
pub(crate) fn exists(_: &str) -> Option<bool> {
    None
}

#[cfg(feature = "phone")]
fn to_digits(number: &phonenumber::PhoneNumber) -> String {
    let e164 = number.format().mode(phonenumber::Mode::E164).to_string();
    e164.trim_start_matches('+').to_owned()
}

/// The number without the trunk prefix 0 after its country code. Returns None if it has none.
pub(crate) fn without_trunk_zero(digits: &str) -> Option<String> {
    let number = without_trunk_prefix(digits)?;
    let place = 1 + digits.get(1..)?.find('0').filter(|place| *place < 3)?;
    let has_one_zero_more = number == format!("{}{}", &digits[..place], &digits[place + 1..]);
    has_one_zero_more.then_some(number)
}

/// Keeps the zero where it is part of the number, as in Italy.
#[cfg(feature = "phone")]
fn without_trunk_prefix(digits: &str) -> Option<String> {
    let number = phonenumber::parse(None, format!("+{digits}")).ok()?;
    number.is_valid().then(|| to_digits(&number))
}

#[cfg(not(feature = "phone"))]
fn without_trunk_prefix(digits: &str) -> Option<String> {
    Country::built_in().iter().find_map(|country| {
        let national = digits.strip_prefix(&country.calling_code().to_string())?;
        let national = national.strip_prefix('0')?;
        country.is_national(national).then(|| country.international(national))
    })
}

/// Another existing number that these digits can stand for.
pub(super) fn other_reading(digits: &str, normal: &str, default: Country) -> Option<String> {
    let digits = digits.trim_start_matches('+');
    let national = digits.trim_start_matches('0');
    [digits.to_owned(), default.international(national)]
        .into_iter()
        .find(|reading| reading != normal && exists(reading) == Some(true))
}

impl Country {
    /// Whether these digits are a number of this country without its country code.
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
}

impl Workspace {
    /// Whether the default country of the workspace is not known, and this identifier is a phone
    /// number without a country code. Its [key](Self::identifier_key) can then be another person's.
    ///
    /// ```
    /// use telecrm_core::{Workspace, WorkspaceFile};
    ///
    /// let mut file = WorkspaceFile::sample();
    /// file.emulator.remove("defaultCountry");
    /// let workspace = Workspace::from_file(&file)?;
    /// assert!(workspace.assumes_country(&"9999999999".into()));
    /// assert!(!workspace.assumes_country(&"+919999999999".into()));
    /// assert!(!Workspace::sample().assumes_country(&"9999999999".into()));
    /// # Ok::<(), telecrm_core::workspace::WorkspaceError>(())
    /// ```
    pub fn assumes_country(&self, identifier: &FieldValue) -> bool {
        let field = self.field(self.identifier().api_name());
        let is_phone = field.is_some_and(|field| field.field_type == FieldType::Phone);
        let number = identifier.as_str().filter(|_| is_phone && self.known_country().is_none());
        number.is_some_and(|number| {
            number.bytes().all(|byte| byte.is_ascii_digit()) && self.country().is_national(number)
        })
    }

    /// The normal form of a phone number in any spelling: country code and number, digits only.
    ///
    /// Returns None if the text is ambiguous, or if the number is too short or too long for
    /// telecrm. With the feature `phone`, also returns None if no such number exists.
    ///
    /// ```
    /// use telecrm_core::Workspace;
    ///
    /// let workspace = Workspace::sample();
    /// for written in ["+91 99999-99999", "919999999999", "09999999999", "9999999999"] {
    ///     assert_eq!(workspace.normal_phone(written).as_deref(), Some("919999999999"));
    /// }
    /// assert_eq!(workspace.normal_phone("99999"), None);
    /// assert_eq!(workspace.normal_phone("99999-00017 / 18"), None);
    /// ```
    pub fn normal_phone(&self, written: &str) -> Option<String> {
        let normal = normal_form(&tidy(written)?, self.country()).ok()?;
        let normal = without_trunk_zero(&normal).unwrap_or(normal);
        (exists(&normal) != Some(false)).then_some(normal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "phone")]
    mod existence {
        use super::*;

        fn number_exists(digits: &str) {
            assert_eq!(exists(digits), Some(true));
        }

        cases! { number_exists:
            india("919999999999"),
            india_that_starts_like_its_code("919123456789"),
            united_states("12025550173"),
            emirates("971501234567"),
            singapore("6581234567"),
        }

        fn number_does_not_exist(digits: &str) {
            assert_eq!(exists(digits), Some(false));
        }

        cases! { number_does_not_exist:
            a_digit_short("91999999999"),
            far_too_short("9199999"),
            too_long("919999999990000"),
            with_trunk_prefix("9109999999999"),
            empty(""),
            a_letter("x"),
        }

        fn library_country_is_a_default(code: &str, national: &str, normal: &str) {
            let country = code.parse().expect("a country");
            assert_eq!(normal_form(national, country).as_deref(), Ok(normal));
            assert_eq!(normal_form(normal, country).as_deref(), Ok(normal));
        }

        cases! { library_country_is_a_default:
            united_kingdom("GB", "7400123456", "447400123456"),
            germany("de", "15123456789", "4915123456789"),
            nepal("NP", "9841234567", "9779841234567"),
            sri_lanka("LK", "712345678", "94712345678"),
            bangladesh("bd", "1812345678", "8801812345678"),
        }

        #[test]
        fn every_country_of_the_library_is_known() {
            for data in phonenumber::metadata::DATABASE.iter() {
                let is_country = data.id().len() == 2;
                let parsed = data.id().parse::<Country>();
                assert_eq!(parsed.is_ok(), is_country, "{}", data.id());
            }
        }
    }

    fn normal_phone(written: &str, expected: Option<&str>) {
        let normal = Workspace::sample().normal_phone(written);
        assert_eq!(normal.as_deref(), expected);
    }

    cases! { normal_phone:
        blanks_and_dashes("+91 99999-99999", Some("919999999999")),
        country_code("919999999999", Some("919999999999")),
        trunk_prefix("09999999999", Some("919999999999")),
        national("9999999999", Some("919999999999")),
        plus("+919999999999", Some("919999999999")),
        two_zeros("0091 99999 99999", Some("919999999999")),
        trunk_prefix_after_the_code("+91 09999 999999", Some("919999999999")),
        ambiguous_zero("(0) 99999 99999", None),
        national_that_starts_like_the_code("91234 56789", Some("919123456789")),
    }

    fn trunk_zero(digits: &str, expected: Option<&str>) {
        assert_eq!(without_trunk_zero(digits).as_deref(), expected);
    }

    cases! { trunk_zero:
        india("9109999999999", Some("919999999999")),
        emirates("9710501234567", Some("971501234567")),
        none("919999999999", None),
        zero_inside_the_number("919000000000", None),
        too_short("910999", None),
        empty("", None),
        part_of_the_number_in_italy("390669812345", None),
    }

    fn documented_spelling(text: &str) {
        let normal = normal_form(text, Country::default());
        assert_eq!(normal.as_deref(), Ok("919999999999"));
    }

    cases! { documented_spelling:
        plus("+919999999999"),
        country_code("919999999999"),
        national("9999999999"),
    }

    fn invalid(text: &str, expected: PhoneError) {
        assert_eq!(normal_form(text, Country::default()), Err(expected));
    }

    cases! { invalid:
        too_short("99999", PhoneError::Implausible),
        empty("", PhoneError::Implausible),
        only_a_plus("+", PhoneError::Implausible),
        trunk_prefix("09999999999", PhoneError::Implausible),
        too_long("1234567890123456", PhoneError::Implausible),
        blanks("+91 99999 99999", PhoneError::Symbols),
        dash("99999-99999", PhoneError::Symbols),
        devanagari_digits("९९९९९९९९९९", PhoneError::Symbols),
    }

    fn in_the_emirates(text: &str, expected: &str) {
        let emirates = "AE".parse().expect("a known country");
        assert_eq!(normal_form(text, emirates).as_deref(), Ok(expected));
    }

    cases! { in_the_emirates:
        national("501234567", "971501234567"),
        foreign("919999999999", "919999999999"),
    }

    fn tidies(written: &str, expected: &str) {
        assert_eq!(tidy(written).as_deref(), Some(expected));
    }

    cases! { tidies:
        blanks_and_dashes("+91 99999-99999", "+919999999999"),
        two_zeros("0091 99999 99999", "+919999999999"),
        trunk_prefix("099999 99999", "9999999999"),
        brackets("(99999) 99999", "9999999999"),
        plus_in_brackets("(+91) 99999 99999", "+919999999999"),
        dashes("99999\u{2011}99\u{2013}999", "9999999999"),
        narrow_blanks("99999\u{202f}99\u{2009}999", "9999999999"),
        devanagari_digits("९९९९९ ९९९९९", "9999999999"),
        fullwidth("＋９１（９９９９９）９９９９９", "+919999999999"),
        advertising_export("p:+919999999999", "+919999999999"),
        link("tel:+91-99999-99999", "+919999999999"),
        text_mark_of_a_spreadsheet("'+919999999999", "+919999999999"),
        direction_marks("\u{202a}+91 99999 99999\u{202c}", "+919999999999"),
        blanks_around(" 9999999999 ", "9999999999"),
    }

    fn ambiguous(written: &str) {
        assert_eq!(tidy(written), None);
    }

    cases! { ambiguous:
        words("call me"),
        spreadsheet_decimal("919999900001.0"),
        spreadsheet_exponent("9.876543210e9"),
        zero_in_brackets("+91 (0) 99999 00003"),
        zero_in_other_brackets("+91 （0） 99999 00003"),
        another_prefix("x:+919999999999"),
        british_zero_in_brackets("+44 (0)20 7946 0958"),
        two_numbers("99999-00017 / 18"),
        point_at_the_end("+91 98765 43210.1"),
        extension("99999 99999 ext 5"),
        plus_in_the_middle("99999+99999"),
    }
}
