//! CSV and sheets: the header has API names, and `action.<code>.<field>` for fields of custom
//! actions.

use super::cells;
use super::lines::Lines;
use super::records::{self, Fault, MAX_RECORD_BYTES, Record, RecordSource, Records};
use super::sheet::{self, SheetRecords, SheetRow};
use super::{AfterFault, Breaks, Row, Rows, unreadable_rest};
use crate::args::Reading;
use crate::problem::Problem;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::num::NonZeroU32;
use std::sync::Arc;
use telecrm::text::{describe, is_blank, trim};
use telecrm::workspace::{DateFormat, FieldDefinition, FieldType};
use telecrm::{
    Action, ActionCode, Certainty, FieldPath, FieldValue, Finding, FindingKind, Lead, Workspace,
};

const SAVE_AS_UTF_8: &str = "save the file as UTF-8, or name its encoding with --encoding";
const NUMBERED_ACTION: &str =
    "use action.1001.note, or action.1001[2].note for a second action with that code";
const CHECK_QUOTES: &str = "check this quote, which does not close on its line";

/// The separators that are detected. The first one is the default.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// Columns of an export, in lower case, that no API writes.
const EXPORT_ONLY: [&str; 9] = [
    "lead id",
    "lead link",
    "assignee name",
    "batch names",
    "campaign",
    "created on date",
    "created on time",
    "modified on date",
    "modified on time",
];

/// Where the cells of a column go.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    /// The cells are passed over.
    LeftOut,
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
    field: Option<FieldDefinition>,
    /// The format of its dates, if it is not that of the workspace.
    date_format: Option<DateFormat>,
    /// The column with the time of its dates.
    time: Option<usize>,
}

#[derive(Debug)]
struct Header {
    columns: Vec<Column>,
    /// The custom actions of each row, in the order of their first columns.
    actions: Vec<ActionCode>,
    workspace: Option<Arc<Workspace>>,
    is_sheet: bool,
    /// Whether telecrm's dashboard exported the file, in which `_` and `-` mean nothing.
    is_export: bool,
}

/// How columns are read.
pub(super) struct Columns<'a> {
    pub(super) reading: &'a Reading,
    pub(super) mapping: &'a BTreeMap<String, String>,
    pub(super) workspace: Option<Arc<Workspace>>,
    pub(super) after_fault: AfterFault,
}

pub(super) fn read(
    input: impl Read + Send + 'static,
    columns: Columns<'_>,
) -> Result<Rows, Problem> {
    let mut lines = Lines::new(input);
    let found = find_delimiter(&mut lines, columns.workspace.as_deref())
        .map_err(|error| Problem::new(format!("cannot read the header: {error}")))?;
    let delimiter = columns.reading.delimiter.unwrap_or(found);
    read_records(Box::new(Records::new(lines, delimiter)), Some(delimiter), columns)
}

pub(super) fn read_sheet(rows: Arc<Vec<SheetRow>>, columns: Columns<'_>) -> Result<Rows, Problem> {
    read_records(Box::new(SheetRecords::new(rows)), None, columns)
}

/// Sheets have no delimiter.
fn read_records(
    mut records: Box<dyn RecordSource + Send>,
    delimiter: Option<u8>,
    columns: Columns<'_>,
) -> Result<Rows, Problem> {
    let Columns { reading, mapping, workspace, after_fault } = columns;
    let (line, names) = match records.next() {
        None => (1, Vec::new()),
        Some(Ok(record)) => (record.line, record.cells),
        Some(Err(Fault::Broken(_, problem) | Fault::Endless(_, problem))) => return Err(problem),
        Some(Err(Fault::Io(error))) => {
            return Err(Problem::new(format!("cannot read the header: {error}")));
        }
    };
    let place = format!("line {line}");
    let mut header = Header::parse(&names, mapping).map_err(|problem| problem.at(&place))?;
    header.is_sheet = delimiter.is_none();
    for (name, _) in &reading.map {
        if !header.columns.iter().any(|column| column.name == *name) {
            let names: Vec<_> = header.columns.iter().map(|c| format!("`{}`", c.name)).collect();
            return Err(Problem::new(format!("--map: there is no column `{name}`"))
                .hint(format!("the columns are {}", names.join(", "))));
        }
    }
    let mut warnings = Vec::new();
    if let Some(workspace) = workspace {
        warnings = header.resolve(workspace).map_err(|problem| problem.at(&place))?;
    }
    header.set_date_formats(&reading.date_format)?;
    let mut notes = Vec::new();
    if header.is_export {
        notes.push("this is an export of telecrm; `_` and `-` are read as empty cells".to_owned());
    }
    let delimiter = delimiter.unwrap_or(DELIMITERS[0]);
    if delimiter != DELIMITERS[0] {
        let name = char::from(delimiter);
        notes.push(format!("cells are separated by {name:?} (change it with --delimiter)"));
    }
    let may_have_actions = !header.actions.is_empty();
    let known = header.columns.iter().filter_map(|column| match &column.target {
        Target::Field(_) => Some((column.name.clone(), column.field.as_ref()?.api_name.clone())),
        Target::LeftOut if mapping.contains_key(&column.name) => {
            Some((column.name.clone(), String::new()))
        }
        _ => None,
    });
    let columns = known.collect();
    Ok(Rows {
        rows: Box::new(CsvRows { records, delimiter, header, row: 0, after_fault, ended: false }),
        notes,
        warnings,
        may_have_actions,
        columns,
    })
}

/// Reads the line `sep=;` that spreadsheets write, or else finds the separator in the header.
fn find_delimiter<R: Read>(
    lines: &mut Lines<R>,
    workspace: Option<&Workspace>,
) -> std::io::Result<u8> {
    let mut line = Vec::new();
    while lines.read(&mut line, MAX_RECORD_BYTES)?
        && trim(&String::from_utf8_lossy(&line)).is_empty()
    {
        line.clear();
    }
    let text = String::from_utf8_lossy(&line);
    if let Some(declared) = text.trim_matches(['"', '\r', '\n']).strip_prefix("sep=")
        && let [delimiter] = declared.as_bytes()
    {
        return Ok(*delimiter);
    }
    lines.unread(&line, lines.number().saturating_sub(1));
    let score = |delimiter: u8| {
        let cells = records::split(&line, delimiter).unwrap_or_default();
        let is_known = |cell: &&Vec<u8>| {
            let name = String::from_utf8_lossy(cell);
            let field = |workspace: &Workspace| field_of(workspace, trim(&name)).is_some();
            workspace.is_some_and(field) || trim(&name).starts_with("action.")
        };
        (cells.iter().filter(is_known).count(), cells.len())
    };
    // Of equal scores, the last one is the maximum.
    let best = DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter));
    Ok(best.unwrap_or(DELIMITERS[0]))
}

/// Finds a field by its API name, or by a name that stands for it.
fn field_of<'a>(workspace: &'a Workspace, name: &str) -> Option<&'a FieldDefinition> {
    workspace.field(name).or_else(|| workspace.field_like(name))
}

impl Header {
    fn parse(names: &[Vec<u8>], mapping: &BTreeMap<String, String>) -> Result<Self, Problem> {
        let mut names: Vec<&str> = names
            .iter()
            .map(|name| std::str::from_utf8(name).map(trim))
            .collect::<Result<_, _>>()
            .map_err(|_| Problem::new("the header is not UTF-8").hint(SAVE_AS_UTF_8))?;
        // Spreadsheets write separators for columns that were emptied.
        names.truncate(names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1));
        if names.is_empty() {
            return Err(Problem::new("the header is empty")
                .hint("name the field of each column, such as phone,name,status"));
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
            let mapped = mapping.get(*name).map_or(*name, |field| trim(field));
            let target = match mapped.strip_prefix("action.") {
                // Columns of a results folder begin with `#`.
                None if mapped.is_empty() || mapped.starts_with('#') => Target::LeftOut,
                None => Target::Field(mapped.to_owned()),
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
            let is_same = |other: &Column| other.target == target && target != Target::LeftOut;
            if let Some(first) = columns.iter().position(is_same) {
                let message =
                    format!("columns {} and {number} (`{name}`) fill the same field", first + 1);
                return Err(Problem::new(message).hint(match target {
                    Target::ActionField(..) => NUMBERED_ACTION,
                    _ => "leave one of them out with --map 'COLUMN='",
                }));
            }
            columns.push(Column {
                name: (*name).to_owned(),
                target,
                field: None,
                date_format: None,
                time: None,
            });
        }
        Ok(Self { columns, actions, workspace: None, is_sheet: false, is_export: false })
    }

    /// Looks up the fields of the columns. Returns a warning for each column that telecrm drops.
    fn resolve(&mut self, workspace: Arc<Workspace>) -> Result<Vec<Problem>, Problem> {
        let mut warnings: Vec<_> = self.read_as_export(&workspace).into_iter().collect();
        // A field under its API name keeps its column. The check drops other spellings.
        let mut exact = HashSet::new();
        let mut filled: HashMap<&str, &Column> = HashMap::new();
        for column in &self.columns {
            if let Target::Field(name) = &column.target
                && let Some(field) = field_of(&workspace, name)
                && let Some(other) = filled.insert(&field.api_name, column)
            {
                let field = &field.api_name;
                let names = [&other.name, &column.name];
                if names.contains(&field) && !other.is_mapped() && !column.is_mapped() {
                    exact.insert(field.clone());
                    continue;
                }
                let [other, name] = names;
                let message = format!("columns `{other}` and `{name}` both fill `{field}`");
                return Err(Problem::new(message)
                    .hint(format!("remove one of them, or leave it out with --map '{name}='")));
            }
        }
        for column in &mut self.columns {
            let (reason, suggestion) = match &column.target {
                Target::LeftOut => continue,
                Target::Field(name) => {
                    column.field = field_of(&workspace, name).cloned();
                    if workspace.field(name).is_some() {
                        continue;
                    }
                    // The check renames it.
                    let field = column.field.as_ref();
                    if field.is_some_and(|field| !exact.contains(&field.api_name)) {
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
                    column.field = field.cloned();
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
        self.check_columns(&workspace)?;
        self.workspace = Some(workspace);
        Ok(warnings)
    }

    /// Leaves out what telecrm exports and does not take, and joins dates with their times. Returns
    /// a warning that names the columns.
    fn read_as_export(&mut self, workspace: &Workspace) -> Option<Problem> {
        let names: Vec<_> = self.columns.iter().map(|c| c.name.to_lowercase()).collect();
        let has = |name: &str| names.iter().any(|other| other == name);
        self.is_export = has("lead id") && (has("lead link") || has("created on date"));
        if !self.is_export {
            return None;
        }
        let mut left_out = Vec::new();
        for index in 0..names.len() {
            let base = names[index].strip_suffix(" date");
            let time = base.and_then(|base| {
                names.iter().position(|other| other.strip_suffix(" time") == Some(base))
            });
            let field = time.and_then(|_| field_of(workspace, base?));
            let is_date = |field: &&FieldDefinition| field.field_type == FieldType::Date;
            let is_fixed = EXPORT_ONLY.contains(&names[index].as_str());
            if let (Some(field), Some(time), false) = (field.filter(is_date), time, is_fixed) {
                self.columns[index].target = Target::Field(field.api_name.clone());
                self.columns[index].time = Some(time);
                self.columns[time].target = Target::LeftOut;
            }
            let column = &mut self.columns[index];
            let Target::Field(name) = &column.target else {
                continue;
            };
            let is_mapped = column.is_mapped();
            if !is_mapped && (is_fixed || field_of(workspace, name).is_none()) {
                column.target = Target::LeftOut;
                left_out.push(format!("`{}`", column.name));
            }
        }
        let message = format!("telecrm does not take these columns: {}", left_out.join(", "));
        let hint = "they are left out; name the field of one with --map";
        (!left_out.is_empty()).then(|| Problem::new(message).hint(hint))
    }

    fn set_date_formats(&mut self, formats: &[(String, DateFormat)]) -> Result<(), Problem> {
        for (name, format) in formats {
            let is_date = |column: &&mut Column| {
                let field = column.field.as_ref();
                field.is_some_and(|field| field.field_type == FieldType::Date)
            };
            let mut columns = self.columns.iter_mut().filter(is_date);
            match columns.find(|column| column.name == *name) {
                Some(column) => column.date_format = Some(format.clone()),
                None => {
                    let message = format!("--date-format: `{name}` is not a date column");
                    return Err(Problem::new(message)
                        .hint("name a column of the file whose field is a date in the workspace"));
                }
            }
        }
        Ok(())
    }

    fn check_columns(&self, workspace: &Workspace) -> Result<(), Problem> {
        let has_action = |index: &usize| workspace.action(&self.actions[*index]).is_some();
        let is_known = |column: &Column| match &column.target {
            Target::LeftOut => false,
            Target::Field(_) => column.field.is_some(),
            Target::ActionField(index, _) => has_action(index),
        };
        if !self.columns.iter().any(is_known) {
            return Err(Problem::new("no column is a field of this workspace")
                .hint("begin the file with a header of API names, such as phone,name"));
        }
        if self.columns.iter().any(|column| column.is_identifier(workspace)) {
            return Ok(());
        }
        let identifier = workspace.identifier().api_name();
        let alike = self
            .columns
            .iter()
            .find(|column| column.field.as_ref().is_some_and(|field| field.api_name == identifier));
        let hint = match alike {
            Some(column) => format!("rename column `{}` to `{identifier}`", column.name),
            None => format!("add the column `{identifier}`, which tells leads apart"),
        };
        let message = format!("no column is the lead identifier `{identifier}`");
        Err(Problem::new(message).hint(hint))
    }

    fn lead(&self, cells: &[Vec<u8>]) -> Result<Lead, Problem> {
        let (expected, found) = (self.columns.len(), cells.len());
        let is_surplus = |cell: &Vec<u8>| !std::str::from_utf8(cell).is_ok_and(is_blank);
        if found < expected || cells[expected..].iter().any(is_surplus) {
            let message = format!("expected {expected} cells, found {found}");
            return Err(Problem::new(message).hint("check the separators and quotes"));
        }
        let mut lead = Lead::new();
        let mut actions = vec![BTreeMap::new(); self.actions.len()];
        for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            let cell = std::str::from_utf8(cell).map_err(|_| {
                Problem::new(format!("cell {} is not UTF-8", index + 1)).hint(SAVE_AS_UTF_8)
            })?;
            if self.is_sheet && sheet::is_error(trim(cell)) {
                let message =
                    format!("cell {} (`{}`) has the error {cell}", index + 1, column.name);
                return Err(Problem::new(message).hint("correct its formula"));
            }
            let time = column.time.and_then(|time| std::str::from_utf8(cells.get(time)?).ok());
            let joined = time.filter(|time| !is_blank(time) && !self.is_nothing(time));
            let joined = joined.map(|time| format!("{} {}", trim(cell), trim(time)));
            let cell = if self.is_nothing(cell) { "" } else { joined.as_deref().unwrap_or(cell) };
            let Some(value) = self.value(column, cell) else {
                continue;
            };
            match &column.target {
                Target::LeftOut => continue,
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

    /// Whether an export writes this for a cell without a value.
    fn is_nothing(&self, cell: &str) -> bool {
        self.is_export && matches!(trim(cell), "_" | "-")
    }

    /// Converts a cell to a value. Returns None if the cell holds none.
    fn value(&self, column: &Column, cell: &str) -> Option<FieldValue> {
        let zone = self.workspace.as_ref().map(|workspace| workspace.time_zone());
        let is_date = column.field.as_ref().is_some_and(|f| f.field_type == FieldType::Date);
        if let (true, true, Some(zone)) = (self.is_sheet, is_date, zone) {
            let mut formats = sheet::DATE_FORMATS.into_iter().map(DateFormat::new);
            if let Some(time) = formats.find_map(|format| format.parse(trim(cell), zone)) {
                return Some(time.into());
            }
        }
        match (&column.date_format, zone) {
            (Some(format), Some(zone)) => format.parse(trim(cell), zone).map(FieldValue::from),
            _ => cells::value(column.field.as_ref(), cell),
        }
    }

    /// Returns a finding for each cell that is left out: because it only looks empty, or because it
    /// does not fit the date format of its column.
    fn left_out(&self, cells: &[Vec<u8>]) -> Vec<Finding> {
        let cells = self.columns.iter().zip(cells);
        let findings = cells.filter_map(|(column, cell)| {
            let cell = std::str::from_utf8(cell).ok()?;
            let path = match &column.target {
                Target::LeftOut => return None,
                Target::Field(name) => FieldPath::Field(name.clone()),
                // The action has no place in the lead if it has no other cell.
                Target::ActionField(..) => FieldPath::Key(column.name.clone()),
            };
            if is_blank(cell) {
                let unseen = describe(cell.chars().find(|c| !c.is_whitespace())?);
                let reason = format!("the cell has only invisible characters, {unseen}");
                let kind = FindingKind::ValueChanged;
                let mut finding = Finding::new(path, kind, Certainty::Documented, reason);
                finding.suggestion = Some(format!("left out: {}", finding.reason));
                finding.repaired = true;
                return Some(finding);
            }
            // Joined with its time, or nothing at all.
            if column.time.is_some() || self.is_nothing(cell) {
                return None;
            }
            let format = column.date_format.as_ref()?;
            if self.value(column, cell).is_some() {
                return None;
            }
            let reason = format!("the cell does not fit --date-format {format}");
            let kind = FindingKind::FieldDropped;
            Some(Finding::new(path, kind, Certainty::Documented, reason))
        });
        findings.collect()
    }

    /// Returns a problem if a stray quote made one record of several rows.
    fn swallowed_rows(&self, record: &Record, delimiter: u8) -> Option<Problem> {
        let (quote_line, column) = record.spanning_quote?;
        let mut lines = Lines::new(record.more_lines.as_slice());
        let mut line = Vec::new();
        let mut looks_like_row = false;
        while lines.read(&mut line, MAX_RECORD_BYTES).unwrap_or(false) {
            looks_like_row |= self.looks_like_row(&line, delimiter);
            line.clear();
        }
        let (first, last) = (record.line, record.line + lines.number());
        let what = if looks_like_row {
            "a line within it looks like a row of its own".to_owned()
        } else {
            self.lead(&record.cells).err()?.message
        };
        let message = format!("the record spans lines {first} to {last}, and {what}");
        let message = records::at(quote_line, column, &message);
        Some(Problem::new(message).hint(CHECK_QUOTES))
    }

    /// Whether the line has all columns, and a valid number or address as lead identifier.
    fn looks_like_row(&self, line: &[u8], delimiter: u8) -> bool {
        let Some(workspace) = self.workspace.as_deref() else {
            return false;
        };
        let cells: Vec<&[u8]> = line.split(|byte| *byte == delimiter).collect();
        let mut columns = self.columns.iter();
        let Some(index) = columns.position(|column| column.is_identifier(workspace)) else {
            return false;
        };
        let can_tell = self.columns[index]
            .field
            .as_ref()
            .is_some_and(|field| matches!(field.field_type, FieldType::Phone | FieldType::Email));
        let text = cells.get(index).map(|cell| String::from_utf8_lossy(cell));
        let text = text.as_deref().map(|text| trim(text).trim_matches('"'));
        can_tell
            && cells.len() == self.columns.len()
            && text.is_some_and(|text| workspace.identifier_key(&text.into()).is_some())
    }
}

impl Column {
    /// Whether the header has another name than the field that it fills.
    fn is_mapped(&self) -> bool {
        matches!(&self.target, Target::Field(name) if *name != self.name)
    }

    /// Whether the check takes this column as the lead identifier, perhaps under another spelling.
    fn is_identifier(&self, workspace: &Workspace) -> bool {
        let identifier = workspace.identifier().api_name();
        let (Target::Field(name), Some(field)) = (&self.target, &self.field) else {
            return false;
        };
        if name == identifier || field.api_name != identifier {
            return name == identifier;
        }
        let sample = match field.field_type {
            FieldType::Phone => "919999999999",
            FieldType::Email => "a@example.com",
            _ => "A1",
        };
        let checked = workspace.check(&Lead::new().set(name, sample));
        let is_dropped = |f: &Finding| f.kind == FindingKind::LeadDropped && !f.repaired;
        !checked.report().iter().any(is_dropped)
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

/// Iterates over the rows of an input.
struct CsvRows {
    records: Box<dyn RecordSource + Send>,
    delimiter: u8,
    header: Header,
    row: u64,
    after_fault: AfterFault,
    ended: bool,
}

impl Iterator for CsvRows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        while !self.ended {
            let record = match self.records.next()? {
                Ok(record) => record,
                Err(Fault::Broken(line, problem)) => return Some(self.broken(line, problem)),
                Err(Fault::Endless(line, problem)) => {
                    self.after_fault = AfterFault::End;
                    return Some(self.broken(line, problem));
                }
                Err(Fault::Io(error)) => {
                    self.ended = true;
                    return Some(unreadable_rest(self.row + 1, self.records.line(), &error));
                }
            };
            let is_blank = |cell: &Vec<u8>| std::str::from_utf8(cell).is_ok_and(is_blank);
            if record.cells.iter().all(is_blank) {
                continue;
            }
            if let Some(problem) = self.header.swallowed_rows(&record, self.delimiter) {
                return Some(self.broken(record.line, problem));
            }
            self.row += 1;
            let lead = self.header.lead(&record.cells);
            let lead = lead.map_err(|problem| problem.at(format!("line {}", record.line)));
            return Some(Row {
                findings: self.header.left_out(&record.cells),
                ..Row::new(self.row, record.line, lead)
            });
        }
        None
    }
}

impl CsvRows {
    fn broken(&mut self, line: u64, problem: Problem) -> Row {
        self.row += 1;
        let breaks = match self.after_fault {
            AfterFault::GoOn => {
                self.records.retry_after_first_line();
                Breaks::RowEnd
            }
            AfterFault::End => {
                self.ended = true;
                Breaks::Rest
            }
        };
        Row::broken(self.row, line, problem, breaks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::io;

    fn open(
        input: impl Read + Send + 'static,
        workspace: Option<Arc<Workspace>>,
    ) -> Result<Rows, Problem> {
        let (reading, mapping) = (&Reading::default(), &BTreeMap::new());
        read(input, Columns { reading, mapping, workspace, after_fault: AfterFault::End })
    }

    fn rows(text: &'static str) -> Vec<Row> {
        let sample = Arc::new(Workspace::sample());
        open(text.as_bytes(), Some(sample)).expect("a header").rows.collect()
    }

    fn leads(text: &'static str) -> Vec<Value> {
        rows(text).into_iter().map(|row| row.lead.expect("a lead").to_json()).collect()
    }

    fn header_problem(text: &'static [u8]) -> String {
        match open(text, None) {
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
        let rows = open("phone,rating\n919999900001,4\n".as_bytes(), None).expect("a header").rows;
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
        let rows: Vec<_> = open(text.as_slice(), None).expect("a header").rows.collect();
        let problem = |index: usize| rows[index].lead.as_ref().expect_err("bad").to_string();
        insta::assert_snapshot!(problem(0), @r#"
        line 2: expected 2 cells, found 1
          hint: check the separators and quotes
        "#);
        insta::assert_snapshot!(problem(1), @r#"
        line 4: cell 2 is not UTF-8
          hint: save the file as UTF-8, or name its encoding with --encoding
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
        line 3, column 14: this quote never closes, so later rows were not read
          hint: close the quote, or double it if it is part of the text
        "#);
        insta::assert_snapshot!(header_problem(b"phone,\"name\n919999900501,A\n"), @r#"
        line 1, column 7: this quote never closes
          hint: close the quote, or double it if it is part of the text
        "#);
    }

    #[test]
    fn an_endless_record_is_refused_before_it_fills_the_memory() {
        let start: &[u8] = b"phone,name\n919999900501,A\n919999900502,\"";
        let mut rows = open(start.chain(io::repeat(b'x')), None).expect("a header").rows;
        assert!(rows.next().is_some_and(|row| row.lead.is_ok()));
        let error = rows.next().and_then(|row| row.lead.err());
        insta::assert_snapshot!(error.expect("too long"), @r#"
        line 3: the row is longer than 16 MiB, so later rows were not read
          hint: check the quotes and the line ends
        "#);
        assert_eq!(rows.next(), None);
    }

    #[test]
    fn line_numbers_count_blank_lines_quotes_and_all_line_ends() {
        let text = "a,b\n\n\n1\n\"x\ny\",2\n2,3\n4";
        for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\r")] {
            let rows = open(io::Cursor::new(text.clone()), None).expect("a header").rows;
            let lines: Vec<_> = rows.map(|row| row.line).collect();
            assert_eq!(lines, [4, 5, 7, 8], "{text:?}");
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
          hint: save the file as UTF-8, or name its encoding with --encoding
        "#);
    }

    #[test]
    fn as6_an_unknown_column_causes_one_warning() {
        let sample = Arc::new(Workspace::sample());
        let text = "phone,ratng,action.1001.remark,action.7.note,action.1001.note\n";
        let warnings = open(text.as_bytes(), Some(sample)).expect("a header").warnings;
        insta::assert_snapshot!(warnings.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"), @r#"
        telecrm drops column `ratng`: the workspace has no field `ratng`
          hint: use `rating`
        telecrm drops column `action.1001.remark`: ACTION_1001 has no field `remark`
        telecrm drops column `action.7.note`: the workspace has no custom action ACTION_7
        "#);
    }
}
