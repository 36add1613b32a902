// Generated from openapi/async.yaml by `cargo xtask regen`. Do not edit: change its overlay instead.

/// The `async` client, generated.
#[allow(
    clippy::all,
    clippy::unwrap_used,
    missing_docs,
    rustdoc::all,
    unreachable_pub,
    unused
)]
pub mod ingest {
    use crate::raw::runtime::{Bytes, QueryIf as _, ResponseValue, Unbuilt, encode_path};
    /// Enums that the vendor may extend: the known values, and a variant that keeps other
    /// text.
    pub mod enums {
        ::telecrm_core::open_enum! {
            #[doc = " A value of `CreateOrUpdateLeadResponseStatus`."] pub enum
            CreateOrUpdateLeadResponseStatus { Queued = "QUEUED", }
        }
    }
    /// The parameters of the operations that take more than one.
    pub mod parameters {
        use super::{enums, types};
        /// The parameters of [`create_or_update_lead`](super::Client::create_or_update_lead).
        #[derive(Clone)]
        pub struct CreateOrUpdateLead<'a> {
            pub enterprise_id: &'a str,
            pub body: &'a types::CreateOrUpdateLeadBody,
        }
    }
    /// Types used as operation parameters and responses.
    #[allow(clippy::all)]
    pub mod types {
        use super::enums;
        ///`CreateOrUpdateLeadBody`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct CreateOrUpdateLeadBody {
            ///Added to the timeline in the given order.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub actions: ::std::option::Option<::std::vec::Vec<::telecrm_core::Action>>,
            ///Values by API name. Without the lead identifier the whole request is dropped.
            pub fields: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
            #[serde(flatten)]
            pub extra: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
        }
        impl<'de> ::serde::Deserialize<'de> for CreateOrUpdateLeadBody {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    actions: object.optional("actions")?,
                    fields: object.required("fields")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`CreateOrUpdateLeadResponse`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct CreateOrUpdateLeadResponse {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub status: ::std::option::Option<enums::CreateOrUpdateLeadResponseStatus>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for CreateOrUpdateLeadResponse {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    status: object.optional("status")?,
                    extra: object.rest()?,
                })
            }
        }
        /// Error types.
        pub mod error {
            /// Error from a `TryFrom` or `FromStr` implementation.
            pub struct ConversionError(::std::borrow::Cow<'static, str>);
            impl ::std::error::Error for ConversionError {}
            impl ::std::fmt::Display for ConversionError {
                fn fmt(
                    &self,
                    f: &mut ::std::fmt::Formatter<'_>,
                ) -> Result<(), ::std::fmt::Error> {
                    ::std::fmt::Display::fmt(&self.0, f)
                }
            }
            impl ::std::fmt::Debug for ConversionError {
                fn fmt(
                    &self,
                    f: &mut ::std::fmt::Formatter<'_>,
                ) -> Result<(), ::std::fmt::Error> {
                    ::std::fmt::Debug::fmt(&self.0, f)
                }
            }
            impl From<&'static str> for ConversionError {
                fn from(value: &'static str) -> Self {
                    Self(value.into())
                }
            }
            impl From<String> for ConversionError {
                fn from(value: String) -> Self {
                    Self(value.into())
                }
            }
        }
        crate::raw::runtime::print_names_only!(
            CreateOrUpdateLeadBody, CreateOrUpdateLeadResponse
        );
    }
    #[derive(Clone, Debug)]
    /**Client for Telecrm Async APIs

Queue leads, with their actions, for creation or update in the background.

**Token.** In the dashboard open Settings, Website and API, API token, create a token of the type Async and keep it: it is shown once. Send it with every request as a bearer token.

Version: 1.0.0*/
    pub struct Client {
        pub(crate) baseurl: String,
        pub(crate) client: reqwest::Client,
        pub(crate) inner: crate::transport::Context,
    }
    impl Client {
        /// Construct a new client with an existing `reqwest::Client`,
        /// allowing more control over its configuration.
        ///
        /// `baseurl` is the base URL provided to the internal
        /// `reqwest::Client`, and should include a scheme and hostname,
        /// as well as port and a path stem if applicable.
        pub fn new_with_client(
            baseurl: &str,
            client: reqwest::Client,
            inner: crate::transport::Context,
        ) -> Self {
            Self {
                baseurl: baseurl.to_string(),
                client,
                inner,
            }
        }
    }
    #[allow(clippy::all)]
    impl Client {
        pub(crate) fn create_or_update_lead_request<'a>(
            &'a self,
            parameters: parameters::CreateOrUpdateLead<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::CreateOrUpdateLead { enterprise_id, body } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let url = format!(
                "{}/enterprise/{}/autoupdatelead", self.baseurl, enterprise_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .post(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .json(&body)
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Create/Update Lead

Queues one lead. If a lead has the given identifier, the supplied fields are written and all others stay; else a lead is created. The answer says nothing about the outcome: whatever does not pass validation in the background is dropped without a report.

Sends a `POST` request to `/enterprise/{enterpriseId}/autoupdatelead`

Arguments:
- `enterprise_id`: Id of the enterprise
- `body`
*/
        pub async fn create_or_update_lead<'a>(
            &'a self,
            parameters: parameters::CreateOrUpdateLead<'a>,
        ) -> Result<ResponseValue<types::CreateOrUpdateLeadResponse>, crate::Error> {
            let request = self.create_or_update_lead_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::CreateOrUpdateLead), request)
                .await?;
            ResponseValue::from_response(response)
        }
    }
}
