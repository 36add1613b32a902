use crate::{Local, TempFile, leads, run, run_with_stdin, telecrm};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn it_prints_the_environment_that_points_at_it() {
    let local = Local::start(&["--enterprise", "ent-other"]);
    let names: Vec<_> = local
        .exports
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "TELECRM_ENTERPRISE_ID",
            "TELECRM_SYNC_TOKEN",
            "TELECRM_ASYNC_TOKEN",
            "TELECRM_SYNC_URL",
            "TELECRM_ASYNC_URL"
        ]
    );
    assert_eq!(local.variable("TELECRM_ENTERPRISE_ID"), "ent-other");
    assert_eq!(local.variable("TELECRM_SYNC_TOKEN"), "sync-local-token");
    assert_eq!(local.variable("TELECRM_ASYNC_TOKEN"), "async-local-token");
    let base = local.variable("TELECRM_ASYNC_URL");
    assert_eq!(
        local.variable("TELECRM_SYNC_URL"),
        format!("{base}/autoupdate/v2")
    );
}

#[cfg(unix)]
#[test]
fn it_ends_when_it_is_told_to() {
    for (name, exit) in [("-INT", 130), ("-TERM", 0)] {
        let mut local = Local::start(&[]);
        crate::signals::signal(&local.child, name);
        assert_eq!(
            local.child.wait().expect("ends").code(),
            Some(exit),
            "{name}"
        );
    }
}

#[test]
fn a_seed_decides_what_the_workspace_holds() {
    let seed = TempFile::new(
        "seed.json",
        br#"{"customFields": [{"apiName": "email", "type": "EMAIL", "isLeadid": true}, {"apiName": "shoe_size", "type": "NUMBER"}]}"#,
    );
    let local = Local::start(&["--seed", seed.path()]);
    let row = r#"{"fields": {"email": "Asha@example.com", "shoe_size": 38}}"#;
    let ran = run_with_stdin(local.telecrm(&["push", "-", "--verify"]), row);
    assert_eq!(
        (ran.exit, ran.outcomes()),
        (0, vec!["stored".to_owned()]),
        "{ran:?}"
    );
    assert_eq!(ran.rows()[0]["identifier"], "asha@example.com");
}

#[test]
fn bad_seeds_are_refused_with_their_place() {
    for (content, said) in [
        ("{", "is not JSON"),
        ("{}", "customFields"),
        (r#"{"customFields": [{"type": "TEXT"}]}"#, "customFields[0]"),
        (
            r#"{"customFields": [{"apiName": "phone", "type": "PHONE"}], "emulator": {"seats": "many"}}"#,
            "emulator.seats: expected a whole number from 0, found \"many\"",
        ),
        (
            r#"{"customFields": [], "customFields": []}"#,
            "`customFields` stands twice",
        ),
    ] {
        let seed = TempFile::new("bad-seed.json", content.as_bytes());
        run(telecrm(&["emulator", "--seed", seed.path()])).refused(2, &[seed.path(), said]);
    }
    let latin = TempFile::new("latin.json", b"{\"customFields\": [\"\xe9\"]}");
    run(telecrm(&["emulator", "--seed", latin.path()])).refused(2, &["save it as UTF-8"]);
    run(telecrm(&["emulator", "--enterprise", ""])).refused(2, &["the enterprise ID is empty"]);
    run(telecrm(&["emulator", "--listen", "localhost:4010"]))
        .refused(2, &["an IP address and a port"]);
    run(telecrm(&["emulator", "--seed", "no/such.json"]))
        .refused(2, &["no/such.json cannot be read"]);
}

#[test]
fn profile_and_switches_decide_what_is_answered() {
    let arguments = [
        "--profile",
        "reported",
        "--switch",
        "async-answer=ok",
        "--switch",
        "search-ids=yes",
    ];
    let local = Local::start(&arguments);
    let row = r#"{"fields": {"phone": "919999999999", "status": "Contacted"}, "actions": [{"type": "ACTION_1001"}]}"#;
    let ran = run_with_stdin(local.telecrm(&["push", "-", "--verify"]), row);
    assert_eq!(
        (ran.exit, ran.outcomes()),
        (0, vec!["stored".to_owned()]),
        "{ran:?}"
    );

    for (flag, value, said) in [
        ("--profile", "live", "documented, reported"),
        ("--switch", "async-answer=yes", "queued, ok, 204, html"),
        ("--switch", "async=ok", "async-answer"),
        ("--switch", "async-answer", "NAME=VALUE"),
    ] {
        run(telecrm(&["emulator", flag, value])).refused(2, &[said]);
    }
}

#[test]
fn it_stays_on_this_machine_unless_told_otherwise() {
    run(telecrm(&["emulator", "--listen", "0.0.0.0:0"]))
        .refused(2, &["0.0.0.0:0", "--allow-remote"]);
}

#[test]
fn names_of_its_own_are_allowed_one_by_one() {
    let local = Local::start(&["--allow-host", "crm.test"]);
    let answer = |host: &str| {
        let address = local
            .variable("TELECRM_ASYNC_URL")
            .trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("connects");
        let request =
            format!("GET /_emulator/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    assert!(answer("crm.test:8080").starts_with("HTTP/1.1 200"));
    let refused = answer("other.test:8080");
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    assert!(refused.contains("--allow-host NAME"), "{refused}");
    let listen = [
        "emulator",
        "--listen",
        "127.0.0.1:0",
        "--allow-host",
        "http://x",
    ];
    run(telecrm(&listen)).refused(2, &["\"http://x\" is not a host name"]);
}

#[test]
fn up_to_three_tokens_of_each_type_come_from_the_environment() {
    let variables = [
        ("TELECRM_EMULATOR_SYNC_TOKEN", "s-1, s-2"),
        ("TELECRM_EMULATOR_ASYNC_TOKEN", "a-1,a-2,a-3"),
    ];
    let local = Local::start_with(&["--async-limit", "1"], &variables);
    assert_eq!(local.variable("TELECRM_SYNC_TOKEN"), "s-1");
    assert_eq!(local.variable("TELECRM_ASYNC_TOKEN"), "a-1");
    // Each has a limit of its own.
    let mut push = local.telecrm(&["push", "-"]);
    push.env("TELECRM_SYNC_TOKEN", "s-2");
    push.env("TELECRM_ASYNC_TOKEN", "a-2,a-3");
    let ran = run_with_stdin(push, &leads(2));
    assert_eq!(ran.outcomes(), ["accepted", "accepted"], "{ran:?}");

    for (value, said) in [
        ("a,b,c,d", "at most 3 tokens"),
        ("a,,b", "TELECRM_EMULATOR_SYNC_TOKEN"),
    ] {
        let mut refused = telecrm(&["emulator", "--listen", "127.0.0.1:0"]);
        refused.env("TELECRM_EMULATOR_SYNC_TOKEN", value);
        run(refused).refused(2, &[said]);
    }
}

/// With fewer files than connections, clients must not be left waiting.
#[cfg(unix)]
#[test]
fn few_open_files_are_raised_or_heeded() {
    for (limit, held) in [("-n 64", 32), ("-Sn 64", 100)] {
        let mut command = Command::new("sh");
        let script = format!("ulimit {limit}; exec \"$0\" emulator --listen 127.0.0.1:0");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_telecrm")]);
        let local = Local::spawn(command.stderr(Stdio::null()));
        let address = local
            .variable("TELECRM_ASYNC_URL")
            .trim_start_matches("http://");
        let request = format!("GET /_emulator/health HTTP/1.1\r\nHost: {address}\r\n\r\n");
        let mut clients: Vec<_> = (0..100)
            .map(|_| {
                let mut stream = TcpStream::connect(address).expect("connects");
                let patience = Duration::from_secs(10);
                stream.set_read_timeout(Some(patience)).expect("a timeout");
                // One that is closed already may not take it.
                let _ = stream.write_all(request.as_bytes());
                stream
            })
            .collect();
        let answered = clients.iter_mut().filter_map(|stream| {
            let mut answer = [0; 12];
            match stream.read(&mut answer) {
                Ok(length) => (length > 0).then_some(()),
                Err(error) => {
                    let waited =
                        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                    assert!(!waited, "{limit}: a client is left waiting");
                    None
                }
            }
        });
        let answered = answered.count();
        assert_eq!(answered, held, "{limit}");
    }
    let none = ["emulator", "--max-connections", "0"];
    run(telecrm(&none)).refused(2, &["--max-connections"]);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    run(telecrm(&["emulator", "--listen", &address])).refused(1, &[&address, "--listen"]);
}

#[test]
fn faults_come_from_a_file() {
    let rules = TempFile::new(
        "faults.json",
        br#"[{"operation": "createOrUpdateLead", "fields": {"phone": "919999999999"}, "do": {"answer": {"status": 400}}}]"#,
    );
    let local = Local::start(&["--fault", rules.path()]);
    let rows = "{\"fields\": {\"phone\": \"919999999999\"}}\n{\"fields\": {\"phone\": \"918888888888\"}}\n";
    let ran = run_with_stdin(local.telecrm(&["push", "-", "--verify"]), rows);
    assert_eq!(ran.outcomes(), ["failed", "stored"], "{ran:?}");

    for (content, said) in [
        ("{", "is not JSON"),
        (r#"[{"do": "explode"}]"#, "explode"),
        ("[7]", "expected a rule, such as"),
        (
            r#"{"do": {"answer": {"status": 99}}}"#,
            "99 is not the status",
        ),
        (
            r#"[{"operation": "deleteLead", "do": "hang"}]"#,
            "createLead",
        ),
    ] {
        let rules = TempFile::new("bad-faults.json", content.as_bytes());
        run(telecrm(&["emulator", "--fault", rules.path()])).refused(2, &[rules.path(), said]);
    }
}

#[test]
fn a_rate_limit_is_kept() {
    let local = Local::start(&["--async-limit", "1", "--retry-after"]);
    let rows = "{\"fields\": {\"phone\": \"919999999999\"}}\n{\"fields\": {\"phone\": \"918888888888\"}}\n";
    let ran = run_with_stdin(local.telecrm(&["push", "-"]), rows);
    assert_eq!(ran.exit, 6, "{ran:?}");
    for speed in ["0", "-1", "fast", "inf"] {
        let flag = format!("--limit-speed={speed}");
        run(telecrm(&["emulator", &flag])).refused(2, &["--limit-speed", "above zero"]);
    }
}

#[test]
fn scripts_wait_until_it_is_ready() {
    let local = Local::start(&[]);
    let address = local
        .variable("TELECRM_ASYNC_URL")
        .trim_start_matches("http://");
    let ready = |address: &str, timeout: &str| {
        run(telecrm(&[
            "emulator",
            "ready",
            "--listen",
            address,
            "--timeout",
            timeout,
        ]))
    };
    let ran = ready(address, "10");
    assert_eq!(
        (ran.exit, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "", "")
    );

    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    ready(&address, "200ms").refused(1, &[&address, "--timeout"]);
}

#[test]
fn a_state_file_outlives_the_process() {
    let file = TempFile::new("state.db", b"");
    let row = r#"{"fields": {"phone": "919999999999"}}"#;
    {
        let local = Local::start(&["--state", file.path(), "--now", "2026-04-01T09:00:00+05:30"]);
        let ran = run_with_stdin(local.telecrm(&["push", "-", "--verify"]), row);
        assert_eq!(ran.outcomes(), ["stored"], "{ran:?}");
        let listen = [
            "emulator",
            "--listen",
            "127.0.0.1:0",
            "--state",
            file.path(),
        ];
        run(telecrm(&listen)).refused(1, &[file.path(), "in use by another emulator"]);
        // It is killed here, with no time to close the file.
    }
    let database = std::fs::read(file.path()).expect("a file");
    assert!(database.starts_with(b"SQLite format 3"));
    let local = Local::start(&["--state", file.path()]);
    let found = local.search();
    assert!(found.contains(r#""total_count":1"#), "{found}");
    // The clock goes on from where it was set.
    assert!(found.contains(r#""created_on":17750142"#), "{found}");
    drop(local);
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.path()));
    }

    let other = TempFile::new(
        "other.db",
        b"no database at all, but long enough to be looked at: it is refused",
    );
    run(telecrm(&["emulator", "--state", other.path()]))
        .refused(1, &[other.path(), "is not a state file"]);
    run(telecrm(&["emulator", "--now", "yesterday"])).refused(2, &["--now"]);
    run(telecrm(&[
        "emulator",
        "--listen",
        "127.0.0.1:0",
        "--now",
        "2200-01-01T00:00:00Z",
    ]))
    .refused(2, &["1970 and 2106"]);
}

#[test]
fn a_recording_is_run_again() {
    let tape = TempFile::new("tape.jsonl", b"");
    std::fs::remove_file(tape.path()).expect("removed");
    let rules = TempFile::new(
        "chance.json",
        br#"[{"operation": "createOrUpdateLead", "chance": 0.5, "do": {"answer": {"status": 400}}}]"#,
    );
    {
        let local = Local::start(&[
            "--record",
            tape.path(),
            "--fault",
            rules.path(),
            "--random-seed",
            "3",
        ]);
        let ran = run_with_stdin(local.telecrm(&["push", "-", "--verify"]), &leads(20));
        let failed = ran
            .outcomes()
            .iter()
            .filter(|outcome| *outcome == "failed")
            .count();
        assert!((1..20).contains(&failed), "{ran:?}");
    }
    let ran = run(telecrm(&["emulator", "replay", tape.path()]));
    assert_eq!((ran.exit, ran.stdout.as_str()), (0, ""), "{ran:?}");
    assert!(ran.stderr.contains("all answered as they were"), "{ran:?}");

    let text = std::fs::read_to_string(tape.path()).expect("a recording");
    assert!(!text.contains("local-token"));
    let changed = text.replacen(r#"\"QUEUED\""#, r#"\"TAKEN\""#, 1);
    std::fs::write(tape.path(), changed).expect("written");
    let ran = run(telecrm(&["emulator", "replay", tape.path()]));
    assert_eq!(ran.exit, 1, "{ran:?}");
    for said in [
        "POST /enterprise/ent-local/autoupdatelead",
        "body.status: recorded \"TAKEN\", answered \"QUEUED\"",
        "1 answered otherwise",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {ran:?}");
    }

    run(telecrm(&["emulator", "replay", rules.path()]))
        .refused(2, &[rules.path(), "is not a recording"]);
    run(telecrm(&["emulator", "--record", tape.path()]))
        .refused(1, &[tape.path(), "choose another name"]);
}
