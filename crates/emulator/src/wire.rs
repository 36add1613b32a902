//! Connections: how they are served, and how they are broken on command.

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

/// Answers whoever connects, until it is told to stop; then only what has been asked already. Who takes longer than
/// `patience` to ask is hung up on, and so is who comes when `most` are connected, or when no file is left.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Duration,
    most: usize,
    mut stopped: oneshot::Receiver<()>,
) {
    let router = TowerToHyperService::new(router);
    let graceful = GracefulShutdown::new();
    // They end with this, if they have not ended before.
    let mut connections = JoinSet::new();
    let mut door = Door {
        spare: Door::spare(),
        listener,
    };
    loop {
        let stream = tokio::select! {
            stream = door.next() => stream,
            _ = &mut stopped => break,
        };
        while connections.try_join_next().is_some() {}
        if connections.len() >= most {
            continue;
        }
        // Answers are small, and waiting to fill packets would only slow tests down.
        let _ = stream.set_nodelay(true);
        let scissors = Scissors::default();
        let wire = Wire {
            stream,
            scissors: scissors.clone(),
        };
        let router = router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(scissors.clone());
            router.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience)
            .serve_connection(TokioIo::new(wire), service);
        connections.spawn(graceful.watch(connection));
    }
    drop(door);
    graceful.shutdown().await;
}

/// Where they come in.
struct Door {
    listener: TcpListener,
    /// A file to give up where the process may open no more: whoever comes then can be let in to be hung up on, and does not wait
    /// for nothing.
    spare: Option<File>,
}

impl Door {
    /// How long it waits where nothing else helps.
    const PAUSE: Duration = Duration::from_secs(1);

    fn spare() -> Option<File> {
        // Where there is no such file, no process runs out of them either.
        File::open("/dev/null").ok()
    }

    /// The next who connects.
    async fn next(&mut self) -> TcpStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return stream,
                // It has gone again.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::ConnectionAborted
                            | ErrorKind::ConnectionRefused
                            | ErrorKind::ConnectionReset
                    ) => {}
                Err(_) => self.turn_away().await,
            }
        }
    }

    async fn turn_away(&mut self) {
        let given_up = self.spare.take();
        let is_given_up = given_up.is_some();
        drop(given_up);
        let come = clock::within(Duration::ZERO, self.listener.accept()).await;
        let is_turned_away = is_given_up && matches!(come, Some(Ok(_)));
        drop(come);
        self.spare = Self::spare();
        if !is_turned_away {
            clock::wait_until(clock::after(Self::PAUSE)).await;
        }
    }
}

/// A connection.
struct Wire {
    stream: TcpStream,
    scissors: Scissors,
}

/// Cuts one connection: nothing more is written to it, and the peer sees a reset.
#[derive(Clone, Default)]
pub(crate) struct Scissors(Arc<AtomicBool>);

impl Scissors {
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Wire {
    fn check(&self) -> io::Result<()> {
        if !self.scissors.0.load(Ordering::SeqCst) {
            return Ok(());
        }
        // So that closing it does not say goodbye first.
        self.stream.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
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
