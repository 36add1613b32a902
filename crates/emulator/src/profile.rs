//! Where sources disagree about what telecrm answers: which of them the emulator follows.

use std::collections::BTreeMap;
use std::fmt;

/// Defines the switches: for each the name, the values (that of the documentation first) and the one
/// of the profile `reported`.
macro_rules! switches {
    ($(
        $(#[doc = $doc:literal])*
        $field:ident: $switch:ident = $name:literal {
            $($(#[$value_doc:meta])* $value:ident = $text:literal,)+
        } reported $reported:ident;
    )+) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
            #[non_exhaustive]
            pub enum $switch {
                $($(#[$value_doc])* $value,)+
            }

            impl $switch {
                const VALUES: &'static [(&'static str, Self)] = &[$(($text, Self::$value)),+];
            }
        )+

        /// How the emulator answers where sources disagree: a profile, and switches to differ from it.
        ///
        /// ```
        /// use telecrm_emulator::{AsyncAnswer, Profile};
        ///
        /// let mut profile = Profile::reported();
        /// profile.async_answer = AsyncAnswer::Ok;
        /// assert_eq!(profile, Profile::reported().with("async-answer", "ok")?);
        /// # Ok::<(), telecrm_emulator::SwitchError>(())
        /// ```
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Profile {
            $($(#[doc = $doc])* pub $field: $switch,)+
        }

        impl Profile {
            /// What the vendor's documentation says. The default.
            pub fn documented() -> Self {
                Self::default()
            }

            /// What users of the live service report.
            pub fn reported() -> Self {
                Self { $($field: $switch::$reported,)+ }
            }

            /// Sets a switch by its name.
            ///
            /// # Errors
            /// If there is no such switch, or it has no such value; the error lists what there is.
            pub fn with(mut self, name: &str, value: &str) -> Result<Self, SwitchError> {
                match name {
                    $($name => self.$field = choose(name, value, $switch::VALUES)?,)+
                    _ => return Err(SwitchError::new("switch", name, Self::switches().iter().map(|(name, _)| *name))),
                }
                Ok(self)
            }

            /// The names of all switches, each with the value that it has.
            ///
            /// ```
            /// use telecrm_emulator::Profile;
            ///
            /// assert_eq!(Profile::reported().values()["lead-attributes"], "row");
            /// ```
            pub fn values(&self) -> BTreeMap<&'static str, &'static str> {
                BTreeMap::from([$(($name, name_of(self.$field, $switch::VALUES))),+])
            }

            /// What a switch is about.
            #[cfg(feature = "web")]
            pub(crate) fn about(name: &str) -> Option<&'static str> {
                match name {
                    $($name => Some(concat!($($doc),*)),)+
                    _ => None,
                }
            }

            /// The names of all switches, each with its values, that of the documentation first.
            pub fn switches() -> Vec<(&'static str, Vec<&'static str>)> {
                vec![$(($name, vec![$($text),+])),+]
            }
        }
    };
}

switches! {
    /// Whether rows of a search carry the lead's ID (pitfall LE7). The documentation says both.
    search_ids: SearchIds = "search-ids" {
        /// They do, as reported.
        #[default]
        Yes = "yes",
        /// They hold nothing but `fields`, as in the documentation's example.
        No = "no",
    } reported Yes;

    /// Where rows of a search carry status, rating and assignee (pitfall LE11).
    lead_attributes: LeadAttributes = "lead-attributes" {
        /// Inside `fields`, as documented.
        #[default]
        Fields = "fields",
        /// Beside `fields`, with `employeeid` for the assignee, as reported.
        Row = "row",
        /// In both places.
        Both = "both",
    } reported Row;

    /// How the codes of custom actions read back.
    action_codes: ActionCodes = "action-codes" {
        /// `1001`, as documented.
        #[default]
        Bare = "bare",
        /// `ACTION_1001`, as reported.
        Prefixed = "prefixed",
    } reported Prefixed;

    /// What becomes of `ACTION_1001` as the type of an action that is created (pitfall AC2).
    prefixed_types: PrefixedTypes = "prefixed-types" {
        /// The entry is ignored, with a remark.
        #[default]
        Ignored = "ignored",
        /// The whole request is refused with 400.
        Refused = "refused",
    } reported Ignored;

    /// How the pipeline is told.
    pipeline: PipelineShape = "pipeline" {
        /// As the workspace file has it, usually `leadStages` as documented.
        #[default]
        Stages = "stages",
        /// `statuses` and `lostReasons` at the top, as reported.
        Flat = "flat",
    } reported Flat;

    /// What a search by assignee together with several statuses answers (pitfall LE10).
    assignee_and_statuses: AssigneeAndStatuses = "assignee-and-statuses" {
        /// The leads.
        #[default]
        Found = "found",
        /// 500, as reported.
        Fails = "fails",
    } reported Fails;

    /// What the Async API answers when it has taken a lead.
    async_answer: AsyncAnswer = "async-answer" {
        /// `{"status":"QUEUED"}`, as documented.
        #[default]
        Queued = "queued",
        /// The plain text `OK`, as reported.
        Ok = "ok",
        /// 204 without a body, as reported.
        NoContent = "204",
        /// A web page, as reported.
        Html = "html",
    } reported Queued;

    /// What the Async API makes of `SYSTEM_NOTE`, which clients have posted for years (pitfall AS7).
    system_notes: SystemNotes = "system-notes" {
        /// Drops it, as everything that is neither a payment nor a custom action.
        #[default]
        Dropped = "dropped",
        /// Puts it into the timeline.
        Kept = "kept",
    } reported Dropped;

    /// What the metadata operations answer to an unknown enterprise; all others answer 401.
    unknown_enterprise: UnknownEnterprise = "unknown-enterprise" {
        /// 401, as for a bad token (pitfall EN7).
        #[default]
        NotAuthorized = "401",
        /// 404 `ENTERPRISE_NOT_FOUND`.
        NotFound = "404",
    } reported NotAuthorized;

    /// What a change of state answers to an address that nobody has.
    unknown_member: UnknownMember = "unknown-member" {
        /// 404, as the documented pitfall says (TM4).
        #[default]
        NotFound = "404",
        /// 400, since the operation's page lists no 404.
        BadRequest = "400",
    } reported NotFound;

    /// What becomes of phone numbers with blanks, dashes or brackets.
    phone_blanks: PhoneBlanks = "phone-blanks" {
        /// They are not numbers.
        #[default]
        Refused = "refused",
        /// Such characters are left out.
        Stripped = "stripped",
    } reported Refused;

    /// Whether a filter compares status labels with case (pitfall LE6).
    status_case: StatusCase = "status-case" {
        /// With case, as the documented pitfall says.
        #[default]
        Matters = "matters",
        /// Without, as the documentation says of searches in general.
        Ignored = "ignored",
    } reported Matters;

    /// What an update does with a label that the pipeline lacks (pitfall LE8).
    unknown_labels: UnknownLabels = "unknown-labels" {
        /// Drops it, and writes the rest.
        #[default]
        Dropped = "dropped",
        /// Refuses the update with 400.
        Refused = "refused",
    } reported Dropped;

    /// What a creation does with a lead's value that does not fit its field.
    bad_values: BadValues = "bad-values" {
        /// Leaves it out, and says so in `remarks`.
        #[default]
        Remarked = "remarked",
        /// Refuses the lead with 400 `VALIDATION_ERROR`.
        Refused = "refused",
    } reported Remarked;

    /// What the search of a timeline takes for a performer (pitfall AC7).
    performers: Performers = "performers" {
        /// An address, or the `id` that the seed gives a team member.
        #[default]
        Any = "any",
        /// The `id` only, as the operation's page says.
        Ids = "ids",
    } reported Any;

    /// How the answer to a new team member spells that an invitation is out (pitfall TM7).
    invited: Invited = "invited" {
        /// `INVITED`, as the operation's page shows.
        #[default]
        Upper = "INVITED",
        /// `Invited`, as the list does.
        Title = "Invited",
    } reported Upper;

    /// What `leadIdentifierFieldId` holds (pitfall EN6).
    identifier_field: IdentifierField = "identifier-field" {
        /// What the workspace file says.
        #[default]
        AsSeeded = "as-seeded",
        /// The field's ID, where it has one.
        Id = "id",
        /// The field's API name.
        ApiName = "api-name",
    } reported AsSeeded;
}

impl Profile {
    /// `documented` or `reported`.
    ///
    /// ```
    /// use telecrm_emulator::Profile;
    ///
    /// assert_eq!(Profile::named("reported")?, Profile::reported());
    /// assert!(Profile::named("imagined").is_err());
    /// # Ok::<(), telecrm_emulator::SwitchError>(())
    /// ```
    ///
    /// # Errors
    /// If it is neither.
    pub fn named(name: &str) -> Result<Self, SwitchError> {
        match name {
            "documented" => Ok(Self::documented()),
            "reported" => Ok(Self::reported()),
            _ => Err(SwitchError::new(
                "profile",
                name,
                ["documented", "reported"],
            )),
        }
    }
}

fn name_of<T: PartialEq>(value: T, values: &[(&'static str, T)]) -> &'static str {
    let mut values = values.iter();
    values
        .find(|(_, other)| *other == value)
        .map_or("", |(name, _)| name)
}

fn choose<T: Copy>(
    name: &str,
    value: &str,
    values: &[(&'static str, T)],
) -> Result<T, SwitchError> {
    let chosen = values.iter().find(|(text, _)| *text == value);
    chosen.map(|(_, choice)| *choice).ok_or_else(|| {
        SwitchError::new(
            &format!("value of {name}"),
            value,
            values.iter().map(|(text, _)| *text),
        )
    })
}

/// A profile, a switch or a value of one that does not exist. It names those that do.
///
/// ```
/// use telecrm_emulator::Profile;
///
/// let error = Profile::documented().with("async-answer", "maybe").unwrap_err();
/// assert!(error.to_string().contains("queued"), "{error}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchError(String);

impl SwitchError {
    fn new<'a>(what: &str, given: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<_> = known.into_iter().collect();
        Self(format!(
            "{given:?} is no {what}; choose from {}",
            known.join(", ")
        ))
    }
}

impl fmt::Display for SwitchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SwitchError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_of_each_switch_is_the_default() {
        for (name, values) in Profile::switches() {
            let first = Profile::documented().with(name, values[0]);
            assert_eq!(first, Ok(Profile::documented()), "{name}");
            for value in &values[1..] {
                let other = Profile::documented().with(name, value).expect(name);
                assert_ne!(other, Profile::documented(), "{name}={value}");
            }
        }
    }

    #[test]
    fn errors_name_what_there_is() {
        let error = Profile::documented()
            .with("async-answer", "yes")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            r#""yes" is no value of async-answer; choose from queued, ok, 204, html"#
        );
        let error = Profile::documented().with("search", "yes").unwrap_err();
        assert!(
            error.to_string().contains("search-ids, lead-attributes"),
            "{error}"
        );
        assert!(Profile::named("live").is_err());
    }
}
