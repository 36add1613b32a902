//! `telecrm lead`, `action` and `team`: read and write single records.

use crate::access::{lead_page, sync_client};
use crate::args::OfAccount;
use crate::args::assignment::Assignment;
use crate::args::records::{ActionCommand, LeadCommand, State, TeamCommand, Write};
use crate::exit::{Exit, Failure};
use crate::input;
use crate::output::Output;
use crate::settings::Settings;
use crate::terminal::{print, print_note};
use serde::Serialize;
use serde_json::json;
use std::path::Path;
use telecrm::response::Availability;
use telecrm::rules::CodeForm;
use telecrm::{
    ActionCode, ActionFilter, Created, CustomAction, FieldValue, Filter, Finding, Items, Lead,
    Outcome, Telecrm, Upserted, Workspace,
};

pub(crate) async fn lead(options: OfAccount<LeadCommand>) -> Result<Exit, Failure> {
    let OfAccount { account, command } = options;
    let settings = Settings::load(&account)?;
    let telecrm = sync_client(&settings)?;
    let leads = telecrm.leads();
    match command {
        LeadCommand::Get { id, printing } => {
            let lead = leads.get(&id).await?;
            if let Some(page) = lead_page(&settings, &id) {
                print(&format!("page in the app: {page}"));
            }
            Output::new(printing, &[]).record(&lead)
        }
        LeadCommand::Search { conditions, limit, all, printing } => {
            let workspace = telecrm.workspace().await?;
            let identifier = workspace.identifier().api_name();
            let columns = ["id", identifier, "name", "status", "created_on"];
            let items = leads.stream(filter(conditions));
            list(items, limit, all, Output::new(printing, &columns)).await
        }
        LeadCommand::Upsert { fields, body, write, printing } => {
            let mut lead = match body {
                Some(path) => read_lead(&path)?,
                None => Lead::new(),
            };
            for field in fields {
                lead.fields_mut().insert(field.name, field.value);
            }
            let output = Output::new(printing, &[]);
            upsert(&telecrm, &lead, write, output).await
        }
        LeadCommand::History { id, action_type, limit, all, printing } => {
            let filter = match action_type.as_deref().map(|text| (text, text.parse::<ActionCode>()))
            {
                None => ActionFilter::new(),
                Some((_, Ok(code))) => ActionFilter::new().of_code(code),
                Some((text, Err(_))) => ActionFilter::new().of_type(text),
            };
            let items = leads.actions(id).stream(filter);
            let columns = ["id", "type", "creationTimestamp", "fields"];
            list(items, limit, all, Output::new(printing, &columns)).await
        }
    }
}

pub(crate) async fn action(options: OfAccount<ActionCommand>) -> Result<Exit, Failure> {
    let OfAccount { account, command } = options;
    let settings = Settings::load(&account)?;
    let telecrm = sync_client(&settings)?;
    match command {
        ActionCommand::Create { lead, code, fields, write, printing } => {
            let action = fields.into_iter().fold(
                CustomAction::new(code).map_err(|never| Failure::usage(never.to_string()))?,
                |action, field| action.field(field.name, field.value),
            );
            let output = Output::new(printing, &[]);
            let action = telecrm::Action::from(action);
            let workspace = telecrm.workspace().await?;
            let findings = workspace.accept_action(0, &action, CodeForm::Prefixed).1;
            report(&findings, write)?;
            if write.dry_run {
                return output.record(&action);
            }
            let created = telecrm.leads().actions(lead).create([action]).await?;
            print_written(output, Written::created("created", created).with(findings))
        }
        ActionCommand::Get { lead, id, printing } => {
            Output::new(printing, &[]).record(&telecrm.leads().actions(lead).get(&id).await?)
        }
    }
}

pub(crate) async fn team(options: OfAccount<TeamCommand>) -> Result<Exit, Failure> {
    let OfAccount { account, command } = options;
    let settings = Settings::load(&account)?;
    let telecrm = sync_client(&settings)?;
    let team = telecrm.team_members();
    match command {
        TeamCommand::List { deleted, printing } => {
            let columns = ["name", "email", "status", "role", "phone_number"];
            let team = if deleted { team.with_deleted() } else { team };
            list(team.stream(), 0, true, Output::new(printing, &columns)).await
        }
        TeamCommand::Get { email, printing } => {
            Output::new(printing, &[]).record(&team.get(&email).await?)
        }
        TeamCommand::Availability { email, state, dry_run, printing } => {
            let output = Output::new(printing, &[]);
            let state = match state {
                State::Active => Availability::Active,
                State::Inactive => Availability::Inactive,
                State::OnLeave => Availability::OnLeave,
                State::Working => Availability::Working,
            };
            if dry_run {
                return output.record(&json!({ "email": email, "status": state }));
            }
            output.record(&team.set_availability(&email, state).await?)
        }
    }
}

/// Values of one field are alternatives, and a lead must match every field.
fn filter(conditions: Vec<Assignment>) -> Filter {
    let mut fields: Vec<(String, Vec<FieldValue>)> = Vec::new();
    for Assignment { name, value } in conditions {
        match fields.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => values.push(value),
            None => fields.push((name, vec![value])),
        }
    }
    let add = |filter: Filter, (name, values)| filter.any_of::<FieldValue>(name, values);
    fields.into_iter().fold(Filter::new(), add)
}

async fn list<T: Serialize + Send + Unpin + 'static>(
    mut items: Items<T>,
    limit: usize,
    all: bool,
    mut output: Output,
) -> Result<Exit, Failure> {
    let mut count = 0;
    while let Some(item) = items.next().await {
        let item = item?;
        if !all && count == limit {
            print(&format!("the first {limit}; --limit or --all lists more"));
            break;
        }
        count += 1;
        if !output.item(&item)? {
            return Ok(Exit::Success);
        }
    }
    output.end()
}

fn read_lead(path: &Path) -> Result<Lead, Failure> {
    let text = input::read_text(path)?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("{}: {error}", input::name(path))))
}

async fn upsert(
    telecrm: &Telecrm,
    lead: &Lead,
    write: Write,
    output: Output,
) -> Result<Exit, Failure> {
    let workspace = telecrm.workspace().await?;
    let (lead, findings) = check(&workspace, lead, write)?;
    if write.dry_run {
        return output.record(&lead);
    }
    let written = match telecrm.leads().upsert(&lead).await? {
        Upserted::Created(outcome) => Written::created("created", outcome),
        Upserted::Updated { lead_id, lead, actions } => {
            let mut written = Written {
                lead_id,
                outcome: "updated",
                findings: lead.findings().to_vec(),
                remarks: remarks(&lead),
                is_complete: lead.clone().complete().is_ok(),
            };
            if let Some(actions) = actions {
                let actions = Written::created("updated", actions);
                written.findings.extend(actions.findings);
                written.remarks.extend(actions.remarks);
                written.is_complete &= actions.is_complete;
            }
            written
        }
    };
    print_written(output, written.with(findings))
}

/// What a write has done.
#[derive(Serialize)]
struct Written {
    lead_id: String,
    outcome: &'static str,
    findings: Vec<Finding>,
    remarks: Vec<String>,
    #[serde(skip)]
    is_complete: bool,
}

impl Written {
    fn created(what: &'static str, outcome: Outcome<Created>) -> Self {
        Self {
            findings: outcome.findings().to_vec(),
            remarks: remarks(&outcome),
            is_complete: outcome.clone().complete().is_ok(),
            lead_id: outcome.accept_partial().lead_id,
            outcome: what,
        }
    }

    /// Adds what the check found, of which the lost parts were not sent.
    fn with(mut self, findings: Vec<Finding>) -> Self {
        self.is_complete &= !findings.iter().any(is_lost);
        for finding in findings {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        self
    }
}

fn is_lost(finding: &Finding) -> bool {
    finding.is_loss() && !finding.repaired
}

/// Prints what a write has done. The exit code says whether telecrm ignored a part.
fn print_written(output: Output, written: Written) -> Result<Exit, Failure> {
    output.record(&written)?;
    Ok(if written.is_complete { Exit::Success } else { Exit::Loss })
}

fn remarks<T>(outcome: &Outcome<T>) -> Vec<String> {
    outcome.remarks().iter().map(ToString::to_string).collect()
}

/// Prints what the check found. Returns it with the lead to send.
fn check(
    workspace: &Workspace,
    lead: &Lead,
    write: Write,
) -> Result<(Lead, Vec<Finding>), Failure> {
    let checked = workspace.check(lead);
    report(checked.report(), write)?;
    let findings = checked.report().to_vec();
    match checked.accept_partial() {
        Ok(lead) => Ok((lead, findings)),
        Err(_) => {
            Err(Failure::new(Exit::Loss, "nothing was sent")
                .hint("give the lead a valid identifier"))
        }
    }
}

/// Prints the findings. A loss is an error unless only the valid parts are wanted.
fn report(findings: &[Finding], write: Write) -> Result<(), Failure> {
    for finding in findings {
        print_note(&finding.to_string(), finding.hint().as_deref());
    }
    if findings.iter().any(is_lost) && !write.partial {
        let message = "nothing was sent, because telecrm would drop a part";
        return Err(Failure::new(Exit::Loss, message)
            .hint("correct it, or send the valid parts with --partial"));
    }
    Ok(())
}
