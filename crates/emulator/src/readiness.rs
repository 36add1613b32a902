//! Waits until an emulator, perhaps one in another process, answers.

use crate::clock;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// How much of an answer is read. An emulator's answer is far shorter.
const MAX_ANSWER: u64 = 4096;

/// Waits until an emulator answers at this address. Returns false if the timeout expires first.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use telecrm_emulator::{Emulator, wait_until_ready};
///
/// let emulator = Emulator::start().await?;
/// let address = emulator.url().trim_start_matches("http://").parse()?;
/// assert!(wait_until_ready(address, Duration::from_secs(10)).await);
/// # Ok(())
/// # }
/// ```
pub async fn wait_until_ready(address: SocketAddr, timeout: Duration) -> bool {
    let address = reachable(address);
    let ready = async {
        while !is_ready(address).await.unwrap_or(false) {
            clock::wait_until(clock::after(PAUSE)).await;
        }
    };
    clock::within(timeout, ready).await.is_some()
}

/// The address at which this machine reaches a listener on `local`.
pub(crate) fn reachable(mut local: SocketAddr) -> SocketAddr {
    match local.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => local.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => local.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    local
}

async fn is_ready(address: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /_emulator/health HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let is_ok = answer.split(' ').nth(1) == Some("200");
    Ok(is_ok && answer.ends_with(r#"{"status":"ok"}"#))
}
