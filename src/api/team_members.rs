//! Team members, over the Sync API.

use super::list::{List, wrong_list};
use crate::handle::Handle;
use crate::pagination::Place;
use crate::pagination::cursor::Cursor;
use crate::pagination::time_window::{PageSource, TimeWindow, TimeWindowPager};
use crate::raw::generated::sync::{parameters, types};
use crate::transport::write_order::Target;
use crate::{Error, Items, Operation, PageRequest};
use std::fmt;
use telecrm_core::response::{Availability, Page, TeamMember, TeamMemberRole};

/// Team members, over the Sync API. From [`Telecrm::team_members`](crate::Telecrm::team_members).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let telecrm = emulator.client();
/// use telecrm::{NewTeamMember, PageRequest};
/// use telecrm::response::{Availability, TeamMemberRole, TeamMemberStatus};
///
/// let team = telecrm.team_members();
/// let page = team.list(PageRequest { skip: 0, limit: 10 }).await?;
/// assert_eq!(page.total_count, 2);
///
/// let jane = team.get("jane.doe@example.com").await?;
/// assert_eq!(jane.name(), Some("Jane Doe"));
/// let jane = team.set_availability("jane.doe@example.com", Availability::OnLeave).await?;
/// assert_eq!(jane.status(), Some(TeamMemberStatus::OnLeave));
///
/// let role = TeamMemberRole::Caller;
/// let ravi = NewTeamMember::new("Ravi Kumar", "ravi@example.com", "919876501234", role)
///     .password("until-the-first-login");
/// team.create(&ravi).await?;
/// let everybody = team.with_deleted().stream().collect().await?;
/// assert_eq!(everybody.len(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TeamMembers {
    pub(crate) handle: Handle,
    pub(crate) with_deleted: bool,
}

/// A team member to create.
///
/// ```
/// use telecrm::{NewTeamMember};
/// use telecrm::response::{TeamMemberRole};
///
/// let role = TeamMemberRole::Caller;
/// let member = NewTeamMember::new("John Doe", "john.doe@example.com", "919876543210", role);
/// ```
#[derive(Clone)]
#[must_use]
pub struct NewTeamMember {
    name: String,
    email: String,
    phone_number: String,
    role: TeamMemberRole,
    password: Option<String>,
}

/// Prints without personal data and password.
impl fmt::Debug for NewTeamMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewTeamMember").field("role", &self.role).finish_non_exhaustive()
    }
}

impl NewTeamMember {
    /// Creates a team member without a password.
    ///
    /// The phone number is the country code and the number, digits only: `919876543210` (TM5). A
    /// leading `+` is not sent. It marks a number that has its country code, in case it is as long
    /// as a national number.
    pub fn new(
        name: impl Into<String>,
        email: impl Into<String>,
        phone_number: impl Into<String>,
        role: TeamMemberRole,
    ) -> Self {
        Self {
            name: name.into(),
            email: email.into(),
            phone_number: phone_number.into(),
            role,
            password: None,
        }
    }

    /// Sets a password, so that the member can log in at once. Without one, telecrm sends an
    /// invitation by email.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The phone number as it is sent.
    fn digits(&self) -> &str {
        let number = &self.phone_number;
        number.strip_prefix('+').unwrap_or(number)
    }
}

/// The most team members that the server returns in one page.
const PAGE_SIZE: u32 = 10;

impl TeamMembers {
    /// Includes deleted members in [`list`](Self::list), [`stream`](Self::stream) and
    /// [`get`](Self::get), which leave them out by default (TM3).
    #[must_use]
    pub fn with_deleted(&self) -> Self {
        Self { handle: self.handle.clone(), with_deleted: true }
    }

    /// Returns one page of at most 10 members, by name (TM1).
    ///
    /// # Errors
    /// Invalid if `limit` is not 1 to 10.
    pub async fn list(&self, page: PageRequest) -> Result<Page<TeamMember>, Error> {
        const OPERATION: Operation = Operation::ListTeamMembers;
        let (skip, limit) = page.check(OPERATION, PAGE_SIZE)?;
        let response = self.handle.send(OPERATION, |api, enterprise_id| {
            api.list_team_members_request(parameters::ListTeamMembers {
                enterprise_id,
                include_deleted: self.deleted(),
                limit: Some(limit),
                skip: Some(skip),
            })
        });
        response.await?.decode_page(page.skip)
    }

    /// Returns all members, by name: see [`Items`].
    pub fn stream(&self) -> Items<TeamMember> {
        self.stream_at(Place::default())
    }

    /// Goes on with a list where another stream has stopped, in the same process or another one.
    /// See [`Items::cursor`].
    ///
    /// # Errors
    /// Invalid if the cursor belongs to another enterprise or list, or if only one of the two lists
    /// has deleted members.
    pub fn stream_from(&self, cursor: &Cursor) -> Result<Items<TeamMember>, Error> {
        const OPERATION: Operation = Operation::ListTeamMembers;
        match List::of(cursor, &self.handle, OPERATION)? {
            List::TeamMembers { with_deleted } if with_deleted == self.with_deleted => {
                Ok(self.stream_at(cursor.place().clone()))
            }
            _ => Err(wrong_list(OPERATION)),
        }
    }

    fn stream_at(&self, place: Place) -> Items<TeamMember> {
        let id = List::TeamMembers { with_deleted: self.with_deleted }.id(&self.handle);
        let pager = TimeWindowPager::new(self.clone(), TimeWindow::default());
        Items::from_pagers(id, [pager], place)
    }

    /// Reads a member by email address. Case and surrounding blanks are ignored (TM4).
    ///
    /// # Errors
    /// - Invalid if the address is not an email address.
    /// - [`is_not_found`](Error::is_not_found) if no member has this address, or if the member is
    ///   deleted and [`with_deleted`](Self::with_deleted) was not called (TM3).
    pub async fn get(&self, email: &str) -> Result<TeamMember, Error> {
        let email = check_email(Operation::GetTeamMember, email)?;
        let response = self.handle.send(Operation::GetTeamMember, |api, enterprise_id| {
            api.get_team_member_request(parameters::GetTeamMember {
                enterprise_id,
                email,
                include_deleted: self.deleted(),
            })
        });
        response.await?.decode()
    }

    /// Creates a member.
    ///
    /// # Errors
    /// - Invalid if the phone number is not digits only, or lacks the country code although it is a
    ///   national number of the [default country](crate::Builder::default_country) (TM5), if the
    ///   address is not an email address, or if name or password is blank.
    /// - Status 402 if the workspace has no free licence (TM2).
    /// - [`is_outcome_unknown`](Error::is_outcome_unknown) if the response was lost.
    pub async fn create(&self, member: &NewTeamMember) -> Result<TeamMember, Error> {
        const OPERATION: Operation = Operation::CreateTeamMember;
        let invalid = |message: &str| Err(Error::invalid(OPERATION, message));
        let is_blank = |text: &str| text.trim().is_empty();
        let email = check_email(OPERATION, &member.email)?;
        self.check_phone(member)?;
        if let TeamMemberRole::Unknown(_) = member.role {
            return invalid("unknown role");
        }
        if is_blank(&member.name) {
            return invalid("the name is blank");
        }
        if member.password.as_deref().is_some_and(is_blank) {
            let error = Error::invalid(OPERATION, "the password is blank");
            return Err(error.with_hint("without a password, telecrm sends an invitation by email"));
        }
        let body = types::CreateTeamMemberRequest {
            name: member.name.clone(),
            email: email.to_owned(),
            phone_number: member.digits().to_owned(),
            role: member.role.as_str().into(),
            password: member.password.clone(),
        };
        let response = self.handle.send(OPERATION, |api, enterprise_id| {
            api.create_team_member_request(parameters::CreateTeamMember {
                enterprise_id,
                body: &body,
            })
        });
        response.await?.decode()
    }

    /// Sets the availability of a member. telecrm assigns new leads by it.
    ///
    /// # Errors
    /// - Invalid if the availability is [`Unknown`](Availability::Unknown), or the address is not
    ///   an email address.
    /// - [`is_not_found`](Error::is_not_found) if no member has this address.
    pub async fn set_availability(
        &self,
        email: &str,
        state: Availability,
    ) -> Result<TeamMember, Error> {
        const OPERATION: Operation = Operation::SetTeamMemberState;
        let email = check_email(OPERATION, email)?;
        if let Availability::Unknown(_) = state {
            return Err(Error::invalid(OPERATION, "unknown availability"));
        }
        let body =
            types::TeamMemberStateChange { email: email.to_owned(), state: state.as_str().into() };
        let target = Target::Member(email.to_lowercase());
        let response = self.handle.send_write(OPERATION, target, |api, enterprise_id| {
            api.set_team_member_state_request(parameters::SetTeamMemberState {
                enterprise_id,
                body: &body,
            })
        });
        response.await?.decode()
    }

    fn deleted(&self) -> Option<bool> {
        self.with_deleted.then_some(true)
    }

    /// The server accepts digits only, and cannot guess a missing country code (TM5).
    fn check_phone(&self, member: &NewTeamMember) -> Result<(), Error> {
        let country = self.handle.default_country.unwrap_or_default();
        let digits = member.digits();
        let has_plus = digits.len() < member.phone_number.len();
        let is_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        let reason = match digits.len() {
            _ if !is_digits => "is not digits only",
            8..=15 if digits.starts_with('0') => "begins with 0, which no country code does",
            8..=15 if !has_plus && country.is_without_code(digits) => "has no country code",
            8..=15 => return Ok(()),
            _ => "does not have 8 to 15 digits",
        };
        let message = format!("`phone_number` {reason} (TM5)");
        let code = country.calling_code();
        let hint = format!(
            "write `+`, the country code and digits: a number in {country} begins with +{code}"
        );
        Err(Error::invalid(Operation::CreateTeamMember, message).with_hint(hint))
    }
}

/// Members come by name and have no creation time, so they are read by position.
impl PageSource for TeamMembers {
    type Item = TeamMember;

    const OPERATION: Operation = Operation::ListTeamMembers;

    fn page_size(&self) -> u32 {
        PAGE_SIZE
    }

    async fn page(&self, _: TimeWindow, skip: u32) -> Result<Page<TeamMember>, Error> {
        self.list(PageRequest { skip, limit: PAGE_SIZE }).await
    }

    fn time(&self, _: &TeamMember) -> Option<i64> {
        None
    }

    fn key(&self, member: &TeamMember) -> String {
        let email = member.email().map(str::to_lowercase);
        email.unwrap_or_else(|| super::content_key(member))
    }
}

/// Returns the trimmed address.
fn check_email(operation: Operation, email: &str) -> Result<&str, Error> {
    let email = email.trim();
    match email.split_once('@') {
        Some((local, domain)) if !local.is_empty() && domain.contains('.') => Ok(email),
        _ => {
            Err(Error::invalid(operation, "invalid email address")
                .with_hint("write local@domain.tld"))
        }
    }
}
