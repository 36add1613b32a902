//! Team members in responses.

use super::record::{record, text};
use crate::{FieldValue, open_enum};

record! {
    /// A member of the workspace's team.
    ///
    /// ```
    /// use telecrm_core::response::{TeamMember, TeamMemberRole, TeamMemberStatus};
    ///
    /// let member: TeamMember = serde_json::from_str(r#"{
    ///     "name": "Jane Doe", "email": "jane.doe@example.com", "phone_number": "919999999999",
    ///     "status": "INVITED",
    ///     "role": "CALLER", "manager_name": "John Smith",
    ///     "manager_email": "john.smith@example.com",
    ///     "permission_template_name": "Sales Agent", "license": null, "badge": 7
    /// }"#)?;
    /// assert_eq!(member.name(), Some("Jane Doe"));
    /// assert_eq!(member.email(), Some("jane.doe@example.com"));
    /// assert_eq!(member.phone_number(), Some("919999999999"));
    /// assert_eq!(member.status(), Some(TeamMemberStatus::Invited)); // in any case (TM7)
    /// assert_eq!(member.role().map(TeamMemberRole::from), Some(TeamMemberRole::Caller));
    /// assert_eq!(member.manager_name(), Some("John Smith"));
    /// assert_eq!(member.manager_email(), Some("john.smith@example.com"));
    /// assert_eq!(member.permission_template_name(), Some("Sales Agent"));
    /// assert_eq!(member.license(), None);
    /// assert_eq!(member.key("badge"), Some(&7.into()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct TeamMember {
        /// The name.
        pub fn name(&self) -> Option<&str> = text("name");
        /// The email address, which is also the login name.
        pub fn email(&self) -> Option<&str> = text("email");
        /// Whether the member works, is on leave and so on. Read in any case (pitfall TM7).
        pub fn status(&self) -> Option<TeamMemberStatus> = status("status");
        /// The phone number with its country code.
        pub fn phone_number(&self) -> Option<&str> = text("phone_number");
        /// The role. Only the response to a creation has it.
        pub fn role(&self) -> Option<&str> = text("role");
        /// The manager's name.
        pub fn manager_name(&self) -> Option<&str> = text("manager_name");
        /// The manager's email address.
        pub fn manager_email(&self) -> Option<&str> = text("manager_email");
        /// The name of the permission template.
        pub fn permission_template_name(&self) -> Option<&str> = text("permission_template_name");
        /// The licence. None if the member never had one.
        pub fn license(&self) -> Option<License> = license("license");
    }
}

record! {
    /// The licence of a team member. Its dates have the format `YYYY-MM-DD`.
    ///
    /// ```
    /// use telecrm_core::response::License;
    ///
    /// let license: License = serde_json::from_str(
    ///     r#"{ "status": "ACTIVE", "type": "GROWTH", "start_date": "2024-01-01",
    ///         "end_date": "2025-01-01" }"#,
    /// )?;
    /// assert_eq!((license.status(), license.license_type()), (Some("ACTIVE"), Some("GROWTH")));
    /// let last: jiff::civil::Date = license.end_date().unwrap_or_default().parse()?;
    /// assert!(license.start_date() < license.end_date() && last.year() == 2025);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct License {
        /// `ACTIVE`. The documentation shows no other value.
        pub fn status(&self) -> Option<&str> = text("status");
        /// `GROWTH`. The documentation shows no other value.
        pub fn license_type(&self) -> Option<&str> = text("type");
        /// The first day.
        pub fn start_date(&self) -> Option<&str> = text("start_date");
        /// The last day.
        pub fn end_date(&self) -> Option<&str> = text("end_date");
    }
}

fn license(value: &FieldValue) -> Option<License> {
    value.clone().into_members().ok().map(License)
}

/// Reads a status in any case.
fn status(value: &FieldValue) -> Option<TeamMemberStatus> {
    let text = value.as_str()?;
    let mut known = TeamMemberStatus::KNOWN.iter();
    let same = known.find(|known| known.as_str().eq_ignore_ascii_case(text));
    Some(same.cloned().unwrap_or_else(|| text.into()))
}

open_enum! {
    /// What a team member does at the moment.
    pub enum TeamMemberStatus {
        Active = "Active",
        Inactive = "Inactive",
        OnLeave = "On Leave",
        Working = "Working",
        Invited = "Invited",
        Deleted = "Deleted",
    }
}

open_enum! {
    /// The role of a new team member.
    ///
    /// ```
    /// use telecrm_core::response::TeamMemberRole;
    ///
    /// // An unknown role is kept.
    /// assert_eq!(TeamMemberRole::from("OWNER"), TeamMemberRole::Unknown("OWNER".into()));
    /// assert!(TeamMemberRole::KNOWN.contains(&"CALLER".into()));
    /// ```
    pub enum TeamMemberRole {
        Admin = "ADMIN",
        Manager = "MANAGER",
        Caller = "CALLER",
        MarketingUser = "MARKETING_USER",
    }
}

open_enum! {
    /// The availability that can be set for a team member.
    ///
    /// ```
    /// use telecrm_core::response::Availability;
    ///
    /// assert_eq!(Availability::OnLeave.as_str(), "On Leave");
    /// ```
    pub enum Availability {
        Active = "Active",
        Inactive = "Inactive",
        OnLeave = "On Leave",
        Working = "Working",
    }
}
