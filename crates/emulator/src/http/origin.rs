//! Protects the emulator from web pages in a browser on the same machine.

use super::response::ApiError;
use crate::problem::Problem;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use std::net::{IpAddr, SocketAddr};

/// The path below which the emulator's own endpoints and pages are.
pub(crate) const OWN: &str = "/_emulator";

/// In this header, a browser names the relation between the page that sends a request and the host.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a foreign `Host`, which a web page can point at this machine (DNS rebinding).
pub(crate) fn check_host(
    request: &Request,
    local: SocketAddr,
    allowed: &[String],
) -> Result<(), ApiError> {
    let mut headers = request.headers().get_all(header::HOST).iter();
    let header = headers.next();
    if headers.next().is_some() {
        return Err(ApiError::bad_request("The request has several Host headers"));
    }
    let host = header.and_then(|host| host.to_str().ok()).or(request.uri().host());
    if host.is_some_and(|host| is_own_host(host, local, allowed)) {
        return Ok(());
    }
    let mut problem =
        Problem::new(format!("The Host header is neither localhost nor an address of {local}"));
    let mut hint =
        "start the emulator with --allow-host NAME (Builder::allow_host) to allow another name"
            .to_owned();
    // The host without its port, if only the port is another one.
    let own = host.and_then(|host| host.parse::<Authority>().ok()).filter(|authority| {
        let name = authority.host();
        is_own_host(&format!("{name}:{}", local.port()), local, allowed)
    });
    if let Some(authority) = own {
        problem = Problem::new(format!(
            "The Host header names {authority}, but the emulator has the port {}",
            local.port()
        ));
        let name = authority.host();
        hint = format!(
            "if a forwarded port leads here, start the emulator with --allow-host {name} \
             (Builder::allow_host)"
        );
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "FORBIDDEN", problem.hint(hint)))
}

/// Refuses commands to the emulator's own endpoints from foreign web pages (cross-site request
/// forgery). Only browsers send the headers that this checks. The APIs are safe by their tokens.
pub(crate) fn check_origin(request: &Request) -> Result<(), ApiError> {
    let is_command = request.uri().path().starts_with(OWN) && !request.method().is_safe();
    if !is_command || is_own_page(request.headers()) {
        return Ok(());
    }
    let message =
        "Another web page has sent this request, which only the emulator's pages may send";
    Err(ApiError::new(StatusCode::FORBIDDEN, "FORBIDDEN", message))
}

/// Whether one of the emulator's own pages or no page at all sends the request.
fn is_own_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text(header::ORIGIN), text(SEC_FETCH_SITE)) {
        (None, site) => site.is_none_or(|site| matches!(site, "none" | "same-origin")),
        (Some(origin), _) => origin.split_once("://").map(|(_, host)| host) == text(header::HOST),
    }
}

/// Checks a host name before [`check_host`] allows it.
pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    let authority = name.parse::<Authority>();
    if authority.is_ok_and(|authority| authority.host() == name) {
        return Ok(());
    }
    let problem = Problem::new(format!("{name:?} is not a host name"));
    Err(problem.hint("write the name without scheme, port and path, such as crm.test"))
}

fn is_own_host(host: &str, local: SocketAddr, allowed: &[String]) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let is_allowed = |name: &String| name.eq_ignore_ascii_case(authority.host());
    if allowed.iter().any(is_allowed) {
        return true;
    }
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    // A web page cannot rebind an address, so every address is safe if the emulator listens on all.
    let is_own_name = match name.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || ip == local.ip() || local.ip().is_unspecified(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    };
    // Other machines may reach the emulator through a mapped port.
    let is_own_port = authority.port_u16().unwrap_or(80) == local.port();
    is_own_name && (is_own_port || !local.ip().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "127.0.0.1:4010";
    const EVERYWHERE: &str = "0.0.0.0:4010";

    fn is_own(host: &str, local: &str, allowed: &[String]) -> bool {
        is_own_host(host, local.parse().expect("an address"), allowed)
    }

    #[test]
    fn loopback_addresses_and_localhost_are_own_hosts() {
        for host in ["127.0.0.1:4010", "localhost:4010", "LOCALHOST:4010", "[::1]:4010"] {
            assert!(is_own(host, LOCAL, &[]), "{host}");
        }
    }

    #[test]
    fn other_names_and_ports_are_foreign_hosts() {
        for host in [
            "evil.example:4010",
            "localhost.evil.example:4010",
            "127.0.0.1.evil.example:4010",
            "127.0.0.1:80",
            "localhost",
            "10.0.0.7:4010",
            "",
        ] {
            assert!(!is_own(host, LOCAL, &[]), "{host}");
        }
    }

    #[test]
    fn every_address_is_an_own_host_of_an_emulator_that_listens_everywhere() {
        assert!(is_own("10.0.0.7:8080", EVERYWHERE, &[]));
        assert!(!is_own("evil.example:4010", EVERYWHERE, &[]));
    }

    #[test]
    fn an_allowed_name_is_an_own_host_with_any_port() {
        let allowed = ["crm.test".to_owned()];
        for host in ["crm.test:4010", "CRM.test"] {
            assert!(is_own(host, EVERYWHERE, &allowed), "{host}");
        }
        for host in
            ["other.crm.test:4010", "crm.test.evil.example:4010", "crm.test@evil.example:4010"]
        {
            assert!(!is_own(host, EVERYWHERE, &allowed), "{host}");
        }
    }

    #[test]
    fn a_host_name_has_no_scheme_port_or_blank() {
        assert_eq!(check_name("crm.test"), Ok(()));
        for name in ["", "crm.test:80", "http://crm.test", "a@crm.test", "crm test"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
