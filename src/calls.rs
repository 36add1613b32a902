//! The facade's calls: each goes through its generated operation, and comes back as an undecoded answer.
//!
//! The generated code knows method, path, query and body of every operation, so the facade says none of it again. It
//! does not decode: what it cannot decode it reports without status and headers, and live answers differ from documented ones.

use crate::generated::{ingest, sync};
use crate::limit::Limiter;
use crate::transport::HandedOver;
use crate::{ActionFilter, Error, Filter, NewTeamMember, Operation, time};
use bytes::{Bytes, BytesMut};
use progenitor_client::Error as RawError;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use telecrm_core::{Action, Availability, FieldValue, Lead};

/// One API of one enterprise, with a token and its limit.
pub(crate) struct Endpoint<C> {
    client: C,
    enterprise: String,
    token: String,
    limiter: Limiter,
}

/// The Sync API.
pub(crate) type SyncEndpoint = Endpoint<sync::Client>;

/// The Async API.
pub(crate) type AsyncEndpoint = Endpoint<ingest::Client>;

/// A success, undecoded.
#[derive(Debug)]
pub(crate) struct Answer {
    operation: Operation,
    status: StatusCode,
    pub(crate) body: Bytes,
}

/// Pages hold 100 leads at most, so an answer beyond this is none.
const LARGEST_ANSWER: usize = 64 << 20;

/// What is kept of a body that goes into an error.
const LARGEST_ERROR: usize = 64 << 10;

impl Answer {
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(error))
    }

    pub(crate) fn unreadable(&self, error: serde_json::Error) -> Error {
        Error::unreadable(self.operation, self.status, shortened(&self.body), error)
    }
}

fn shortened(body: &Bytes) -> Bytes {
    body.slice(..body.len().min(LARGEST_ERROR))
}

impl<C> Endpoint<C> {
    pub(crate) fn new(client: C, enterprise: String, token: String, limiter: Limiter) -> Self {
        Self {
            client,
            enterprise,
            token,
            limiter,
        }
    }

    /// Waits for its turn, makes a generated call, and takes the answer it hands over.
    async fn send<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, RawError>>,
    ) -> Result<Answer, Error> {
        let wait = self.limiter.reserve(time::now());
        if !wait.is_zero() {
            time::sleep(wait).await;
        }
        let response = match call.await {
            Err(RawError::UnexpectedResponse(response)) => response,
            Err(RawError::CommunicationError(error)) => {
                return Err(Error::transport(operation, error));
            }
            Err(RawError::InvalidRequest(reason)) => return Err(Error::invalid(operation, reason)),
            // No other arm is reached while answers are handed over.
            Err(other) => return Err(Error::invalid(operation, other.to_string())),
            Ok(_) => return Err(Error::config("the generated client decoded an answer")),
        };
        let status = HandedOver::status_of(&response);
        let headers = response.headers().clone();
        let body = read(operation, status, response).await?;
        if status.is_success() {
            return Ok(Answer {
                operation,
                status,
                body,
            });
        }
        Err(self.refused(operation, status, &headers, &body))
    }

    fn refused(
        &self,
        operation: Operation,
        status: StatusCode,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Error {
        Error::status(operation, status, headers, shortened(body), |message| {
            message
                .replace(&self.enterprise, "…")
                .replace(&self.token, "…")
        })
    }
}

async fn read(
    operation: Operation,
    status: StatusCode,
    mut response: reqwest::Response,
) -> Result<Bytes, Error> {
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST_ANSWER => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => {
                let body = shortened(&body.freeze());
                return Err(Error::unreadable(
                    operation,
                    status,
                    body,
                    "the answer does not end",
                ));
            }
            Ok(None) => return Ok(body.freeze()),
            Err(error) => {
                let body = shortened(&body.freeze());
                return Err(Error::unreadable(
                    operation,
                    status,
                    body,
                    error.without_url(),
                ));
            }
        }
    }
}

impl AsyncEndpoint {
    pub(crate) async fn push_lead(&self, lead: &Lead) -> Result<Answer, Error> {
        let body = ingest::types::CreateOrUpdateLeadBody {
            fields: lead.fields().clone(),
            actions: (!lead.actions().is_empty()).then(|| lead.actions().to_vec()),
            extra: extra(lead),
        };
        let call = self.client.create_or_update_lead(&self.enterprise, &body);
        self.send(Operation::CreateOrUpdateLead, call).await
    }
}

impl SyncEndpoint {
    pub(crate) async fn create_lead(&self, lead: &Lead) -> Result<Answer, Error> {
        let body = sync::types::CreateLeadBody {
            fields: lead.fields().clone(),
            actions: (!lead.actions().is_empty()).then(|| bare_codes(lead)),
            extra: extra(lead),
        };
        let call = self.client.create_lead(&self.enterprise, &body);
        self.send(Operation::CreateLead, call).await
    }

    pub(crate) async fn get_lead(
        &self,
        lead_id: &str,
        actions: Option<(i64, i64)>,
    ) -> Result<Answer, Error> {
        let included = actions.map(|_| true);
        let (skip, limit) = actions.unzip();
        let call = self
            .client
            .get_lead(&self.enterprise, lead_id, included, limit, skip);
        self.send(Operation::GetLead, call).await
    }

    pub(crate) async fn update_lead(
        &self,
        lead_id: &str,
        fields: BTreeMap<String, FieldValue>,
    ) -> Result<Answer, Error> {
        let body = sync::types::UpdateLeadBody { fields };
        let call = self.client.update_lead(&self.enterprise, lead_id, &body);
        self.send(Operation::UpdateLead, call).await
    }

    pub(crate) async fn search_leads(
        &self,
        filter: &Filter,
        (skip, limit): (i64, i64),
    ) -> Result<Answer, Error> {
        let body = sync::types::SearchLeadsBody {
            fields: Some(filter.fields.clone()),
            actions: None,
        };
        let call = self
            .client
            .search_leads(&self.enterprise, Some(limit), Some(skip), &body);
        self.send(Operation::SearchLeads, call).await
    }

    pub(crate) async fn create_actions(&self, lead_id: &str, sent: &Lead) -> Result<Answer, Error> {
        let body = sync::types::CreateActionsBody {
            actions: bare_codes(sent),
        };
        let call = self.client.create_actions(&self.enterprise, lead_id, &body);
        self.send(Operation::CreateActions, call).await
    }

    pub(crate) async fn get_action(&self, lead_id: &str, action_id: &str) -> Result<Answer, Error> {
        let call = self.client.get_action(&self.enterprise, lead_id, action_id);
        self.send(Operation::GetAction, call).await
    }

    pub(crate) async fn update_action(
        &self,
        lead_id: &str,
        action_id: &str,
        action: &Action,
    ) -> Result<Answer, Error> {
        let call = self
            .client
            .update_action(&self.enterprise, lead_id, action_id, action);
        self.send(Operation::UpdateAction, call).await
    }

    pub(crate) async fn search_actions(
        &self,
        lead_id: &str,
        filter: &ActionFilter,
        (skip, limit): (i64, i64),
    ) -> Result<Answer, Error> {
        let created_on = filter.created_on();
        let body = sync::types::SearchActionsBody {
            type_: filter.kind.clone(),
            performed_by: filter.performed_by.clone(),
            created_on: created_on
                .map(|(from, to)| sync::types::SearchActionsBodyCreatedOn { from, to }),
        };
        let call =
            self.client
                .search_actions(&self.enterprise, lead_id, Some(limit), Some(skip), &body);
        self.send(Operation::SearchActions, call).await
    }

    pub(crate) async fn list_team_members(
        &self,
        (skip, limit): (i64, i64),
        include_deleted: bool,
    ) -> Result<Answer, Error> {
        let deleted = include_deleted.then_some(true);
        let call =
            self.client
                .list_team_members(&self.enterprise, deleted, Some(limit), Some(skip));
        self.send(Operation::ListTeamMembers, call).await
    }

    pub(crate) async fn get_team_member(
        &self,
        email: &str,
        include_deleted: bool,
    ) -> Result<Answer, Error> {
        let deleted = include_deleted.then_some(true);
        let call = self
            .client
            .get_team_member(&self.enterprise, email, deleted);
        self.send(Operation::GetTeamMember, call).await
    }

    pub(crate) async fn create_team_member(&self, member: &NewTeamMember) -> Result<Answer, Error> {
        let body = sync::types::CreateTeamMemberRequest {
            name: member.name.clone(),
            email: member.email.trim().to_owned(),
            phone_number: member.phone_number.clone(),
            role: member.role.as_str().into(),
            password: member.password.clone(),
        };
        let call = self.client.create_team_member(&self.enterprise, &body);
        self.send(Operation::CreateTeamMember, call).await
    }

    pub(crate) async fn set_team_member_state(
        &self,
        email: &str,
        state: &Availability,
    ) -> Result<Answer, Error> {
        let body = sync::types::TeamMemberStateChange {
            email: email.to_owned(),
            state: state.as_str().into(),
        };
        let call = self.client.set_team_member_state(&self.enterprise, &body);
        self.send(Operation::SetTeamMemberState, call).await
    }

    pub(crate) async fn custom_field(&self, api_name: &str) -> Result<Answer, Error> {
        let call = self.client.get_custom_field(&self.enterprise, api_name);
        self.send(Operation::GetCustomField, call).await
    }

    pub(crate) async fn custom_action(&self, code: &str) -> Result<Answer, Error> {
        let call = self.client.get_custom_action(&self.enterprise, code);
        self.send(Operation::GetCustomAction, call).await
    }

    pub(crate) async fn metadata(&self) -> Result<Answer, Error> {
        let call = self.client.get_metadata(&self.enterprise);
        self.send(Operation::GetMetadata, call).await
    }

    pub(crate) async fn custom_fields(&self) -> Result<Answer, Error> {
        let call = self.client.list_custom_fields(&self.enterprise, Some(true));
        self.send(Operation::ListCustomFields, call).await
    }

    pub(crate) async fn custom_actions(&self) -> Result<Answer, Error> {
        let call = self
            .client
            .list_custom_actions(&self.enterprise, Some(true));
        self.send(Operation::ListCustomActions, call).await
    }

    pub(crate) async fn pipeline(&self) -> Result<Answer, Error> {
        let call = self.client.get_lead_stage_pipeline(&self.enterprise);
        self.send(Operation::GetLeadStagePipeline, call).await
    }
}

/// AC2: the Sync API takes the bare code.
fn bare_codes(lead: &Lead) -> Vec<Action> {
    let actions = lead.actions().iter().cloned();
    actions.map(Action::with_bare_code).collect()
}

fn extra(lead: &Lead) -> BTreeMap<String, FieldValue> {
    let extra = lead.extra().iter();
    extra
        .map(|(key, value)| (key.clone(), value.clone().into()))
        .collect()
}
