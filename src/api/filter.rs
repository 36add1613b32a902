//! Days and months as people mean them: in a zone.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A period of time, both ends included, to the millisecond.
///
/// telecrm speaks in milliseconds and its users in days of their zone; at the edges of a month the difference between
/// India and UTC is five and a half hours of leads.
///
/// ```
/// use jiff::{civil::date, tz::TimeZone};
/// use telecrm::{Filter, Period};
///
/// let india = TimeZone::get("Asia/Kolkata")?;
/// let june = Period::month(2026, 6, &india)?;
/// assert_eq!(june.from.unwrap().to_string(), "2026-05-31T18:30:00Z");
/// assert_eq!(june.to.unwrap().to_string(), "2026-06-30T18:29:59.999Z");
///
/// let filter = Filter::new().within("created_on", june);
/// let today = Period::day(date(2026, 6, 1), &india)?;
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    /// The first millisecond, or open.
    pub from: Option<Timestamp>,
    /// The last millisecond, or open.
    pub to: Option<Timestamp>,
}

impl Period {
    /// One day in a zone.
    ///
    /// # Errors
    /// If the day is beyond what times can be.
    pub fn day(day: Date, zone: &TimeZone) -> Result<Self, jiff::Error> {
        Self::days(day, day, zone)
    }

    /// From one day to another, both included, in a zone.
    ///
    /// ```
    /// use jiff::{civil::date, tz::TimeZone};
    /// use telecrm::Period;
    ///
    /// let week = Period::days(date(2026, 6, 1), date(2026, 6, 7), &TimeZone::get("Asia/Kolkata")?)?;
    /// assert_eq!(week.from.unwrap().to_string(), "2026-05-31T18:30:00Z");
    /// # Ok::<(), jiff::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a day is beyond what times can be.
    pub fn days(first: Date, last: Date, zone: &TimeZone) -> Result<Self, jiff::Error> {
        let from = zone.to_timestamp(first.into())?;
        let after = zone.to_timestamp(last.tomorrow()?.into())?;
        let to = Timestamp::from_millisecond(after.as_millisecond() - 1)?;
        Ok(Self {
            from: Some(from),
            to: Some(to),
        })
    }

    /// One month in a zone.
    ///
    /// # Errors
    /// If there is no such month.
    pub fn month(year: i16, month: i8, zone: &TimeZone) -> Result<Self, jiff::Error> {
        let first = Date::new(year, month, 1)?;
        Self::days(first, first.last_of_month(), zone)
    }

    /// Everything from this moment on.
    ///
    /// ```
    /// use telecrm::{Filter, Period};
    ///
    /// let this_year = Period::since("2026-01-01T00:00:00+05:30".parse()?);
    /// let filter = Filter::new().within("created_on", this_year);
    /// assert_eq!(this_year.to, None);
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn since(from: Timestamp) -> Self {
        Self {
            from: Some(from),
            to: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn periods_follow_each_other_without_gap_or_overlap() {
        for zone in ["Asia/Kolkata", "Europe/Berlin", "America/Sao_Paulo", "UTC"] {
            let zone = TimeZone::get(zone).unwrap();
            for month in 1..12 {
                let this = Period::month(2026, month, &zone).unwrap();
                let next = Period::month(2026, month + 1, &zone).unwrap();
                let gap = next.from.unwrap().as_millisecond() - this.to.unwrap().as_millisecond();
                assert_eq!(gap, 1, "{zone:?} {month}");
            }
            let day = Period::day(date(2026, 2, 28), &zone).unwrap();
            assert_eq!(day.to, Period::month(2026, 2, &zone).unwrap().to);
        }
        assert!(Period::month(2026, 13, &TimeZone::UTC).is_err());
    }
}
