//! The proxy variables of the environment.

use crate::support::{client, emulator};
use std::net::TcpListener;
use std::process::Command;

/// Calls the emulator, in a process of its own whose environment names a proxy.
#[tokio::test]
async fn called_with_a_proxy_in_the_environment() {
    if std::env::var_os("HTTP_PROXY").is_none() {
        return;
    }
    let emulator = emulator().await;
    client(&emulator).workspace().await.expect("called without the proxy");
}

#[test]
fn no_proxy_sees_requests_to_the_machine_itself() {
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
    proxy.set_nonblocking(true).expect("does not block");
    let address = format!("http://{}", proxy.local_addr().expect("an address"));
    let test = std::env::current_exe().expect("a path");
    let output = Command::new(test)
        .args(["--exact", "proxy::called_with_a_proxy_in_the_environment"])
        .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name, &address)))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("\ntest result: ok. 1 passed;"), "{text}");
    assert!(proxy.accept().is_err(), "the proxy got a connection");
}
