//! The profile: how the emulator answers where sources disagree about telecrm.

use crate::problem::{Problem, impl_error};
use std::collections::BTreeMap;

/// Defines the switches. Each has a name, its values (that of the documentation first), and the
/// value in the profile `reported`.
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

        /// How the emulator answers where sources disagree about telecrm. Each field is a switch.
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
            /// Answers as the vendor's documentation says. This is the default.
            pub fn documented() -> Self {
                Self::default()
            }

            /// Answers as users of the live service report.
            pub fn reported() -> Self {
                Self { $($field: $switch::$reported,)+ }
            }

            /// Sets a switch by its name.
            ///
            /// # Errors
            /// Returns an error that lists the valid names if the switch or the value is unknown.
            pub fn with(mut self, name: &str, value: &str) -> Result<Self, SwitchError> {
                match name {
                    $($name => self.$field = choose(name, value, $switch::VALUES)?,)+
                    _ => {
                        let known = Self::switches().into_iter().map(|(name, _)| name);
                        return Err(SwitchError::new(format!("unknown switch `{name}`"), known));
                    }
                }
                Ok(self)
            }

            /// The names of all switches with their current values.
            ///
            /// ```
            /// use telecrm_emulator::Profile;
            ///
            /// assert_eq!(Profile::reported().values()["lead-attributes"], "row");
            /// ```
            pub fn values(&self) -> BTreeMap<&'static str, &'static str> {
                BTreeMap::from([$(($name, name_of(self.$field, $switch::VALUES))),+])
            }

            /// The documentation of a switch.
            #[cfg(feature = "web")]
            pub(crate) fn about(name: &str) -> Option<&'static str> {
                match name {
                    $($name => Some(concat!($($doc),*)),)+
                    _ => None,
                }
            }

            /// The names of all switches with their possible values, that of the documentation
            /// first.
            pub fn switches() -> Vec<(&'static str, Vec<&'static str>)> {
                vec![$(($name, vec![$($text),+])),+]
            }
        }
    };
}

switches! {
    /// Whether rows of a search have the lead's ID (pitfall LE7). The documentation contradicts
    /// itself.
    search_ids: SearchIds = "search-ids" {
        /// They have it, as reported.
        #[default]
        Yes = "yes",
        /// They have only `fields`, as in the documentation's example.
        No = "no",
    } reported Yes;

    /// Where rows of a search have status, rating and assignee (pitfall LE11).
    lead_attributes: LeadAttributes = "lead-attributes" {
        /// Inside `fields`, as documented.
        #[default]
        Fields = "fields",
        /// At the top level, with `employeeid` for the assignee, as reported.
        Row = "row",
        /// In both places.
        Both = "both",
    } reported Row;

    /// How answers write the codes of custom actions.
    action_codes: ActionCodes = "action-codes" {
        /// `1001`, as documented.
        #[default]
        Bare = "bare",
        /// `ACTION_1001`, as reported.
        Prefixed = "prefixed",
    } reported Prefixed;

    /// What happens to a new action whose type is written as `ACTION_1001` (pitfall AC2).
    prefixed_types: PrefixedTypes = "prefixed-types" {
        /// telecrm ignores the action, with a remark.
        #[default]
        Ignored = "ignored",
        /// telecrm refuses the whole request with 400.
        Refused = "refused",
    } reported Ignored;

    /// The shape of the pipeline.
    pipeline: PipelineShape = "pipeline" {
        /// That of the workspace file, usually `leadStages` as documented.
        #[default]
        Stages = "stages",
        /// `statuses` and `lostReasons` at the top level, as reported.
        Flat = "flat",
    } reported Flat;

    /// What a search for an assignee with several statuses returns (pitfall LE10).
    assignee_and_statuses: AssigneeAndStatuses = "assignee-and-statuses" {
        /// The leads.
        #[default]
        Found = "found",
        /// 500, as reported.
        Fails = "fails",
    } reported Fails;

    /// What the Async API answers when it has accepted a lead.
    async_answer: AsyncAnswer = "async-answer" {
        /// `{"status":"QUEUED"}`, as documented.
        #[default]
        Queued = "queued",
        /// The plain text `OK`, as reported.
        Ok = "ok",
        /// `{"result":"Accepted"}`, as reported.
        Accepted = "accepted",
        /// 204 without a body, as reported.
        NoContent = "204",
        /// A web page, as reported.
        Html = "html",
        /// The lead's ID and the outcome, as the older host answers. The lead is stored first.
        Legacy = "legacy",
    } reported Ok;

    /// Which keys name a field in the Async API (pitfall AS6). Only API names are documented. One
    /// user has observed that telecrm matched the label `Status`, and others rely on labels.
    keys: Keys = "keys" {
        /// Only the API name.
        #[default]
        Exact = "exact",
        /// The API name in any case.
        Case = "case",
        /// The label too, and any case, blanks and `_`.
        Label = "label",
    } reported Label;

    /// What the Async API does with a status that the pipeline lacks (pitfall LE8). The
    /// documentation drops it. One user reports a visible trace.
    unknown_status: UnknownStatus = "unknown-status" {
        /// Drops it silently.
        #[default]
        Dropped = "dropped",
        /// Drops it, and adds the note `No matched status for …` to the timeline.
        Noted = "noted",
    } reported Noted;

    /// Whether leads show fields that telecrm computes, such as `calls_count` and
    /// `call_connection_rate_(%)`. The documentation has none, and users report them.
    computed_fields: ComputedFields = "computed-fields" {
        /// They do not.
        #[default]
        Hidden = "hidden",
        /// They do.
        Shown = "shown",
    } reported Shown;

    /// What the Async API does with a `SYSTEM_NOTE`, which clients have posted for years (pitfall
    /// AS7).
    system_notes: SystemNotes = "system-notes" {
        /// Drops it, as all actions except payments and custom actions.
        #[default]
        Dropped = "dropped",
        /// Adds it to the timeline.
        Kept = "kept",
    } reported Kept;

    /// What the workspace operations answer to an unknown enterprise. All others answer 401.
    unknown_enterprise: UnknownEnterprise = "unknown-enterprise" {
        /// 401, as for a bad token (pitfall EN7).
        #[default]
        NotAuthorized = "401",
        /// 404 `ENTERPRISE_NOT_FOUND`.
        NotFound = "404",
    } reported NotAuthorized;

    /// What a change of availability answers to an unknown email address.
    unknown_member: UnknownMember = "unknown-member" {
        /// 404, as documented elsewhere (pitfall TM4).
        #[default]
        NotFound = "404",
        /// 400, since the page of the operation lists no 404.
        BadRequest = "400",
    } reported NotFound;

    /// What happens to phone numbers with blanks, dashes or brackets.
    phone_blanks: PhoneBlanks = "phone-blanks" {
        /// telecrm rejects them.
        #[default]
        Refused = "refused",
        /// telecrm removes these characters.
        Stripped = "stripped",
    } reported Refused;

    /// Whether a filter for a status is case-sensitive (pitfall LE6).
    status_case: StatusCase = "status-case" {
        /// Case-sensitive, as documented for statuses.
        #[default]
        Matters = "matters",
        /// Case-insensitive, as documented for searches in general.
        Ignored = "ignored",
    } reported Matters;

    /// What an update does with a status or lost reason that the pipeline lacks (pitfall LE8).
    unknown_labels: UnknownLabels = "unknown-labels" {
        /// Drops it, and writes the other fields.
        #[default]
        Dropped = "dropped",
        /// Refuses the update with 400.
        Refused = "refused",
    } reported Dropped;

    /// What the creation of a lead does with a value that does not fit its field.
    bad_values: BadValues = "bad-values" {
        /// Drops it, with a remark.
        #[default]
        Remarked = "remarked",
        /// Refuses the lead with 400 `VALIDATION_ERROR`.
        Refused = "refused",
    } reported Remarked;

    /// How a search of a timeline names a performer (pitfall AC7).
    performers: Performers = "performers" {
        /// By the email address, or by the team member's `id` in the seed.
        #[default]
        Any = "any",
        /// Only by the `id`, as the page of the operation says.
        Ids = "ids",
    } reported Any;

    /// How the answer to the creation of a team member spells the status of an invited member
    /// (pitfall TM7).
    invited: Invited = "invited" {
        /// `INVITED`, as the page of the operation shows.
        #[default]
        Upper = "INVITED",
        /// `Invited`, as in the list.
        Title = "Invited",
    } reported Upper;

    /// The value of `leadIdentifierFieldId` (pitfall EN6).
    identifier_field: IdentifierField = "identifier-field" {
        /// That of the workspace file.
        #[default]
        AsSeeded = "as-seeded",
        /// The field's ID, if it has one.
        Id = "id",
        /// The field's API name.
        ApiName = "api-name",
    } reported AsSeeded;
}

impl Profile {
    /// The profile with this name: `documented` or `reported`.
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
    /// Returns an error for any other name.
    pub fn named(name: &str) -> Result<Self, SwitchError> {
        match name {
            "documented" => Ok(Self::documented()),
            "reported" => Ok(Self::reported()),
            _ => Err(SwitchError::new(
                format!("unknown profile `{name}`"),
                ["documented", "reported"],
            )),
        }
    }
}

fn name_of<T: PartialEq>(value: T, values: &[(&'static str, T)]) -> &'static str {
    let mut values = values.iter();
    values.find(|(_, other)| *other == value).map_or("", |(name, _)| name)
}

fn choose<T: Copy>(
    name: &str,
    value: &str,
    values: &[(&'static str, T)],
) -> Result<T, SwitchError> {
    let chosen = values.iter().find(|(text, _)| *text == value);
    chosen.map(|(_, choice)| *choice).ok_or_else(|| {
        SwitchError::new(
            format!("unknown value `{value}` of the switch {name}"),
            values.iter().map(|(text, _)| *text),
        )
    })
}

/// An error for an unknown profile, switch or value. It lists the known ones.
///
/// ```
/// use telecrm_emulator::Profile;
///
/// let error = Profile::documented().with("async-answer", "maybe").unwrap_err();
/// assert_eq!(error.hint(), Some("choose from queued, ok, accepted, 204, html, legacy"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchError(Problem);

impl SwitchError {
    fn new<'a>(message: String, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<_> = known.into_iter().collect();
        let problem = Problem::new(message);
        Self(problem.hint(format!("choose from {}", known.join(", "))))
    }
}

impl_error!(SwitchError);

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
    fn an_unknown_value_lists_the_known_values() {
        let error = Profile::documented().with("async-answer", "yes").unwrap_err();
        assert_eq!(error.to_string(), "unknown value `yes` of the switch async-answer");
        assert_eq!(error.hint(), Some("choose from queued, ok, accepted, 204, html, legacy"));
    }

    #[test]
    fn an_unknown_switch_lists_the_known_switches() {
        let error = Profile::documented().with("search", "yes").unwrap_err();
        let hint = error.hint().expect("a hint");
        assert!(hint.contains("search-ids, lead-attributes"), "{hint}");
    }

    #[test]
    fn an_unknown_profile_is_an_error() {
        assert!(Profile::named("live").is_err());
    }
}
