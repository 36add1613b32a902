//! CSV: the header holds API names, and `action.<code>.<field>` for the fields of custom actions.

use super::quotes::{self, Watched};
use super::{Row, Rows, broken, number};
use csv::{ByteRecord, ReaderBuilder};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::num::NonZeroU32;
use std::sync::Arc;
use telecrm::{Action, ActionCode, FieldPath, FieldType, FieldValue, Lead, Workspace};

/// What stands in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Field(String),
    /// A field of the custom action in this slot.
    ActionField(usize, String),
}

/// The columns of a table, understood.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    columns: Vec<Column>,
    /// The custom actions that a row may have, in the order of their first columns.
    slots: Vec<ActionCode>,
}

pub(super) fn read(
    input: impl Read + Send + 'static,
    workspace: Option<Arc<Workspace>>,
) -> Result<Rows, String> {
    // The number of cells is compared here, so that a bad row does not end the file.
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .from_reader(Watched::new(input));
    let names = reader
        .byte_headers()
        .map_err(|error| {
            let error = io_error(error);
            match quotes::fault(&error) {
                Some(fault) => fault.to_string(),
                None => format!("the header cannot be read: {error}"),
            }
        })?
        .clone();
    let line_feeds_count = reader.position().line() > 1 + line_feeds(&names);
    let names = names
        .iter()
        .map(|name| std::str::from_utf8(name).map(|name| name.trim().to_owned()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| "line 1: the header is not UTF-8: save the file as UTF-8".to_owned())?;
    let header = Header::parse(&names).map_err(|reason| format!("line 1: {reason}"))?;
    let warnings = match &workspace {
        Some(workspace) => header.unknown_columns(&names, workspace),
        None => Vec::new(),
    };
    let may_have_actions = !header.slots.is_empty();
    let rows = Table {
        reader,
        record: ByteRecord::new(),
        line_feeds_count,
        header,
        workspace,
        row: 0,
        ended: false,
    };
    Ok(Rows {
        rows: Box::new(rows),
        warnings,
        may_have_actions,
    })
}

/// How many records follow the header.
pub(super) fn count(input: impl Read) -> Option<u64> {
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .from_reader(Watched::new(input));
    let mut record = ByteRecord::new();
    let mut count = 0;
    while reader.read_byte_record(&mut record).ok()? {
        count += 1;
    }
    Some(count)
}

impl Header {
    fn parse(names: &[String]) -> Result<Self, String> {
        if names.iter().all(String::is_empty) {
            return Err(
                "the header is empty: it names the field of each column, such as phone,name,status"
                    .to_owned(),
            );
        }
        if let [name] = names
            && let Some(separator) = name.chars().find(|c| matches!(c, ';' | '\t'))
        {
            return Err(format!(
                "the columns are separated by {separator:?}: save the file with commas"
            ));
        }
        let mut columns = Vec::new();
        let mut slots = Vec::new();
        let mut slot_of = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            let place = index + 1;
            if name.is_empty() {
                return Err(format!(
                    "column {place} has no name: name its field, or remove it"
                ));
            }
            if let Some(first) = names[..index].iter().position(|other| other == name) {
                return Err(format!(
                    "columns {} and {place} are both named `{name}`: rename or remove one",
                    first + 1
                ));
            }
            let Some(action) = name.strip_prefix("action.") else {
                columns.push(Column::Field(name.clone()));
                continue;
            };
            let (code, number, field) = parse_action(action).ok_or_else(|| {
                format!(
                    "column {place} `{name}` names no action's field: write action.1001.note, or action.1001[2].note for a second action of that code"
                )
            })?;
            let slot = *slot_of.entry((code.clone(), number)).or_insert_with(|| {
                slots.push(code);
                slots.len() - 1
            });
            let field = field.to_owned();
            let column = Column::ActionField(slot, field);
            // `action.1001.note` and `action.ACTION_1001.note` are one place.
            if let Some(first) = columns.iter().position(|other| *other == column) {
                return Err(format!(
                    "columns {} and {place} `{name}` fill the same field: remove one, or number the second action: action.1001[2].note",
                    first + 1
                ));
            }
            columns.push(column);
        }
        Ok(Self { columns, slots })
    }

    /// What is to be said, once, of columns that the workspace lacks.
    fn unknown_columns(&self, names: &[String], workspace: &Workspace) -> Vec<String> {
        let mut warnings = Vec::new();
        for (column, name) in self.columns.iter().zip(names) {
            let mut suggestion = None;
            let reason = match column {
                Column::Field(field) if workspace.field(field).is_none() => {
                    let verdict = workspace.accept_field(field, &"".into());
                    let Some(finding) = verdict.finding(FieldPath::Field(field.clone())) else {
                        continue;
                    };
                    suggestion = finding.suggestion;
                    finding.reason
                }
                Column::ActionField(slot, field) => match workspace.action(&self.slots[*slot]) {
                    None => format!(
                        "the workspace has no custom action {}",
                        self.slots[*slot].prefixed()
                    ),
                    Some(action) if action.fields.is_some() && action.field(field).is_none() => {
                        format!("{} has no field `{field}`", self.slots[*slot].prefixed())
                    }
                    Some(_) => continue,
                },
                Column::Field(_) => continue,
            };
            let suggestion = suggestion
                .map(|text| format!("; {text}"))
                .unwrap_or_default();
            warnings.push(format!(
                "column `{name}`: {reason}, so telecrm drops its values{suggestion}"
            ));
        }
        warnings
    }

    fn lead(&self, cells: &[&str], workspace: Option<&Workspace>) -> Lead {
        let mut lead = Lead::new();
        let mut actions = vec![BTreeMap::new(); self.slots.len()];
        for (column, cell) in self
            .columns
            .iter()
            .zip(cells)
            .filter(|(_, cell)| !cell.is_empty())
        {
            match column {
                Column::Field(name) => {
                    let field = workspace.and_then(|workspace| workspace.field(name));
                    let value = typed(field.map(|field| &field.field_type), cell);
                    // As written, so that what becomes of blanks is told.
                    lead.fields_mut().insert(name.clone(), value);
                }
                Column::ActionField(slot, name) => {
                    let action =
                        workspace.and_then(|workspace| workspace.action(&self.slots[*slot]));
                    let field = action.and_then(|action| action.field(name));
                    let value = typed(field.map(|field| &field.field_type), cell);
                    actions[*slot].insert(name.clone(), value);
                }
            }
        }
        let filled = self
            .slots
            .iter()
            .zip(actions)
            .filter(|(_, fields)| !fields.is_empty());
        for (code, fields) in filled {
            lead = lead.action(Action::from(BTreeMap::from([
                ("type".to_owned(), code.prefixed().into()),
                ("fields".to_owned(), fields.into()),
            ])));
        }
        lead
    }
}

/// `<code>.<field>` or `<code>[n].<field>`; without a number it is the first action of that code.
fn parse_action(text: &str) -> Option<(ActionCode, NonZeroU32, &str)> {
    let (code, field) = text
        .split_once('.')
        .filter(|(_, field)| !field.is_empty())?;
    let (code, number) = match code.strip_suffix(']') {
        Some(numbered) => {
            let (code, number) = numbered.split_once('[')?;
            (code, number.parse().ok()?)
        }
        None => (code, NonZeroU32::MIN),
    };
    Some((code.parse().ok()?, number, field))
}

/// A cell as a value of its field's type: numbers and tags by their form, the rest as text.
fn typed(field_type: Option<&FieldType>, cell: &str) -> FieldValue {
    match field_type {
        Some(FieldType::Number | FieldType::Rating) => match number::exact(cell.trim()) {
            Some(number) => Value::Number(number).into(),
            None => cell.into(),
        },
        Some(FieldType::Tags) if cell.trim_start().starts_with('[') => {
            match serde_json::from_str(cell) {
                Ok(Value::Array(tags)) => Value::Array(tags).into(),
                _ => cell.into(),
            }
        }
        Some(FieldType::Tags) => {
            let tags = cell.split('|').map(str::trim).filter(|tag| !tag.is_empty());
            tags.collect::<Vec<_>>().into()
        }
        _ => cell.into(),
    }
}

fn line_feeds(record: &ByteRecord) -> u64 {
    record
        .as_slice()
        .iter()
        .filter(|byte| **byte == b'\n')
        .count() as u64
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

struct Table<R> {
    reader: csv::Reader<R>,
    record: ByteRecord,
    /// Whether the reader counts a line as soon as it was read; where lines end in CR LF, it does so with the next.
    line_feeds_count: bool,
    header: Header,
    workspace: Option<Arc<Workspace>>,
    row: u64,
    ended: bool,
}

impl<R: Read> Iterator for Table<R> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.ended {
            return None;
        }
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => {
                self.row += 1;
                let line = self.line();
                Some(Row {
                    number: self.row,
                    lead: self
                        .lead()
                        .map_err(|reason| format!("line {line}: {reason}")),
                })
            }
            Err(error) => {
                self.ended = true;
                let number = self.row + 1;
                let error = io_error(error);
                Some(match quotes::fault(&error) {
                    Some(fault) => Row {
                        number,
                        lead: Err(fault.to_string()),
                    },
                    None => broken(number, self.reader.position().line(), &error),
                })
            }
        }
    }
}

impl<R: Read> Table<R> {
    /// The line in which the record starts. The reader's own number is the one before skipped blank lines.
    fn line(&self) -> u64 {
        let after = self.reader.position().line();
        let start =
            after.saturating_sub(line_feeds(&self.record) + u64::from(self.line_feeds_count));
        let before_blank_lines = self.record.position().map_or(0, csv::Position::line);
        start.max(before_blank_lines)
    }

    fn lead(&self) -> Result<Lead, String> {
        let expected = self.header.columns.len();
        let found = self.record.len();
        if found != expected {
            return Err(format!(
                "{found} cells, where the header has {expected}: a comma or a quote may be missing, or one too many"
            ));
        }
        let cells = self
            .record
            .iter()
            .enumerate()
            .map(|(index, cell)| {
                std::str::from_utf8(cell)
                    .map_err(|_| format!("cell {} is not UTF-8: save the file as UTF-8", index + 1))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(self.header.lead(&cells, self.workspace.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(text: &'static str) -> Vec<Row> {
        let sample = Arc::new(Workspace::sample());
        read(text.as_bytes(), Some(sample))
            .expect("a header")
            .rows
            .collect()
    }

    fn leads(text: &'static str) -> Vec<Value> {
        rows(text)
            .into_iter()
            .map(|row| row.lead.expect("a lead").to_json())
            .collect()
    }

    fn header_fault(text: &'static [u8]) -> String {
        match read(text, None) {
            Ok(_) => panic!("the header is fine"),
            Err(reason) => reason,
        }
    }

    #[test]
    fn cells_are_typed_by_the_workspace() {
        let leads = leads(
            "\u{feff}phone,rating,deal_size,budget,interests,follow_up_date,name\r\n\
             919999900001,4,1250.50,1000,VIP | Returning,01/06/2026 10:30,\"Rao, Asha\"\r\n\
             919999900002,four,1e3,1000,\"[\"\"VIP\"\"]\",1780290000000,\r\n",
        );
        assert_eq!(
            leads[0],
            json!({"fields": {
                "phone": "919999900001", "rating": 4, "deal_size": 1250.5, "budget": "1000",
                "interests": ["VIP", "Returning"], "follow_up_date": "01/06/2026 10:30", "name": "Rao, Asha",
            }})
        );
        assert_eq!(
            leads[1],
            json!({"fields": {
                "phone": "919999900002", "rating": "four", "deal_size": 1000.0, "budget": "1000",
                "interests": ["VIP"], "follow_up_date": "1780290000000",
            }})
        );
    }

    #[test]
    fn without_a_workspace_cells_are_text() {
        let rows = read("phone,rating\n919999900001,4\n".as_bytes(), None)
            .expect("a header")
            .rows;
        let leads: Vec<_> = rows
            .map(|row| row.lead.expect("a lead").to_json())
            .collect();
        assert_eq!(
            leads,
            [json!({"fields": {"phone": "919999900001", "rating": "4"}})]
        );
    }

    #[test]
    fn columns_of_one_code_are_one_action_unless_numbered() {
        let leads = leads(
            "action.1002.note,phone,action.1001[2].note,action.ACTION_1001.note,action.1001[1].outcome\n\
             Demo,919999900001,Second,First,Interested\n\
             ,919999900002,,,Interested\n\
             ,919999900003,,,\n",
        );
        assert_eq!(
            leads[0]["actions"],
            json!([
                {"type": "ACTION_1002", "fields": {"note": "Demo"}},
                {"type": "ACTION_1001", "fields": {"note": "Second"}},
                {"type": "ACTION_1001", "fields": {"note": "First", "outcome": "Interested"}},
            ])
        );
        assert_eq!(
            leads[1]["actions"],
            json!([{"type": "ACTION_1001", "fields": {"outcome": "Interested"}}])
        );
        assert_eq!(leads[2].get("actions"), None);
    }

    #[test]
    fn bad_rows_name_their_line_and_the_others_are_read() {
        let text = b"phone,name\n919999900001\n\n919999900002,A\xff\n919999900003,Asha\n";
        let rows: Vec<_> = read(text.as_slice(), None)
            .expect("a header")
            .rows
            .collect();
        let said: Vec<_> = rows
            .into_iter()
            .map(|row| {
                (
                    row.number,
                    row.lead
                        .map(|_| "fine")
                        .unwrap_or_else(|reason| reason.leak()),
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                (
                    1,
                    "line 2: 1 cells, where the header has 2: a comma or a quote may be missing, or one too many"
                ),
                (2, "line 4: cell 2 is not UTF-8: save the file as UTF-8"),
                (3, "fine"),
            ]
        );
    }

    #[test]
    fn an_unclosed_quote_swallows_no_row_in_silence() {
        let rows = rows("phone,name\n919999900501,A\n919999900502,\"B\n919999900503,C\n");
        assert_eq!(rows.len(), 2);
        assert!(rows[0].lead.is_ok());
        insta::assert_snapshot!(rows[1].lead.as_ref().expect_err("unclosed"), @"line 3: a quote opens here and never closes, so it cannot be told where this row ends: close it, or double a quote that is meant as such; nothing from here on was sent");
        insta::assert_snapshot!(header_fault(b"phone,\"name\n919999900501,A\n"), @"line 1: a quote opens here and never closes, so it cannot be told where this row ends: close it, or double a quote that is meant as such; nothing from here on was sent");
    }

    #[test]
    fn a_record_without_end_is_refused_before_it_fills_the_memory() {
        let start: &[u8] = b"phone,name\n919999900501,A\n919999900502,\"";
        let mut read = read(start.chain(io::repeat(b'x')), None)
            .expect("a header")
            .rows;
        assert!(read.next().is_some_and(|row| row.lead.is_ok()));
        let error = read.next().and_then(|row| row.lead.err());
        insta::assert_snapshot!(error.expect("too long"), @"line 3: a quote opens here, and the row is longer than 16 MiB: check the quotes and the line ends; nothing from here on was sent");
        assert_eq!(read.next(), None);
    }

    #[test]
    fn line_numbers_heed_blank_lines_quotes_and_both_line_ends() {
        let text = "a,b\n\n\n1\n\"x\ny\"\n2,3\n4";
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let rows = read(std::io::Cursor::new(text.clone()), None)
                .expect("a header")
                .rows;
            let lines: Vec<_> = rows
                .filter_map(|row| Some(row.lead.err()?.split(':').next()?.to_owned()))
                .collect();
            assert_eq!(lines, ["line 4", "line 5", "line 8"], "{text:?}");
        }
    }

    #[test]
    fn header_faults_name_the_column_and_the_remedy() {
        insta::assert_snapshot!(header_fault(b""), @"line 1: the header is empty: it names the field of each column, such as phone,name,status");
        insta::assert_snapshot!(header_fault(b"phone,,name\n"), @"line 1: column 2 has no name: name its field, or remove it");
        insta::assert_snapshot!(header_fault(b"phone,name,phone \n"), @"line 1: columns 1 and 3 are both named `phone`: rename or remove one");
        insta::assert_snapshot!(header_fault(b"phone;name\n"), @"line 1: the columns are separated by ';': save the file with commas");
        insta::assert_snapshot!(header_fault(b"phone,action.visit.note\n"), @"line 1: column 2 `action.visit.note` names no action's field: write action.1001.note, or action.1001[2].note for a second action of that code");
        insta::assert_snapshot!(header_fault(b"phone,action.1001.note,action.ACTION_1001.note\n"), @"line 1: columns 2 and 3 `action.ACTION_1001.note` fill the same field: remove one, or number the second action: action.1001[2].note");
        insta::assert_snapshot!(header_fault(b"action.1001.note,action.1001[1].note\n"), @"line 1: columns 1 and 2 `action.1001[1].note` fill the same field: remove one, or number the second action: action.1001[2].note");
        insta::assert_snapshot!(header_fault(b"phone,action.1001[0].note\n"), @"line 1: column 2 `action.1001[0].note` names no action's field: write action.1001.note, or action.1001[2].note for a second action of that code");
        insta::assert_snapshot!(header_fault(b"\xff\xfep\0h\0"), @"line 1: the header is not UTF-8: save the file as UTF-8");
    }

    #[test]
    fn as6_columns_that_the_workspace_lacks_are_warned_of_once() {
        let sample = Arc::new(Workspace::sample());
        let text = "phone,ratng,action.1001.remark,action.7.note,action.1001.note\n";
        let warnings = read(text.as_bytes(), Some(sample))
            .expect("a header")
            .warnings;
        insta::assert_snapshot!(warnings.join("\n"), @r"
        column `ratng`: the workspace has no field `ratng`, so telecrm drops its values; use `rating`
        column `action.1001.remark`: ACTION_1001 has no field `remark`, so telecrm drops its values
        column `action.7.note`: the workspace has no custom action ACTION_7, so telecrm drops its values
        ");
    }
}
