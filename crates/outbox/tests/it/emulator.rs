//! The sender of the crate `telecrm` against an emulated telecrm, and against odd answers.

use crate::support::{TestClock, lead, lead_with_action, options};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::time::Duration;
use telecrm::FieldPath;
use telecrm_emulator::Emulator;
use telecrm_outbox::{
    Answer, Event, Held, Outbox, Sender, State, TelecrmSender, WhenLossy, Worker,
};

/// An outbox whose leads go to the emulator as they are.
async fn start(emulator: &Emulator) -> (TestClock, Outbox, Worker) {
    let clock = TestClock::new();
    let options = options(&clock).when_lossy(WhenLossy::QueueAsIs);
    let outbox = Outbox::memory(options).await.unwrap();
    outbox.set_workspace(&telecrm::WorkspaceFile::sample()).await.unwrap();
    let telecrm = emulator.client_builder().verify_timeout(Duration::ZERO).build().unwrap();
    let worker = Worker::start(&outbox, TelecrmSender::new(&telecrm)).await.unwrap();
    (clock, outbox, worker)
}

#[tokio::test]
async fn leads_arrive_and_are_read_back() {
    let emulator = Emulator::start().await.unwrap();
    let (clock, outbox, mut worker) = start(&emulator).await;
    let leads = [lead_with_action(1, "A"), lead(2, "B").set("rating", 9)];
    let added = outbox.enqueue(leads).await.unwrap();
    let seqs: Vec<_> = added.into_iter().map(|receipt| receipt.unwrap().seq).collect();
    worker.drain().await.unwrap();
    emulator.wait_idle().await;
    clock.seconds(30);
    worker.drain().await.unwrap();
    let stored = outbox.get(seqs[0]).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.sends()), (State::Verified, 1));
    // The check predicted the loss, so that no later look is needed.
    let differs = outbox.get(seqs[1]).await.unwrap().unwrap();
    assert_eq!(differs.state, State::Differs);
    assert_eq!(differs.findings().len(), 1);
    assert_eq!(differs.findings()[0].path, FieldPath::Field("rating".to_owned()));
}

#[tokio::test]
async fn leads_wait_while_telecrm_cannot_be_reached() {
    let emulator = Emulator::start().await.unwrap();
    let (clock, outbox, mut worker) = start(&emulator).await;
    let mut events = outbox.events();
    // No connection is open yet, so that none breaks in the middle of a request.
    drop(emulator);
    let seq = outbox.enqueue([lead(1, "A")]).await.unwrap().remove(0).unwrap().seq;
    for _ in 0..10 {
        worker.drain().await.unwrap();
        clock.seconds(5);
    }
    let item = outbox.get(seq).await.unwrap().unwrap();
    assert_eq!((item.state, item.attempts(), item.maybe_sent()), (State::Queued, 0, false));
    assert_eq!(item.answer(), Some("no connection"));
    while events.next().await != Some(Event::Held(Held::Connection)) {}
}

/// Answers one request, and returns the URL for it.
fn answer_once(head: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim().to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        let end = format!("content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        let answer = format!("HTTP/1.1 {head}\r\n{end}");
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
    });
    url
}

#[tokio::test]
async fn row_11_and_12_what_the_server_answers_decides_what_becomes_of_the_lead() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let too_many = |retry_after| Answer::Refused { status: 429, code: None, retry_after };
    for (head, body, expected) in [
        ("200 OK\r\ncontent-type: text/plain", "OK", Answer::Accepted),
        ("202 Accepted\r\ncontent-type: text/plain", "Accepted", Answer::Accepted),
        ("204 No Content", "", Answer::Accepted),
        ("200 OK\r\ncontent-type: text/html", "<html>down</html>", Answer::Unreadable),
        ("429 Too Many\r\nretry-after: 17", "", too_many(seconds(17))),
        ("422 No", "", Answer::Refused { status: 422, code: None, retry_after: None }),
    ] {
        let url = answer_once(head, body);
        let telecrm = telecrm::Telecrm::builder("ent-local")
            .sync_token(telecrm::SyncToken::new("sync-local-token").unwrap())
            .async_token(telecrm::AsyncToken::new("async-local-token").unwrap())
            .sync_url(format!("{url}/autoupdate/v2"))
            .async_url(url)
            .build();
        let sender = TelecrmSender::new(&telecrm.unwrap());
        assert_eq!(sender.send(&lead(1, "A"), "async").await, expected, "{head} {body}");
    }
}
