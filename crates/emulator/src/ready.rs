//! Waits for an emulator of another process.

use crate::{clock, reachable};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a place is left alone at which nothing answers yet.
const PAUSE: Duration = Duration::from_millis(50);

/// How much of an answer is read: that of an emulator is far shorter.
const ENOUGH: u64 = 4096;

/// Waits until an emulator answers at this address, and says whether one did in time.
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

async fn is_ready(address: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /_emulator/health HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ENOUGH).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let is_ok = answer.split(' ').nth(1) == Some("200");
    Ok(is_ok && answer.ends_with(r#"{"status":"ok"}"#))
}
