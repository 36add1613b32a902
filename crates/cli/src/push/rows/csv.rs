//! CSV: the header has API names, and `action.<code>.<field>` for fields of custom actions.

use super::quotes::{self, QuoteCheck};
use super::{Row, Rows, number, unreadable_rest};
use crate::problem::Problem;
use csv::{ByteRecord, ReaderBuilder};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::num::NonZeroU32;
use std::sync::Arc;
use telecrm::workspace::FieldType;
use telecrm::{Action, ActionCode, FieldPath, FieldValue, Lead, Workspace};

const SAVE_AS_UTF_8: &str = "save the file as UTF-8";
const NUMBERED_ACTION: &str =
    "use action.1001.note, or action.1001[2].note for a second action with that code";

/// Where the cells of a column go.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Field(String),
    /// A field of the custom action with this index in [`Header::actions`].
    ActionField(usize, String),
}

#[derive(Debug)]
struct Column {
    /// As the header has it.
    name: String,
    target: Target,
    /// None if the workspace or the field is unknown.
    field_type: Option<FieldType>,
}

#[derive(Debug)]
struct Header {
    columns: Vec<Column>,
    /// The custom actions of each row, in the order of their first columns.
    actions: Vec<ActionCode>,
}

pub(super) fn read(
    input: impl Read + Send + 'static,
    workspace: Option<Arc<Workspace>>,
) -> Result<Rows, Problem> {
    let mut reader = reader(input);
    let names = match reader.byte_headers() {
        Ok(names) => names.clone(),
        Err(error) => {
            let error = io_error(error);
            return Err(match quotes::problem(&error) {
                Some(problem) => problem.clone(),
                None => Problem::new(format!("cannot read the header: {error}")),
            });
        }
    };
    let counts_line_at_once = reader.position().line() > 1 + line_feeds(&names);
    let mut warnings = Vec::new();
    let mut header = Header::parse(&names).map_err(|problem| problem.at("line 1"))?;
    if let Some(workspace) = &workspace {
        warnings = header.resolve(workspace);
    }
    let may_have_actions = !header.actions.is_empty();
    let rows = Records {
        reader,
        record: ByteRecord::new(),
        counts_line_at_once,
        header,
        row: 0,
        ended: false,
    };
    Ok(Rows { rows: Box::new(rows), warnings, may_have_actions })
}

/// Counts the records after the header.
pub(super) fn count(input: impl Read) -> Option<u64> {
    let mut reader = reader(input);
    let mut record = ByteRecord::new();
    let mut count = 0;
    while reader.read_byte_record(&mut record).ok()? {
        count += 1;
    }
    Some(count)
}

/// The reader accepts any number of cells, so that a bad row does not end the file.
fn reader<R: Read>(input: R) -> csv::Reader<QuoteCheck<R>> {
    ReaderBuilder::new().flexible(true).from_reader(QuoteCheck::new(input))
}

impl Header {
    fn parse(names: &ByteRecord) -> Result<Self, Problem> {
        let names: Vec<&str> = names
            .iter()
            .map(|name| std::str::from_utf8(name).map(str::trim))
            .collect::<Result<_, _>>()
            .map_err(|_| Problem::new("the header is not UTF-8").hint(SAVE_AS_UTF_8))?;
        if names.iter().all(|name| name.is_empty()) {
            return Err(Problem::new("the header is empty")
                .hint("name the field of each column, such as phone,name,status"));
        }
        if let [name] = names[..]
            && let Some(separator) = name.chars().find(|c| matches!(c, ';' | '\t'))
        {
            let message = format!("the columns are separated by {separator:?}");
            return Err(Problem::new(message).hint("save the file with commas"));
        }
        let mut columns: Vec<Column> = Vec::new();
        let mut actions = Vec::new();
        let mut action_indices = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            let number = index + 1;
            if name.is_empty() {
                return Err(Problem::new(format!("column {number} has no name"))
                    .hint("name its field, or remove the column"));
            }
            if let Some(first) = names[..index].iter().position(|other| other == name) {
                let message = format!("columns {} and {number} are both `{name}`", first + 1);
                return Err(Problem::new(message).hint("rename or remove one of them"));
            }
            let target = match name.strip_prefix("action.") {
                None => Target::Field((*name).to_owned()),
                Some(action) => {
                    let Some((code, nth, field)) = parse_action(action) else {
                        let message = format!("column {number}: invalid action field `{name}`");
                        return Err(Problem::new(message).hint(NUMBERED_ACTION));
                    };
                    let action = *action_indices.entry((code.clone(), nth)).or_insert_with(|| {
                        actions.push(code);
                        actions.len() - 1
                    });
                    Target::ActionField(action, field.to_owned())
                }
            };
            // `action.1001.note` and `action.ACTION_1001.note` name the same field.
            if let Some(first) = columns.iter().position(|other| other.target == target) {
                let message =
                    format!("columns {} and {number} (`{name}`) fill the same field", first + 1);
                return Err(Problem::new(message).hint(NUMBERED_ACTION));
            }
            columns.push(Column { name: (*name).to_owned(), target, field_type: None });
        }
        Ok(Self { columns, actions })
    }

    /// Looks up the types of the columns. Returns a warning for each column that telecrm drops.
    fn resolve(&mut self, workspace: &Workspace) -> Vec<Problem> {
        let mut warnings = Vec::new();
        for column in &mut self.columns {
            let (reason, suggestion) = match &column.target {
                Target::Field(name) => {
                    if let Some(field) = workspace.field(name) {
                        column.field_type = Some(field.field_type.clone());
                        continue;
                    }
                    let verdict = workspace.accept_field(name, &"".into());
                    match verdict.finding(FieldPath::Field(name.clone())) {
                        Some(finding) => (finding.reason, finding.suggestion),
                        None => continue,
                    }
                }
                Target::ActionField(index, name) => {
                    let code = self.actions[*index].prefixed();
                    let action = workspace.action(&self.actions[*index]);
                    let field = action.and_then(|action| action.field(name));
                    column.field_type = field.map(|field| field.field_type.clone());
                    let reason = match action {
                        None => format!("the workspace has no custom action {code}"),
                        Some(action) if action.fields.is_some() && field.is_none() => {
                            format!("{code} has no field `{name}`")
                        }
                        Some(_) => continue,
                    };
                    (reason, None)
                }
            };
            warnings.push(Problem {
                message: format!("telecrm drops column `{}`: {reason}", column.name),
                hint: suggestion,
            });
        }
        warnings
    }

    fn lead(&self, record: &ByteRecord) -> Result<Lead, Problem> {
        let (expected, found) = (self.columns.len(), record.len());
        if found != expected {
            let message = format!("expected {expected} cells, found {found}");
            return Err(Problem::new(message).hint("check the commas and quotes"));
        }
        let mut lead = Lead::new();
        let mut actions = vec![BTreeMap::new(); self.actions.len()];
        for (index, (column, cell)) in self.columns.iter().zip(record).enumerate() {
            let cell = std::str::from_utf8(cell).map_err(|_| {
                Problem::new(format!("cell {} is not UTF-8", index + 1)).hint(SAVE_AS_UTF_8)
            })?;
            if cell.is_empty() {
                continue;
            }
            let value = typed(column.field_type.as_ref(), cell);
            match &column.target {
                // As written: the setter would trim text, and the check could not report that.
                Target::Field(name) => lead.fields_mut().insert(name.clone(), value),
                Target::ActionField(action, name) => actions[*action].insert(name.clone(), value),
            };
        }
        for (code, fields) in self.actions.iter().zip(actions) {
            if !fields.is_empty() {
                lead = lead.action(Action::from(BTreeMap::from([
                    ("type".to_owned(), code.prefixed().into()),
                    ("fields".to_owned(), fields.into()),
                ])));
            }
        }
        Ok(lead)
    }
}

/// Parses `<code>.<field>` or `<code>[n].<field>`. The default number is 1.
fn parse_action(text: &str) -> Option<(ActionCode, NonZeroU32, &str)> {
    let (code, field) = text.split_once('.')?;
    if field.is_empty() {
        return None;
    }
    let (code, number) = match code.strip_suffix(']') {
        Some(numbered) => {
            let (code, number) = numbered.split_once('[')?;
            (code, number.parse().ok()?)
        }
        None => (code, NonZeroU32::MIN),
    };
    Some((code.parse().ok()?, number, field))
}

/// Converts a cell to a value of its field's type: a number, a list of tags, or text.
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
    let bytes = record.as_slice().iter();
    bytes.filter(|byte| **byte == b'\n').count() as u64
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// Iterates over the rows of a file.
struct Records<R> {
    reader: csv::Reader<R>,
    record: ByteRecord,
    /// Whether the reader counts a line when it ends. With CR LF it does so when the next begins.
    counts_line_at_once: bool,
    header: Header,
    row: u64,
    ended: bool,
}

impl<R: Read> Iterator for Records<R> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.ended {
            return None;
        }
        self.row += 1;
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => {
                let lead = self.header.lead(&self.record);
                Some(Row {
                    number: self.row,
                    lead: lead.map_err(|problem| problem.at(format!("line {}", self.line()))),
                })
            }
            Err(error) => {
                self.ended = true;
                let error = io_error(error);
                Some(match quotes::problem(&error) {
                    Some(problem) => Row { number: self.row, lead: Err(problem.clone()) },
                    None => unreadable_rest(self.row, self.reader.position().line(), &error),
                })
            }
        }
    }
}

impl<R: Read> Records<R> {
    /// Returns the line on which the record begins.
    ///
    /// The reader's own number is wrong after blank lines, which it skips: it is the line before.
    fn line(&self) -> u64 {
        let after = self.reader.position().line();
        let lines = line_feeds(&self.record) + u64::from(self.counts_line_at_once);
        let before_blank_lines = self.record.position().map_or(0, csv::Position::line);
        after.saturating_sub(lines).max(before_blank_lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(text: &'static str) -> Vec<Row> {
        let sample = Arc::new(Workspace::sample());
        read(text.as_bytes(), Some(sample)).expect("a header").rows.collect()
    }

    fn leads(text: &'static str) -> Vec<Value> {
        rows(text).into_iter().map(|row| row.lead.expect("a lead").to_json()).collect()
    }

    fn header_problem(text: &'static [u8]) -> String {
        match read(text, None) {
            Ok(_) => panic!("the header is valid"),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn the_workspace_decides_the_types_of_cells() {
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
        let rows = read("phone,rating\n919999900001,4\n".as_bytes(), None).expect("a header").rows;
        let leads: Vec<_> = rows.map(|row| row.lead.expect("a lead").to_json()).collect();
        assert_eq!(leads, [json!({"fields": {"phone": "919999900001", "rating": "4"}})]);
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
    fn a_bad_row_names_its_line_and_the_next_row_is_read() {
        let text = b"phone,name\n919999900001\n\n919999900002,A\xff\n919999900003,Asha\n";
        let rows: Vec<_> = read(text.as_slice(), None).expect("a header").rows.collect();
        let problem = |index: usize| rows[index].lead.as_ref().expect_err("bad").to_string();
        insta::assert_snapshot!(problem(0), @r#"
        line 2: expected 2 cells, found 1
          hint: check the commas and quotes
        "#);
        insta::assert_snapshot!(problem(1), @r#"
        line 4: cell 2 is not UTF-8
          hint: save the file as UTF-8
        "#);
        assert!(rows[2].lead.is_ok());
        assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn an_unclosed_quote_is_an_error() {
        let rows = rows("phone,name\n919999900501,A\n919999900502,\"B\n919999900503,C\n");
        assert_eq!(rows.len(), 2);
        assert!(rows[0].lead.is_ok());
        insta::assert_snapshot!(rows[1].lead.as_ref().expect_err("unclosed"), @r#"
        line 3: this quote never closes; rows from here on were not sent
          hint: close the quote, or double it if it is part of the text
        "#);
        insta::assert_snapshot!(header_problem(b"phone,\"name\n919999900501,A\n"), @r#"
        line 1: this quote never closes; rows from here on were not sent
          hint: close the quote, or double it if it is part of the text
        "#);
    }

    #[test]
    fn an_endless_record_is_refused_before_it_fills_the_memory() {
        let start: &[u8] = b"phone,name\n919999900501,A\n919999900502,\"";
        let mut read = read(start.chain(io::repeat(b'x')), None).expect("a header").rows;
        assert!(read.next().is_some_and(|row| row.lead.is_ok()));
        let error = read.next().and_then(|row| row.lead.err());
        insta::assert_snapshot!(error.expect("too long"), @r#"
        line 3: the row is longer than 16 MiB; rows from here on were not sent
          hint: check the quotes and the line ends
        "#);
        assert_eq!(read.next(), None);
    }

    #[test]
    fn line_numbers_count_blank_lines_quotes_and_both_line_ends() {
        let text = "a,b\n\n\n1\n\"x\ny\"\n2,3\n4";
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let rows = read(std::io::Cursor::new(text.clone()), None).expect("a header").rows;
            let lines: Vec<_> = rows
                .filter_map(|row| Some(row.lead.err()?.message.split(':').next()?.to_owned()))
                .collect();
            assert_eq!(lines, ["line 4", "line 5", "line 8"], "{text:?}");
        }
    }

    #[test]
    fn a_bad_header_is_refused_with_a_hint() {
        insta::assert_snapshot!(header_problem(b""), @r#"
        line 1: the header is empty
          hint: name the field of each column, such as phone,name,status
        "#);
        insta::assert_snapshot!(header_problem(b"phone,,name\n"), @r#"
        line 1: column 2 has no name
          hint: name its field, or remove the column
        "#);
        insta::assert_snapshot!(header_problem(b"phone,name,phone \n"), @r#"
        line 1: columns 1 and 3 are both `phone`
          hint: rename or remove one of them
        "#);
        insta::assert_snapshot!(header_problem(b"phone;name\n"), @r#"
        line 1: the columns are separated by ';'
          hint: save the file with commas
        "#);
        insta::assert_snapshot!(header_problem(b"phone,action.visit.note\n"), @r#"
        line 1: column 2: invalid action field `action.visit.note`
          hint: use action.1001.note, or action.1001[2].note for a second action with that code
        "#);
        insta::assert_snapshot!(header_problem(b"phone,action.1001.note,action.ACTION_1001.note\n"), @r#"
        line 1: columns 2 and 3 (`action.ACTION_1001.note`) fill the same field
          hint: use action.1001.note, or action.1001[2].note for a second action with that code
        "#);
        insta::assert_snapshot!(header_problem(b"action.1001.note,action.1001[1].note\n"), @r#"
        line 1: columns 1 and 2 (`action.1001[1].note`) fill the same field
          hint: use action.1001.note, or action.1001[2].note for a second action with that code
        "#);
        insta::assert_snapshot!(header_problem(b"phone,action.1001[0].note\n"), @r#"
        line 1: column 2: invalid action field `action.1001[0].note`
          hint: use action.1001.note, or action.1001[2].note for a second action with that code
        "#);
        insta::assert_snapshot!(header_problem(b"\xff\xfep\0h\0"), @r#"
        line 1: the header is not UTF-8
          hint: save the file as UTF-8
        "#);
    }

    #[test]
    fn as6_an_unknown_column_causes_one_warning() {
        let sample = Arc::new(Workspace::sample());
        let text = "phone,ratng,action.1001.remark,action.7.note,action.1001.note\n";
        let warnings = read(text.as_bytes(), Some(sample)).expect("a header").warnings;
        insta::assert_snapshot!(warnings.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"), @r#"
        telecrm drops column `ratng`: the workspace has no field `ratng`
          hint: use `rating`
        telecrm drops column `action.1001.remark`: ACTION_1001 has no field `remark`
        telecrm drops column `action.7.note`: the workspace has no custom action ACTION_7
        "#);
    }
}
