//! All texts of findings and errors in one snapshot, so that they are read together.
#![cfg(feature = "phone")]

use serde_json::{Value, json};
use std::fmt::Write as _;
use telecrm_core::{
    ActionCode, Amount, Country, Decimal, FieldPath, FieldValue, Finding, Lead, LeadRecord,
    Outcome, Workspace, WorkspaceFile,
};

/// The workspace in which all leads are checked.
fn workspace() -> Workspace {
    Workspace::sample()
}

#[derive(Default)]
struct Texts(String);

impl Texts {
    fn section(&mut self, title: &str) {
        let _ = write!(self.0, "\n# {title}\n\n");
    }

    fn finding(&mut self, finding: &Finding) {
        let _ = writeln!(self.0, "{finding:#}");
    }

    fn error(&mut self, error: impl std::error::Error) {
        let _ = writeln!(self.0, "{error:#}");
    }

    /// The findings about one value of a field.
    fn value(&mut self, name: &str, value: impl Into<FieldValue>) {
        let outcome = workspace().accept_field(name, &value.into());
        let path = FieldPath::Field(name.to_owned());
        self.finding(&outcome.finding(path).expect("a finding"));
    }

    /// The report about a lead. Adds an identifier unless the lead sets it or removes it by null.
    fn lead(&mut self, mut body: Value) {
        let fields = body.as_object_mut().expect("an object");
        let fields = fields.entry("fields").or_insert_with(|| json!({}));
        let fields = fields.as_object_mut().expect("an object");
        fields.entry("phone").or_insert_with(|| "919999999999".into());
        fields.retain(|_, value| !value.is_null());
        let lead = Lead::from_json(body).expect("a lead");
        for finding in workspace().check(&lead).report() {
            self.finding(finding);
        }
    }

    fn action(&mut self, action: Value) {
        self.lead(json!({ "actions": [action] }));
    }

    fn update(&mut self, name: &str, value: impl Into<FieldValue>) {
        let fields = [(name.to_owned(), value.into())].into();
        let finding = workspace().check_update(fields);
        self.finding(&finding.expect_err("refused"));
    }

    fn workspace_file(&mut self, file: Value) {
        let workspace = WorkspaceFile::from_json(file).and_then(|f| Workspace::from_file(&f));
        self.error(workspace.expect_err("refused"));
    }
}

fn values(texts: &mut Texts) {
    texts.section("Values");
    texts.value("nmae", "Jane");
    texts.value("bogus", "Jane");
    texts.value("name", Value::Null);
    texts.value("name", 7);
    texts.value("email", "jane");
    texts.value("email", " jane.doe@example.com ");
    texts.value("email", "jane\u{200b}.doe@example.com");
    texts.value("phone", 919_999_999_999_i64);
    texts.value("phone", "+919999999999");
    texts.value("phone", "+91 99999 99999");
    texts.value("phone", "+9199999\u{200b}99999");
    texts.value("phone", "99999");
    texts.value("deal_size", "12");
    texts.value("deal_size", "many");
    texts.value("rating", 9);
    texts.value("rating", "seven");
    texts.value("budget", 5000);
    texts.value("budget", "5,000");
    texts.value("follow_up_date", "June");
    texts.value("follow_up_date", 1_780_315_200);
    texts.value("contact_source", "Websites");
    texts.value("contact_source", "Billboard");
    texts.value("contact_source", "");
    texts.value("contact_source", 7);
    texts.value("interests", "VIP, Returning");
    texts.value("interests", ["Sea view"]);
    texts.value("interests", ["Sea view", "Night owl"]);
    texts.value("website", "no site yet");
    texts.value("brochure", "example.com/brochure.pdf");
    texts.value("status", 7);
    texts.value("status", "fresh");
    texts.value("status", "Cold");
    texts.value("status", "Negotiating");
    texts.value("lost_reason", "Too far");
}

fn doubts(texts: &mut Texts) {
    texts.section("Doubts");
    texts.value("name", "Jos\u{fffd}");
    texts.value("name", "RenÃ©");
    texts.value("interests", ["VIP", "RenÃ©"]);
    for number in [46_174_i64, 20_260_601, 1_780_290_000, 1_780_290_000_000_000, 3_600_000, 0] {
        texts.value("follow_up_date", number);
    }
    texts.value("follow_up_date", "46174");
    texts.value("follow_up_date", "01/06/2926");
    texts.value("follow_up_date", "01/06/1026");
    texts.value("email", "jane@@example.com");
    texts.value("email", "jane.doe@example.com/home");
    texts.value("phone", "98765/43210");
    texts.value("deal_size", serde_json::from_str::<Value>("9007199254740993").expect("JSON"));
    texts.value("na\u{200b}me", "Jane");
    texts.value("contact_source", "Web\u{2011}site");
    texts.action(json!({ "type": "ACTION_1001", "created_on": 1_780_290_000 }));
}

fn leads(texts: &mut Texts) {
    texts.section("Leads");
    texts.lead(json!({ "fields": { "phone": null, "name": "Jane Doe" } }));
    texts.lead(json!({ "fields": { "phone": null, "phones": "919999999999" } }));
    texts.lead(json!({ "fields": { "phone": "99999" } }));
    texts.lead(json!({ "campaign": "June" }));
    texts.lead(json!({ "rating": 4 }));
    texts.lead(json!({ "fields": { "phone": "9109999999999" } }));
    texts.lead(json!({ "fields": { "alternate_phone": "4572859805" } }));
    texts.lead(json!({ "fields": { "alternate_phone": "9199999999999" } }));
}

fn actions(texts: &mut Texts) {
    texts.section("Actions");
    texts.action(json!({}));
    texts.action(json!({ "type": "OUTGOING_CALL" }));
    texts.action(json!({ "type": "ACTION_9999" }));
    texts.action(json!({ "type": "ACTION_1001", "fields": [] }));
    texts.action(json!({ "type": "ACTION_1001", "fields": { "notes": "x" } }));
    texts.action(json!({ "type": "ACTION_1001", "fields": { "bogus": "x" } }));
    texts.action(json!({ "type": "ACTION_1001", "note": "x" }));
    texts.action(json!({ "type": "ACTION_1001", "created_on": "June" }));
    texts.action(json!({ "type": "ACTION_1002", "created_on": 1_780_315_200_000_i64 }));
    texts.action(json!({ "type": "PAYMENT", "status": "PAID" }));
    texts.action(json!({ "type": "PAYMENT", "status": "COMPLETED", "currency": "EUR" }));
    let payment = json!({ "type": "PAYMENT", "status": "COMPLETED", "currency": "INR" });
    for (key, value) in [
        ("amount", json!("0")),
        ("note", json!("x")),
        ("created_on", json!(1_780_315_200_000_i64)),
        ("fields", json!({ "note": "x" })),
    ] {
        let mut payment = payment.clone();
        payment["amount"] = "5000".into();
        payment[key] = value;
        texts.action(payment);
    }
    let payment =
        json!({ "type": "payment", "status": "COMPLETED", "currency": "INR", "amount": 1 });
    for form in [telecrm_core::rules::CodeForm::Prefixed, telecrm_core::rules::CodeForm::Bare] {
        for action in [
            json!({ "type": "action_1001" }),
            payment.clone(),
            json!({ "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": 1 }),
        ] {
            let action: telecrm_core::Action = serde_json::from_value(action).expect("an action");
            let (_, findings) = workspace().accept_action(0, &action, form);
            findings.iter().for_each(|finding| texts.finding(finding));
        }
    }
}

fn repairs(texts: &mut Texts) {
    texts.section("Repairs");
    texts.lead(json!({ "fields": {
        "phone": "+91 99999 99999", "rating": "3", "status": "fresh", "name": " ", "interests": "VIP",
        "follow_up_date": "2026-06-01T10:30:00+05:30", "email": " jane.doe@example.com",
    } }));
    texts.lead(json!({ "fields": {
        "Phone": "(+91) 99999\u{2011}99999", "Follow Up Date": "01/06/2026\u{a0}", "interests": "VIP, Returning",
        "email": "mailto:jane.doe@example.com,", "contact_source": "Cold\u{a0}Call",
    } }));
    texts.lead(json!({ "fields": { "Phone": "919999999999", "name": "Jane", "Name": "Joan" } }));
    texts.action(json!({ "type": 1001, "created_on": "2026-06-01", "fields": { "note": "" } }));
    let payment =
        json!({ "type": "payment", "status": "completed", "currency": "inr", "amount": 1 });
    texts.action(payment);
}

fn updates(texts: &mut Texts) {
    texts.section("Updates");
    texts.update("phone", "919999999999");
    texts.update("name", Value::Null);
    texts.update("name", " ");
    texts.update("rating", 9);
}

fn comparisons(texts: &mut Texts) {
    texts.section("Comparisons");
    let sent = json!({ "fields": { "rating": 4 }, "actions": [{ "type": "ACTION_1001" }] });
    let sent = Lead::from_json(sent).expect("a lead");
    let stored: LeadRecord = serde_json::from_str("{}").expect("a row");
    let compared = workspace().compare(&sent, &stored, Some(&[]));
    compared.losses.iter().for_each(|loss| texts.finding(loss));
}

fn errors(texts: &mut Texts) {
    texts.section("Errors");
    let losses = Lead::new().set("phone", "919999999999");
    let losses = losses.set("rating", 9).set("bogus", 1);
    texts.error(workspace().check(&losses).complete().expect_err("losses"));
    let dropped = workspace().check(&Lead::new()).accept_partial();
    texts.error(dropped.expect_err("dropped"));
    let sent = r#"{ "fields": { "name": "" }, "actions": [{}, {}], "campaign": "June" }"#;
    let sent: Lead = serde_json::from_str(sent).expect("a lead");
    let response = br#"{ "lead_id": "l1", "actions": [{ "action_id": null, "status": "IGNORED" }],
        "remarks": [{ "field": "fields.email", "status": "IGNORED", "remark": "Email is invalid" }, 7] }"#;
    let outcome = Outcome::from_response(response, &sent).expect("a response");
    texts.error(outcome.complete().expect_err("incomplete"));

    texts.error("SITE_VISIT".parse::<ActionCode>().expect_err("a word"));
    texts.error("1,000".parse::<Decimal>().expect_err("a comma"));
    texts.error("0".parse::<Amount>().expect_err("zero"));
    texts.error("XX".parse::<Country>().expect_err("unknown"));
    for body in [
        json!([]),
        json!({}),
        json!({ "fields": [] }),
        json!({ "fields": {}, "actions": {} }),
        json!({ "fields": {}, "actions": [7] }),
    ] {
        texts.error(Lead::from_json(body).expect_err("not a lead"));
    }
    let duplicate = r#"{ "fields": { "name": "Asha", "name": "Usha" } }"#;
    texts.error(serde_json::from_str::<Lead>(duplicate).expect_err("duplicate"));
    texts.error(Lead::from_serialize(&[1]).expect_err("a list"));
    let bytes = std::collections::BTreeMap::from([(vec![1], 1)]);
    texts.error(Lead::from_serialize(&bytes).expect_err("keys are not texts"));
    let row: LeadRecord =
        serde_json::from_str(r#"{ "fields": { "rating": "x" } }"#).expect("a row");
    let own = row.fields_as::<std::collections::BTreeMap<String, u8>>();
    texts.error(own.expect_err("does not fit"));
}

fn workspace_errors(texts: &mut Texts) {
    texts.section("Workspace files");
    let phone = json!({ "apiName": "phone", "type": "PHONE" });
    let with = |key: &str, value: Value| {
        let mut file = json!({ "customFields": [phone] });
        file[key] = value;
        file
    };
    for file in [
        json!([]),
        json!({}),
        json!({ "customFields": {} }),
        json!({ "customFields": [{ "type": "PHONE" }] }),
        json!({ "customFields": [phone, phone] }),
        json!({ "customFields": [{ "apiName": "a", "type": "TEXT" }] }),
        json!({ "customFields": [{ "apiName": "a", "type": "TEXT", "isLeadid": 1 }] }),
        json!({ "customFields": [{ "apiName": "a", "type": "TAGS", "tags": [1] }] }),
        with("customActions", json!([{ "code": "VISIT" }])),
        with("teamMembers", json!([{}])),
        with("emulator", json!({ "seats": -1 })),
        with("emulator", json!({ "timeZone": "Mars" })),
        with("emulator", json!({ "defaultCountry": "XX" })),
    ] {
        texts.workspace_file(file);
    }
}

#[test]
fn all_texts() {
    let mut texts = Texts::default();
    values(&mut texts);
    doubts(&mut texts);
    leads(&mut texts);
    actions(&mut texts);
    repairs(&mut texts);
    updates(&mut texts);
    comparisons(&mut texts);
    errors(&mut texts);
    workspace_errors(&mut texts);
    insta::assert_snapshot!(texts.0.trim());
}
