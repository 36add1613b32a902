//! Serves connections, and resets them for faults.

use crate::clock;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Serves connections until `stopped`, and then finishes the requests in flight.
///
/// Closes a connection if the head of a request takes longer than `read_timeout`, if there are
/// `max_connections` already, or if the process has no file descriptor left.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    read_timeout: Duration,
    max_connections: usize,
    mut stopped: oneshot::Receiver<()>,
) {
    let router = TowerToHyperService::new(router);
    let graceful = GracefulShutdown::new();
    // Dropping the set ends the connections that remain.
    let mut connections = JoinSet::new();
    let mut acceptor = Acceptor { spare: Acceptor::spare(), listener };
    loop {
        let stream = tokio::select! {
            stream = acceptor.next() => stream,
            _ = &mut stopped => break,
        };
        while connections.try_join_next().is_some() {}
        if connections.len() >= max_connections {
            continue;
        }
        // Answers are small. Waiting for full packets would slow tests down.
        let _ = stream.set_nodelay(true);
        let reset = ResetHandle::default();
        let connection = Connection { stream, reset: reset.clone() };
        let router = router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(reset.clone());
            router.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(read_timeout)
            .serve_connection(TokioIo::new(connection), service);
        connections.spawn(graceful.watch(connection));
    }
    drop(acceptor);
    graceful.shutdown().await;
}

/// Accepts connections, even if the process runs out of file descriptors.
struct Acceptor {
    listener: TcpListener,
    /// A descriptor in reserve. Without a free one, the emulator closes this file to accept and
    /// close the waiting connection, so that its client gets an error instead of a timeout.
    spare: Option<File>,
}

impl Acceptor {
    /// The pause before the next attempt if no connection could be accepted.
    const PAUSE: Duration = Duration::from_secs(1);

    fn spare() -> Option<File> {
        // Systems without this file do not run out of descriptors either.
        File::open("/dev/null").ok()
    }

    /// Waits for the next connection.
    async fn next(&mut self) -> TcpStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return stream,
                Err(error) => match error.kind() {
                    // The client has disconnected already.
                    ErrorKind::ConnectionAborted
                    | ErrorKind::ConnectionRefused
                    | ErrorKind::ConnectionReset => {}
                    _ => self.turn_away().await,
                },
            }
        }
    }

    /// Closes the next waiting connection by means of the reserved descriptor.
    async fn turn_away(&mut self) {
        let had_spare = self.spare.take().is_some();
        let accepted = clock::within(Duration::ZERO, self.listener.accept()).await;
        let is_turned_away = had_spare && matches!(accepted, Some(Ok(_)));
        drop(accepted);
        self.spare = Self::spare();
        if !is_turned_away {
            clock::wait_until(clock::after(Self::PAUSE)).await;
        }
    }
}

/// A connection that can be reset.
struct Connection {
    stream: TcpStream,
    reset: ResetHandle,
}

/// Resets one connection: nothing more is written to it, and the client sees a reset.
#[derive(Clone, Default)]
pub(crate) struct ResetHandle(Arc<AtomicBool>);

impl ResetHandle {
    pub(crate) fn reset(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Connection {
    fn check(&self) -> io::Result<()> {
        if !self.reset.0.load(Ordering::SeqCst) {
            return Ok(());
        }
        // Without lingering, closing the socket sends a reset.
        self.stream.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
