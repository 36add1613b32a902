//! Nothing that prints shows a lead, a key or the name of a token.

use crate::support::{Fixture, Kind, lead, refused};
use std::fmt::Debug;
use telecrm_outbox::{Answer, Drained, Event, Options, Outbox, Requeued, classify};
use telecrm_outbox::{Arrival, Blocked, Exported, Filter, Held, NewLead, ReadBack, State, Verdict};

const SURFACE: &str = include_str!("../../../../docs/public-api.txt");

/// Planted in a lead and as a key.
const MARK: &str = "planted";

#[derive(Default)]
struct Printed(Vec<String>);

impl Printed {
    #[track_caller]
    fn print<T: Debug>(&mut self, value: &T) {
        let printed = format!("{value:?} {value:#?}").to_lowercase();
        assert!(!printed.contains(MARK), "{printed}");
        assert!(!printed.contains("9198"), "{printed}");
        self.0.push(std::any::type_name::<T>().to_owned());
    }
}

/// Types without `Debug`, and the error, which the tests of operators print.
const NOT_PRINTED: [&str; 5] = ["Outbox", "Options", "Worker", "TelecrmSender", "Error"];

#[tokio::test]
async fn every_public_type_is_printed_or_holds_no_data() {
    let mut all = Printed::default();
    let fixture = Fixture::new(Kind::Memory).await;
    all.print(&fixture.outbox.events());
    let new = NewLead::new(lead(1, MARK)).key(MARK);
    all.print(&new);
    all.print(&fixture.outbox.enqueue([new]).await.unwrap()[0].as_ref().unwrap());
    fixture.script.always(refused(422));
    let mut worker = fixture.worker().await;
    all.print(&worker.stopper());
    all.print::<Drained>(&worker.drain().await.unwrap());
    all.print(&fixture.outbox.get(1).await.unwrap().unwrap());
    let exported = fixture.outbox.export(0, 1).await.unwrap().remove(0).1;
    all.print::<Exported>(&exported);
    all.print(&fixture.outbox.stats().await.unwrap());
    all.print(&fixture.outbox.check().await.unwrap());
    all.print::<Requeued>(&fixture.outbox.requeue(1).await.unwrap());
    all.print(&State::Dead);
    all.print::<Filter>(&Filter::new().state(State::Dead));
    all.print::<Event>(&Event::Dead(1, "refused: 422".to_owned()));
    all.print::<Answer>(&refused(422));
    all.print::<Verdict>(&classify(&refused(422)));
    all.print::<Blocked>(&Blocked::Connection);
    all.print::<Held>(&Held::Tokens);
    all.print::<ReadBack>(&ReadBack::Missing);
    all.print::<Arrival>(&Arrival::Arrived);

    let own = SURFACE.split("\n## ").filter(|part| part.starts_with("crates/outbox/"));
    let lines: Vec<_> = own.flat_map(str::lines).collect();
    let mut missing = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(definition) = ["pub struct ", "pub enum "]
            .into_iter()
            .find_map(|start| line.trim_start().strip_prefix(start))
        else {
            continue;
        };
        let name = definition.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let mut attributes = lines[..index].iter().rev().take_while(|line| line.starts_with('#'));
        let is_copy = attributes.any(|line| line.contains("Copy"));
        let is_printed = all.0.iter().any(|printed| printed.ends_with(&format!("::{name}")));
        if !is_copy && !is_printed && !NOT_PRINTED.contains(&name) {
            missing.push(name);
        }
    }
    assert_eq!(missing, [""; 0], "print these types above");
}

/// A future that cannot be sent to another thread cannot be spawned.
#[test]
fn calls_can_be_spawned() {
    fn spawned<T: Send>(_future: T) {}
    // Never called: that it compiles is the test.
    let _check = |outbox: Outbox, options: Options| {
        spawned(Outbox::memory(options));
        let outbox = &outbox;
        spawned(async move {
            outbox.enqueue([lead(1, "A")]).await?;
            outbox.import([]).await?;
            outbox.edit(1, lead(1, "A")).await?;
            outbox.set_workspace(&telecrm::WorkspaceFile::sample()).await?;
            outbox.prune(std::time::Duration::ZERO).await
        });
    };
}
