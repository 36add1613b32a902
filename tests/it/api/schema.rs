//! `schema()`: metadata, fields, actions and the pipeline, read one by one.

use crate::support::{client, emulator};

#[tokio::test]
async fn the_metadata_name_the_identifier() {
    let emulator = emulator().await;
    let metadata = client(&emulator).schema().metadata().await.expect("read");
    assert_eq!(metadata.lead_identifier_field_id(), Some("phone"));
}

#[tokio::test]
async fn all_fields_are_read() {
    let emulator = emulator().await;
    let fields = client(&emulator).schema().fields().await.expect("read");
    assert_eq!(fields.len(), 16);
}

#[tokio::test]
async fn a_field_is_read_by_its_name() {
    let emulator = emulator().await;
    let field = client(&emulator).schema().field("follow_up_date").await;
    let field = field.expect("read");
    assert_eq!((field.field_type(), field.date_format()), (Some("DATE"), Some("DD/MM/YYYY")));
}

#[tokio::test]
async fn en2_the_name_of_a_field_has_to_match_in_case() {
    let emulator = emulator().await;
    let field = client(&emulator).schema().field("Follow_up_date").await;
    assert!(field.expect_err("EN2").is_not_found());
}

#[tokio::test]
async fn all_custom_actions_are_read() {
    let emulator = emulator().await;
    let actions = client(&emulator).schema().actions().await.expect("read");
    assert_eq!(actions.len(), 2);
}

#[tokio::test]
async fn en4_a_custom_action_is_read_by_its_bare_code() {
    let emulator = emulator().await;
    let action = client(&emulator).schema().action(1001).await;
    let action = action.expect("the client adds the prefix");
    assert_eq!((action.code(), action.score()), (Some("ACTION_1001"), Some(10)));
}

#[tokio::test]
async fn the_pipeline_is_read() {
    let emulator = emulator().await;
    let pipeline = client(&emulator).schema().pipeline().await.expect("read");
    assert_eq!(pipeline.active_statuses().count(), 5);
}
