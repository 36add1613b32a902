//! Team members, over the Sync API.

use crate::transport::write_order::Target;
use crate::{Error, Items, Operation, PageRequest, Telecrm, pagination};
use std::fmt;
use telecrm_core::response::{Availability, Page, TeamMember, TeamMemberRole};

/// Team members. From [`Telecrm::team_members`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// # let telecrm = telecrm::Telecrm::builder(emulator.enterprise())
/// #     .sync_token(telecrm::SyncToken::new(emulator.sync_token())?)
/// #     .async_token(telecrm::AsyncToken::new(emulator.async_token())?)
/// #     .sync_url(emulator.sync_url())
/// #     .async_url(emulator.async_url())
/// #     .build()?;
/// use telecrm::{Availability, NewTeamMember, PageRequest, TeamMemberRole, TeamMemberStatus};
///
/// let team = telecrm.team_members();
/// let page = team.list(PageRequest { skip: 0, limit: 10 }, false).await?;
/// assert_eq!(page.total_count, 2);
///
/// let jane = team.get("jane.doe@example.com", false).await?;
/// assert_eq!(jane.name(), Some("Jane Doe"));
/// let jane = team.set_availability("jane.doe@example.com", Availability::OnLeave).await?;
/// assert_eq!(jane.status(), Some(TeamMemberStatus::OnLeave));
///
/// let caller = NewTeamMember::new("Ravi Kumar", "ravi@example.com", "919876501234", TeamMemberRole::Caller)
///     .password("until-the-first-login");
/// team.create(&caller).await?;
/// let everybody = team.stream(false).collect().await?;
/// assert_eq!(everybody.len(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TeamMembers(pub(crate) Telecrm);

/// Somebody who is to join the team.
///
/// ```
/// use telecrm::{NewTeamMember, TeamMemberRole};
///
/// let member = NewTeamMember::new("John Doe", "john.doe@example.com", "919876543210", TeamMemberRole::Caller);
/// ```
#[derive(Clone)]
#[must_use]
pub struct NewTeamMember {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) phone_number: String,
    pub(crate) role: TeamMemberRole,
    pub(crate) password: Option<String>,
}

/// Without what is personal or secret.
impl fmt::Debug for NewTeamMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewTeamMember")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl NewTeamMember {
    /// The phone number is digits only, with its country code: `919876543210` (pitfall TM5). A `+` before it is not sent; it says that
    /// the country code is there, also of a foreign number that is as long as a national one.
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

    /// The phone number as it is sent.
    pub(crate) fn digits(&self) -> &str {
        self.phone_number
            .strip_prefix('+')
            .unwrap_or(&self.phone_number)
    }

    /// Lets the member log in at once. Otherwise an invitation is mailed.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }
}

impl TeamMembers {
    /// Lists members by name: one page of at most 10 (pitfall TM1). Deleted members are left out unless asked for.
    ///
    /// # Errors
    /// Invalid if `limit` is not 1 to 10.
    pub async fn list(
        &self,
        slice: PageRequest,
        include_deleted: bool,
    ) -> Result<Page<TeamMember>, Error> {
        let part = slice.check(Operation::ListTeamMembers, 10)?;
        self.0
            .sync()?
            .list_team_members(part, include_deleted)
            .await?
            .decode_page(slice.skip)
    }

    /// All members, by name: see [`Items`](crate::Items).
    pub fn stream(&self, include_deleted: bool) -> Items<TeamMember> {
        pagination::team_members(&self.0, include_deleted)
    }

    /// Reads a member by address; case does not matter, blanks around it are left out (pitfall TM4).
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is none, or a deleted one that was not asked for (pitfall TM3).
    pub async fn get(&self, email: &str, include_deleted: bool) -> Result<TeamMember, Error> {
        let email = address(Operation::GetTeamMember, email)?;
        self.0
            .sync()?
            .get_team_member(email, include_deleted)
            .await?
            .decode()
    }

    /// Adds a member to the team.
    ///
    /// # Errors
    /// Invalid if the phone number is not digits only after its `+`, or is a national one of the [default country](crate::Builder::default_country)
    /// without its country code (TM5), the address is none, or name or password is blank; answered with 402
    /// if no licence is free (TM2). [`is_outcome_unknown`](Error::is_outcome_unknown) if the answer was lost.
    pub async fn create(&self, member: &NewTeamMember) -> Result<TeamMember, Error> {
        const OPERATION: Operation = Operation::CreateTeamMember;
        address(OPERATION, &member.email)?;
        self.check_phone(member)
            .map_err(|message| Error::invalid(OPERATION, message))?;
        if let TeamMemberRole::Unknown(_) = member.role {
            return Err(Error::invalid(
                OPERATION,
                "the role is none that the server takes",
            ));
        }
        let is_blank = |text: &str| text.trim().is_empty();
        if is_blank(&member.name) {
            return Err(Error::invalid(OPERATION, "the name is blank"));
        }
        if member.password.as_deref().is_some_and(is_blank) {
            let message = "the password is blank: leave it out to have an invitation mailed";
            return Err(Error::invalid(OPERATION, message));
        }
        self.0.sync()?.create_team_member(member).await?.decode()
    }

    /// Says what a member does at the moment, by which leads are distributed.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no such member.
    pub async fn set_availability(
        &self,
        email: &str,
        state: Availability,
    ) -> Result<TeamMember, Error> {
        const OPERATION: Operation = Operation::SetTeamMemberState;
        let email = address(OPERATION, email)?;
        if let Availability::Unknown(_) = state {
            return Err(Error::invalid(
                OPERATION,
                "the state is none that the server takes",
            ));
        }
        let turn = self
            .0
            .shared()
            .write_order
            .enter(Target::Member(email.to_lowercase()));
        self.0
            .sync()?
            .set_team_member_state(email, &state, turn)
            .await?
            .decode()
    }
}

impl TeamMembers {
    /// TM5: the server refuses all but digits, and cannot know whose number one without a country code is.
    fn check_phone(&self, member: &NewTeamMember) -> Result<(), String> {
        let country = self.0.default_country();
        let code = country.calling_code();
        let digits = member.digits();
        let has_plus = digits.len() < member.phone_number.len();
        let is_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        let reason = match digits.len() {
            _ if !is_digits => "is not digits only",
            8..=15 if digits.starts_with('0') => "begins with a zero, as no country code does",
            8..=15 if !has_plus && country.is_without_code(digits) => "has no country code",
            8..=15 => return Ok(()),
            _ => "is no whole number with its country code, of 8 to 15 digits",
        };
        Err(format!(
            "`phone_number` {reason}: write the country code and the number without signs and blanks, \
             in {country} beginning with {code}; a `+` before it says that it has its code (TM5)"
        ))
    }
}

fn address(operation: Operation, email: &str) -> Result<&str, Error> {
    let email = email.trim();
    match email.split_once('@') {
        Some((local, domain)) if !local.is_empty() && domain.contains('.') => Ok(email),
        _ => Err(Error::invalid(
            operation,
            "the address is none: write local@domain.tld",
        )),
    }
}
