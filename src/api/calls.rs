//! The facade's calls: each has its request built by generated code, and its answer undecoded.
//!
//! The generated code knows method, path, query and body of every operation, so the facade says none of it again. Answers
//! it decodes as documented, which live ones often are not, so the facade reads them by itself.

use crate::error::unmarked;
use crate::operation::Idempotency;
use crate::raw::generated::{ingest, sync};
use crate::raw::{Unbuilt, encode_path};
use crate::transport::write_order::WriteTicket;
use crate::transport::{Call, CallOptions, Context, Response, Transport};
use crate::{ActionFilter, Error, Filter, NewTeamMember, Operation};
use reqwest::Request;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;
use telecrm_core::response::Availability;
use telecrm_core::{Action, Created, FieldValue, Lead, Outcome};

/// One API of one enterprise.
pub(crate) struct Endpoint<C> {
    /// Builds requests.
    client: C,
    base_url: String,
    http: reqwest::Client,
    enterprise: String,
    transport: Arc<Transport>,
}

/// An API with the options of the calls that are to be made.
pub(crate) struct Caller<'a, C> {
    endpoint: &'a Endpoint<C>,
    options: CallOptions,
}

/// The Sync API.
pub(crate) type SyncEndpoint = Endpoint<sync::Client>;

/// The Async API.
pub(crate) type AsyncEndpoint = Endpoint<ingest::Client>;

impl<C> Endpoint<C> {
    pub(crate) fn new(
        make: fn(&str, reqwest::Client, Context) -> C,
        base_url: String,
        http: reqwest::Client,
        enterprise: String,
        transport: Transport,
    ) -> Self {
        let transport = Arc::new(transport);
        let context = Context::through(transport.clone(), CallOptions::default());
        Self {
            client: make(&base_url, http.clone(), context),
            base_url,
            http,
            enterprise,
            transport,
        }
    }

    pub(crate) fn with(&self, options: CallOptions) -> Caller<'_, C> {
        Caller {
            endpoint: self,
            options,
        }
    }

    pub(crate) fn enterprise(&self) -> &str {
        &self.enterprise
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }
}

impl<'a, C> Caller<'a, C> {
    /// A generated client, which decodes for itself, with the same tokens, limits and retries.
    pub(crate) fn raw<R>(&self, make: fn(&str, reqwest::Client, Context) -> R) -> R {
        let endpoint = self.endpoint;
        let context = Context::through(endpoint.transport.clone(), self.options);
        make(&endpoint.base_url, endpoint.http.clone(), context)
    }

    fn send(
        &self,
        operation: Operation,
        request: Result<Request, Unbuilt>,
    ) -> impl Future<Output = Result<Response, Error>> + use<'a, C> {
        let call = Call::new(Some(operation), operation.idempotency(), self.options);
        self.make(call, request)
    }

    /// Writes over what was written before.
    fn send_in_turn(
        &self,
        operation: Operation,
        turn: WriteTicket,
        request: Result<Request, Unbuilt>,
    ) -> impl Future<Output = Result<Response, Error>> + use<'a, C> {
        let call = Call::new(Some(operation), operation.idempotency(), self.options);
        self.make(call.in_turn(Some(turn)), request)
    }

    fn make(
        &self,
        call: Call,
        request: Result<Request, Unbuilt>,
    ) -> impl Future<Output = Result<Response, Error>> + use<'a, C> {
        let endpoint = self.endpoint;
        endpoint.transport.call(&endpoint.http, call, request)
    }

    /// Reads what became of a creation. What the server remarks is masked like the messages of errors.
    pub(crate) fn outcome(
        &self,
        answer: &Response,
        sent: &Lead,
    ) -> Result<Outcome<Created>, Error> {
        let outcome = Outcome::from_response(unmarked(&answer.body), sent);
        let outcome = outcome.map_err(|error| answer.unreadable(error))?;
        Ok(outcome.map_remarks(|words| self.endpoint.transport.masked(words, answer)))
    }

    fn enterprise(&self) -> &'a str {
        &self.endpoint.enterprise
    }

    /// Makes a call that no generated code knows.
    pub(crate) async fn request(
        &self,
        method: reqwest::Method,
        path: &str,
        query: &[(String, String)],
        body: Option<&RawValue>,
        class: Idempotency,
    ) -> Result<Response, Error> {
        let endpoint = self.endpoint;
        let mut url = endpoint.base_url.clone();
        // Segments are encoded like path parameters, so that none can name another resource.
        for segment in ["enterprise", self.enterprise()]
            .into_iter()
            .chain(path.trim_matches('/').split('/'))
        {
            let segment = encode_path("path", segment).map_err(|_| {
                Error::refused(
                    "a segment of the path is empty, `.` or `..`, or holds control characters",
                )
            })?;
            url.push_str(&format!("/{segment}"));
        }
        let mut request = endpoint.http.request(method, url);
        if !query.is_empty() {
            request = request.query(query);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let request = request.build().map_err(Unbuilt::from);
        self.make(Call::new(None, class, self.options), request)
            .await
    }
}

impl Caller<'_, ingest::Client> {
    /// Queues a lead, with its place among the pushes of the same lead if that is known.
    pub(crate) fn push_lead(
        &self,
        lead: &Lead,
        turn: Option<WriteTicket>,
    ) -> impl Future<Output = Result<Response, Error>> {
        let body = ingest::types::CreateOrUpdateLeadBody {
            fields: lead.fields().clone(),
            actions: (!lead.actions().is_empty()).then(|| lead.actions().to_vec()),
            extra: lead.extra().clone(),
        };
        let class = match lead.actions().is_empty() && turn.is_some() {
            true => Idempotency::Upsert,
            false => Idempotency::Appends,
        };
        let call = Call::new(Some(Operation::CreateOrUpdateLead), class, self.options);
        let client = &self.endpoint.client;
        let request = client.create_or_update_lead_request(self.enterprise(), &body);
        self.make(call.in_turn(turn), request)
    }
}

impl Caller<'_, sync::Client> {
    pub(crate) fn create_lead(&self, lead: &Lead) -> impl Future<Output = Result<Response, Error>> {
        let lead = lead.clone().without_stray_blanks();
        let body = sync::types::CreateLeadBody {
            fields: lead.fields().clone(),
            actions: (!lead.actions().is_empty()).then(|| bare_codes(&lead)),
            extra: lead.extra().clone(),
        };
        let client = &self.endpoint.client;
        let request = client.create_lead_request(self.enterprise(), &body);
        self.send(Operation::CreateLead, request)
    }

    pub(crate) fn get_lead(
        &self,
        lead_id: &str,
        actions: Option<(i64, i64)>,
    ) -> impl Future<Output = Result<Response, Error>> {
        let included = actions.map(|_| true);
        let (skip, limit) = actions.unzip();
        let client = &self.endpoint.client;
        let request = client.get_lead_request(self.enterprise(), lead_id, included, limit, skip);
        self.send(Operation::GetLead, request)
    }

    pub(crate) fn update_lead(
        &self,
        lead_id: &str,
        fields: BTreeMap<String, FieldValue>,
        turn: WriteTicket,
    ) -> impl Future<Output = Result<Response, Error>> {
        let body = sync::types::UpdateLeadBody { fields };
        let client = &self.endpoint.client;
        let request = no_search(lead_id)
            .and_then(|()| client.update_lead_request(self.enterprise(), lead_id, &body));
        self.send_in_turn(Operation::UpdateLead, turn, request)
    }

    pub(crate) fn search_leads(
        &self,
        filter: &Filter,
        (skip, limit): (i64, i64),
    ) -> impl Future<Output = Result<Response, Error>> {
        let body = sync::types::SearchLeadsBody {
            fields: Some(filter.fields.clone()),
            actions: filter
                .action
                .as_ref()
                .map(|action| sync::types::SearchLeadsBodyActions {
                    type_: action.kind.clone(),
                    performed_by: action.performed_by.clone(),
                    performed_at: action.times().map(|(from, to)| {
                        sync::types::SearchLeadsBodyActionsPerformedAt { from, to }
                    }),
                }),
        };
        let client = &self.endpoint.client;
        let request =
            client.search_leads_request(self.enterprise(), Some(limit), Some(skip), &body);
        self.send(Operation::SearchLeads, request)
    }

    pub(crate) fn create_actions(
        &self,
        lead_id: &str,
        sent: &Lead,
    ) -> impl Future<Output = Result<Response, Error>> {
        let body = sync::types::CreateActionsBody {
            actions: bare_codes(&sent.clone().without_stray_blanks()),
        };
        let client = &self.endpoint.client;
        let request = client.create_actions_request(self.enterprise(), lead_id, &body);
        self.send(Operation::CreateActions, request)
    }

    pub(crate) fn get_action(
        &self,
        lead_id: &str,
        action_id: &str,
    ) -> impl Future<Output = Result<Response, Error>> {
        let client = &self.endpoint.client;
        let request = client.get_action_request(self.enterprise(), lead_id, action_id);
        self.send(Operation::GetAction, request)
    }

    pub(crate) fn update_action(
        &self,
        lead_id: &str,
        action_id: &str,
        action: &Action,
        turn: WriteTicket,
    ) -> impl Future<Output = Result<Response, Error>> {
        let client = &self.endpoint.client;
        let request = no_search(action_id).and_then(|()| {
            client.update_action_request(self.enterprise(), lead_id, action_id, action)
        });
        self.send_in_turn(Operation::UpdateAction, turn, request)
    }

    pub(crate) fn search_actions(
        &self,
        lead_id: &str,
        filter: &ActionFilter,
        (skip, limit): (i64, i64),
    ) -> impl Future<Output = Result<Response, Error>> {
        let created_on = filter.times();
        let body = sync::types::SearchActionsBody {
            type_: filter.kind.clone(),
            performed_by: filter.performed_by.clone(),
            created_on: created_on
                .map(|(from, to)| sync::types::SearchActionsBodyCreatedOn { from, to }),
        };
        let client = &self.endpoint.client;
        let request = client.search_actions_request(
            self.enterprise(),
            lead_id,
            Some(limit),
            Some(skip),
            &body,
        );
        self.send(Operation::SearchActions, request)
    }

    pub(crate) fn list_team_members(
        &self,
        (skip, limit): (i64, i64),
        include_deleted: bool,
    ) -> impl Future<Output = Result<Response, Error>> {
        let deleted = include_deleted.then_some(true);
        let client = &self.endpoint.client;
        let request =
            client.list_team_members_request(self.enterprise(), deleted, Some(limit), Some(skip));
        self.send(Operation::ListTeamMembers, request)
    }

    pub(crate) fn get_team_member(
        &self,
        email: &str,
        include_deleted: bool,
    ) -> impl Future<Output = Result<Response, Error>> {
        let deleted = include_deleted.then_some(true);
        let client = &self.endpoint.client;
        let request = client.get_team_member_request(self.enterprise(), email, deleted);
        self.send(Operation::GetTeamMember, request)
    }

    pub(crate) fn create_team_member(
        &self,
        member: &NewTeamMember,
    ) -> impl Future<Output = Result<Response, Error>> {
        let body = sync::types::CreateTeamMemberRequest {
            name: member.name.clone(),
            email: member.email.trim().to_owned(),
            phone_number: member.digits().to_owned(),
            role: member.role.as_str().into(),
            password: member.password.clone(),
        };
        let client = &self.endpoint.client;
        let request = client.create_team_member_request(self.enterprise(), &body);
        self.send(Operation::CreateTeamMember, request)
    }

    pub(crate) fn set_team_member_state(
        &self,
        email: &str,
        state: &Availability,
        turn: WriteTicket,
    ) -> impl Future<Output = Result<Response, Error>> {
        let body = sync::types::TeamMemberStateChange {
            email: email.to_owned(),
            state: state.as_str().into(),
        };
        let client = &self.endpoint.client;
        let request = client.set_team_member_state_request(self.enterprise(), &body);
        self.send_in_turn(Operation::SetTeamMemberState, turn, request)
    }

    pub(crate) fn custom_field(
        &self,
        api_name: &str,
    ) -> impl Future<Output = Result<Response, Error>> {
        let client = &self.endpoint.client;
        let request = client.get_custom_field_request(self.enterprise(), api_name);
        self.send(Operation::GetCustomField, request)
    }

    pub(crate) fn custom_action(
        &self,
        code: &str,
    ) -> impl Future<Output = Result<Response, Error>> {
        let client = &self.endpoint.client;
        let request = client.get_custom_action_request(self.enterprise(), code);
        self.send(Operation::GetCustomAction, request)
    }

    pub(crate) fn metadata(&self) -> impl Future<Output = Result<Response, Error>> {
        let client = &self.endpoint.client;
        let request = client.get_metadata_request(self.enterprise());
        self.send(Operation::GetMetadata, request)
    }

    pub(crate) fn custom_fields(&self) -> impl Future<Output = Result<Response, Error>> {
        let client = &self.endpoint.client;
        let request = client.list_custom_fields_request(self.enterprise(), Some(true));
        self.send(Operation::ListCustomFields, request)
    }

    pub(crate) fn custom_actions(&self) -> impl Future<Output = Result<Response, Error>> {
        let client = &self.endpoint.client;
        let request = client.list_custom_actions_request(self.enterprise(), Some(true));
        self.send(Operation::ListCustomActions, request)
    }

    pub(crate) fn pipeline(&self) -> impl Future<Output = Result<Response, Error>> {
        let client = &self.endpoint.client;
        let request = client.get_lead_stage_pipeline_request(self.enterprise());
        self.send(Operation::GetLeadStagePipeline, request)
    }
}

/// An update of what is called `search` would be a search, and its answer taken for that of an update.
fn no_search(id: &str) -> Result<(), Unbuilt> {
    match id {
        "search" => Err(Unbuilt::because(
            "`search` is no ID: it stands for another operation",
        )),
        _ => Ok(()),
    }
}

/// AC2: the Sync API takes the bare code.
fn bare_codes(lead: &Lead) -> Vec<Action> {
    let actions = lead.actions().iter().cloned();
    actions.map(Action::with_bare_code).collect()
}
