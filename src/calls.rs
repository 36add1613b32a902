//! The facade's calls: each goes through its generated operation, and comes back as an undecoded answer.
//!
//! The generated code knows method, path, query and body of every operation, so the facade says none of it again. It
//! does not decode: what it cannot decode it reports without status and headers, and live answers differ from documented ones.

use crate::error::tells_of_an_error;
use crate::generated::{ingest, sync};
use crate::operation::Idempotency;
use crate::raw::{check_path, encode_path};
use crate::transport::{Call, CallOptions, Channel, Context, Reply, Sent, answered, mask};
use crate::turns::Turn;
use crate::{ActionFilter, Error, Filter, NewTeamMember, Operation};
use bytes::Bytes;
use progenitor_client::Error as RawError;
use reqwest::StatusCode;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::sync::Arc;
use telecrm_core::{Action, Availability, Created, FieldValue, Lead, Outcome, Page};

/// One API of one enterprise.
pub(crate) struct Endpoint<C> {
    make: fn(&str, reqwest::Client, Context) -> C,
    base_url: String,
    http: reqwest::Client,
    enterprise: String,
    /// What must not stand in a message: the tokens of both APIs.
    tokens: Vec<String>,
    channel: Arc<Channel>,
}

/// An API with the options of the calls that are to be made.
pub(crate) struct Caller<'a, C> {
    endpoint: &'a Endpoint<C>,
    options: CallOptions,
}

/// One call under way.
struct Exchange<'a, C> {
    endpoint: &'a Endpoint<C>,
    client: C,
    call: Arc<Call>,
}

/// The Sync API.
pub(crate) type SyncEndpoint = Endpoint<sync::Client>;

/// The Async API.
pub(crate) type AsyncEndpoint = Endpoint<ingest::Client>;

/// A success, undecoded.
pub(crate) struct Answer {
    call: Arc<Call>,
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    sent: Sent,
}

/// What is kept of a body that goes into an error.
const LARGEST_ERROR: usize = 64 << 10;

impl Answer {
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(error))
    }

    /// The answer as JSON, with the nearest of what has no place in it: numbers beyond every float, halves of characters.
    pub(crate) fn json(&self) -> Result<Value, Error> {
        self.decode::<FieldValue>().map(FieldValue::into_json)
    }

    /// What an answer holds under one key. Unlike a structure that serde derives, it is not read from a list.
    pub(crate) fn decode_member<T: DeserializeOwned>(&self, key: &str) -> Result<T, Error> {
        let members: BTreeMap<String, &RawValue> =
            serde_json::from_slice(&self.body).map_err(|error| self.unreadable(error))?;
        let Some(member) = members.get(key) else {
            return Err(self.misshapen(format!("missing field `{key}`")));
        };
        serde_json::from_str(member.get()).map_err(|error| self.unreadable(error))
    }

    /// A page of a list. An answer without the list, or with none of the items that it counts, is not the end of it.
    pub(crate) fn decode_page<T: DeserializeOwned>(&self, skip: u32) -> Result<Page<T>, Error> {
        let page: Page<T> = self.decode()?;
        if page.data.is_empty() {
            let list: Option<Vec<IgnoredAny>> = self.decode_member("data")?;
            if list.is_none() {
                // `null` is an empty list only if it is counted.
                let _: u64 = self.decode_member("total_count")?;
            }
            if page.total_count > skip.into() {
                let reason = format!(
                    "a page without items, though {} of {} are left",
                    page.total_count - u64::from(skip),
                    page.total_count
                );
                return Err(self.misshapen(reason));
            }
        }
        Ok(page)
    }

    pub(crate) fn unreadable(&self, error: serde_json::Error) -> Error {
        self.misshapen(without_values(&error))
    }

    pub(crate) fn misshapen(&self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error::unreadable(self.status, shortened(&self.body), source).during(&self.call)
    }
}

/// What serde says of a text, without the parts of the text that it repeats.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match (error.is_data(), text.split_once(", expected ")) {
        (false, _) => text,
        (true, _) if text.starts_with("missing field") => text,
        (true, Some((_, expected))) => format!("something else than {expected}"),
        (true, None) => format!(
            "something unexpected at line {} column {}",
            error.line(),
            error.column()
        ),
    }
}

fn shortened(body: &Bytes) -> Bytes {
    body.slice(..body.len().min(LARGEST_ERROR))
}

impl<C> Endpoint<C> {
    pub(crate) fn new(
        make: fn(&str, reqwest::Client, Context) -> C,
        base_url: String,
        http: reqwest::Client,
        enterprise: String,
        tokens: Vec<String>,
        channel: Channel,
    ) -> Self {
        Self {
            make,
            base_url,
            http,
            enterprise,
            tokens,
            channel: Arc::new(channel),
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

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Without what must not be told: secrets, and what was sent.
    fn mask(&self, message: &str, sent: &Sent) -> String {
        let secrets = self.tokens.iter().chain([&self.enterprise]);
        mask(message, secrets, sent)
    }
}

impl<'a, C> Caller<'a, C> {
    /// A generated client, which decodes for itself, with the same tokens, limits and retries.
    pub(crate) fn raw<R>(&self, make: fn(&str, reqwest::Client, Context) -> R) -> R {
        let endpoint = self.endpoint;
        let context = Context::through(endpoint.channel.clone(), self.options);
        make(&endpoint.base_url, endpoint.http.clone(), context)
    }

    fn begin(&self, operation: Operation) -> Exchange<'a, C> {
        let class = operation.idempotency();
        self.begin_with(Call::new(Some(operation), class, self.options))
    }

    /// Writes over what was written before.
    fn begin_in_turn(&self, operation: Operation, turn: Turn) -> Exchange<'a, C> {
        let call = Call::new(Some(operation), operation.idempotency(), self.options);
        self.begin_with(call.in_turn(Some(turn)))
    }

    fn begin_with(&self, call: Call) -> Exchange<'a, C> {
        let endpoint = self.endpoint;
        let call = Arc::new(call);
        let context = Context::past(endpoint.channel.clone(), call.clone());
        Exchange {
            endpoint,
            client: (endpoint.make)(&endpoint.base_url, endpoint.http.clone(), context),
            call,
        }
    }

    /// Reads what became of a creation. What the server remarks is masked like the messages of errors.
    pub(crate) fn outcome(&self, answer: &Answer, sent: &Lead) -> Result<Outcome<Created>, Error> {
        let outcome = Outcome::from_answer(&answer.body, sent);
        let outcome = outcome.map_err(|error| answer.unreadable(error))?;
        Ok(outcome.with_words(|words| self.endpoint.mask(words, &answer.sent)))
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
    ) -> Result<Answer, Error> {
        let endpoint = self.endpoint;
        let base = &endpoint.base_url;
        // Segments are encoded like path parameters, so that none can name another resource.
        let path: String = ["enterprise", self.enterprise()]
            .into_iter()
            .chain(path.trim_matches('/').split('/'))
            .map(|segment| format!("/{}", encode_path(segment)))
            .collect();
        let mut request = endpoint.http.request(method, format!("{base}{path}"));
        if !query.is_empty() {
            request = request.query(query);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut request = request.build().map_err(Error::transport)?;
        check_path(request.url(), base).map_err(|_| {
            Error::refused(
                "a segment of the path is empty, `.` or `..`, or holds control characters",
            )
        })?;
        let exchange = self.begin_with(Call::new(None, class, self.options));
        let reply = endpoint
            .channel
            .execute(&endpoint.http, &mut request, &exchange.call)
            .await;
        exchange.conclude(reply)
    }
}

impl<C> Exchange<'_, C> {
    /// Takes the reply that came past a generated call, which was stopped.
    fn finish<T>(&self, stopped: Result<T, RawError>) -> Result<Answer, Error> {
        match (self.call.take_reply(), stopped) {
            (Some(reply), _) => self.conclude(reply),
            (None, Err(RawError::InvalidRequest(reason))) => {
                Err(Error::refused(reason).during(&self.call))
            }
            (None, Err(RawError::CommunicationError(error))) => self.conclude(Err(error)),
            // Generated code does nothing else before the request is sent.
            (None, _) => {
                Err(Error::refused("the generated client built no request").during(&self.call))
            }
        }
    }

    /// The answer, or the error that it amounts to.
    fn conclude(&self, reply: reqwest::Result<Reply>) -> Result<Answer, Error> {
        let error = match reply {
            Ok(Reply {
                no_answer: Some(reason),
                ..
            }) => Error::no_answer(reason),
            Ok(Reply {
                status,
                body,
                broken: Some(reason),
                ..
            }) => Error::unreadable(status, shortened(&body), reason),
            // Where nobody describes the answer, `error` may be a part of it.
            Ok(reply)
                if reply.status.is_success()
                    && !(self.call.operation.is_some() && tells_of_an_error(&reply.body)) =>
            {
                return Ok(Answer {
                    call: self.call.clone(),
                    status: reply.status,
                    body: reply.body,
                    sent: reply.sent,
                });
            }
            Ok(reply) => {
                let mask = |message: &str| self.endpoint.mask(message, &reply.sent);
                Error::status(
                    reply.status,
                    reply.retry_after,
                    shortened(&reply.body),
                    mask,
                )
                .dated(answered(&reply.headers))
            }
            Err(error) => Error::transport(error),
        };
        Err(error.during(&self.call))
    }
}

impl Caller<'_, ingest::Client> {
    /// Queues a lead, with its place among the pushes of the same lead if that is known.
    pub(crate) async fn push_lead(&self, lead: &Lead, turn: Option<Turn>) -> Result<Answer, Error> {
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
        let exchange = self.begin_with(call.in_turn(turn));
        let call = exchange
            .client
            .create_or_update_lead(self.enterprise(), &body);
        exchange.finish(call.await)
    }
}

impl Caller<'_, sync::Client> {
    pub(crate) async fn create_lead(&self, lead: &Lead) -> Result<Answer, Error> {
        let lead = lead.clone().without_stray_blanks();
        let body = sync::types::CreateLeadBody {
            fields: lead.fields().clone(),
            actions: (!lead.actions().is_empty()).then(|| bare_codes(&lead)),
            extra: lead.extra().clone(),
        };
        let exchange = self.begin(Operation::CreateLead);
        let call = exchange.client.create_lead(self.enterprise(), &body);
        exchange.finish(call.await)
    }

    pub(crate) async fn get_lead(
        &self,
        lead_id: &str,
        actions: Option<(i64, i64)>,
    ) -> Result<Answer, Error> {
        let included = actions.map(|_| true);
        let (skip, limit) = actions.unzip();
        let exchange = self.begin(Operation::GetLead);
        let call = exchange
            .client
            .get_lead(self.enterprise(), lead_id, included, limit, skip);
        exchange.finish(call.await)
    }

    pub(crate) async fn update_lead(
        &self,
        lead_id: &str,
        fields: BTreeMap<String, FieldValue>,
        turn: Turn,
    ) -> Result<Answer, Error> {
        let body = sync::types::UpdateLeadBody { fields };
        let exchange = self.begin_in_turn(Operation::UpdateLead, turn);
        let call = exchange
            .client
            .update_lead(self.enterprise(), lead_id, &body);
        exchange.finish(call.await)
    }

    pub(crate) async fn search_leads(
        &self,
        filter: &Filter,
        (skip, limit): (i64, i64),
    ) -> Result<Answer, Error> {
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
        let exchange = self.begin(Operation::SearchLeads);
        let call = exchange
            .client
            .search_leads(self.enterprise(), Some(limit), Some(skip), &body);
        exchange.finish(call.await)
    }

    pub(crate) async fn create_actions(&self, lead_id: &str, sent: &Lead) -> Result<Answer, Error> {
        let body = sync::types::CreateActionsBody {
            actions: bare_codes(&sent.clone().without_stray_blanks()),
        };
        let exchange = self.begin(Operation::CreateActions);
        let call = exchange
            .client
            .create_actions(self.enterprise(), lead_id, &body);
        exchange.finish(call.await)
    }

    pub(crate) async fn get_action(&self, lead_id: &str, action_id: &str) -> Result<Answer, Error> {
        let exchange = self.begin(Operation::GetAction);
        let call = exchange
            .client
            .get_action(self.enterprise(), lead_id, action_id);
        exchange.finish(call.await)
    }

    pub(crate) async fn update_action(
        &self,
        lead_id: &str,
        action_id: &str,
        action: &Action,
        turn: Turn,
    ) -> Result<Answer, Error> {
        let exchange = self.begin_in_turn(Operation::UpdateAction, turn);
        let call = exchange
            .client
            .update_action(self.enterprise(), lead_id, action_id, action);
        exchange.finish(call.await)
    }

    pub(crate) async fn search_actions(
        &self,
        lead_id: &str,
        filter: &ActionFilter,
        (skip, limit): (i64, i64),
    ) -> Result<Answer, Error> {
        let created_on = filter.times();
        let body = sync::types::SearchActionsBody {
            type_: filter.kind.clone(),
            performed_by: filter.performed_by.clone(),
            created_on: created_on
                .map(|(from, to)| sync::types::SearchActionsBodyCreatedOn { from, to }),
        };
        let exchange = self.begin(Operation::SearchActions);
        let call = exchange.client.search_actions(
            self.enterprise(),
            lead_id,
            Some(limit),
            Some(skip),
            &body,
        );
        exchange.finish(call.await)
    }

    pub(crate) async fn list_team_members(
        &self,
        (skip, limit): (i64, i64),
        include_deleted: bool,
    ) -> Result<Answer, Error> {
        let deleted = include_deleted.then_some(true);
        let exchange = self.begin(Operation::ListTeamMembers);
        let call =
            exchange
                .client
                .list_team_members(self.enterprise(), deleted, Some(limit), Some(skip));
        exchange.finish(call.await)
    }

    pub(crate) async fn get_team_member(
        &self,
        email: &str,
        include_deleted: bool,
    ) -> Result<Answer, Error> {
        let deleted = include_deleted.then_some(true);
        let exchange = self.begin(Operation::GetTeamMember);
        let call = exchange
            .client
            .get_team_member(self.enterprise(), email, deleted);
        exchange.finish(call.await)
    }

    pub(crate) async fn create_team_member(&self, member: &NewTeamMember) -> Result<Answer, Error> {
        let body = sync::types::CreateTeamMemberRequest {
            name: member.name.clone(),
            email: member.email.trim().to_owned(),
            phone_number: member.digits().to_owned(),
            role: member.role.as_str().into(),
            password: member.password.clone(),
        };
        let exchange = self.begin(Operation::CreateTeamMember);
        let call = exchange.client.create_team_member(self.enterprise(), &body);
        exchange.finish(call.await)
    }

    pub(crate) async fn set_team_member_state(
        &self,
        email: &str,
        state: &Availability,
        turn: Turn,
    ) -> Result<Answer, Error> {
        let body = sync::types::TeamMemberStateChange {
            email: email.to_owned(),
            state: state.as_str().into(),
        };
        let exchange = self.begin_in_turn(Operation::SetTeamMemberState, turn);
        let call = exchange
            .client
            .set_team_member_state(self.enterprise(), &body);
        exchange.finish(call.await)
    }

    pub(crate) async fn custom_field(&self, api_name: &str) -> Result<Answer, Error> {
        let exchange = self.begin(Operation::GetCustomField);
        let call = exchange
            .client
            .get_custom_field(self.enterprise(), api_name);
        exchange.finish(call.await)
    }

    pub(crate) async fn custom_action(&self, code: &str) -> Result<Answer, Error> {
        let exchange = self.begin(Operation::GetCustomAction);
        let call = exchange.client.get_custom_action(self.enterprise(), code);
        exchange.finish(call.await)
    }

    pub(crate) async fn metadata(&self) -> Result<Answer, Error> {
        let exchange = self.begin(Operation::GetMetadata);
        let call = exchange.client.get_metadata(self.enterprise());
        exchange.finish(call.await)
    }

    pub(crate) async fn custom_fields(&self) -> Result<Answer, Error> {
        let exchange = self.begin(Operation::ListCustomFields);
        let call = exchange
            .client
            .list_custom_fields(self.enterprise(), Some(true));
        exchange.finish(call.await)
    }

    pub(crate) async fn custom_actions(&self) -> Result<Answer, Error> {
        let exchange = self.begin(Operation::ListCustomActions);
        let call = exchange
            .client
            .list_custom_actions(self.enterprise(), Some(true));
        exchange.finish(call.await)
    }

    pub(crate) async fn pipeline(&self) -> Result<Answer, Error> {
        let exchange = self.begin(Operation::GetLeadStagePipeline);
        let call = exchange.client.get_lead_stage_pipeline(self.enterprise());
        exchange.finish(call.await)
    }
}

/// AC2: the Sync API takes the bare code.
fn bare_codes(lead: &Lead) -> Vec<Action> {
    let actions = lead.actions().iter().cloned();
    actions.map(Action::with_bare_code).collect()
}
