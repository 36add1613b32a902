//! The date columns of a file: whether their dates fit the format of the workspace.

use crate::problem::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;
use telecrm::text::trim;
use telecrm::workspace::{DateFormat, FieldDefinition, FieldType};
use telecrm::{ActionKind, FieldPath, FieldValue, Finding, FindingKind, Lead, Workspace};

/// Formats that other programs write. The first one that fits a whole column is suggested.
const FORMATS: [&str; 14] = [
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "DD-MM-YYYY",
    "MM-DD-YYYY",
    "DD.MM.YYYY",
    "YYYY/MM/DD",
    "DD/MM/YYYY hh:mm A",
    "MM/DD/YYYY hh:mm A",
    "DD MMM YYYY",
    "DD-MMM-YYYY",
    "MMM DD, YYYY",
    "DD/MM/YY",
    "MM/DD/YY",
    "DD-MMM-YY",
];

/// What the first pass has seen of each date column.
pub(super) struct DateColumns {
    workspace: Arc<Workspace>,
    columns: BTreeMap<String, DateColumn>,
}

struct DateColumn {
    format: String,
    cells: u64,
    lost: u64,
    doubtful: u64,
    /// The formats that fit every cell so far.
    fitting: Vec<&'static str>,
}

impl DateColumns {
    pub(super) fn new(workspace: Arc<Workspace>) -> Self {
        Self { workspace, columns: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, lead: &Lead) {
        let dates = self.dates(lead);
        if dates.is_empty() {
            return;
        }
        let checked = self.workspace.check(lead);
        for date in dates {
            let is_at = |finding: &&Finding| date.paths.contains(&finding.path);
            let found = checked.report().iter().filter(is_at).filter(|finding| !finding.repaired);
            let kinds: Vec<_> = found.map(|finding| finding.kind).collect();
            let column = self.columns.entry(date.column).or_insert_with(|| DateColumn {
                format: date.format,
                cells: 0,
                lost: 0,
                doubtful: 0,
                fitting: FORMATS.to_vec(),
            });
            column.cells += 1;
            column.lost += u64::from(kinds.contains(&FindingKind::FieldDropped));
            column.doubtful += u64::from(kinds.contains(&FindingKind::Doubtful));
            if let Some(text) = date.value.as_str() {
                let zone = self.workspace.time_zone();
                let fits =
                    |format: &&str| DateFormat::new(*format).parse(trim(text), zone).is_some();
                column.fitting.retain(fits);
            }
        }
    }

    fn dates(&self, lead: &Lead) -> Vec<DateCell> {
        let workspace = &self.workspace;
        let is_date = |field: &&FieldDefinition| field.field_type == FieldType::Date;
        let format = |field: &FieldDefinition| {
            field.date_format.clone().unwrap_or_else(|| DateFormat::default().to_string())
        };
        let fields = lead.fields().iter().filter_map(|(name, value)| {
            let field = workspace.field(name).or_else(|| workspace.field_like(name));
            let field = field.filter(is_date)?;
            let paths = [name, &field.api_name].map(|name| FieldPath::Field(name.clone())).to_vec();
            let value = value.clone();
            Some(DateCell { column: name.clone(), paths, format: format(field), value })
        });
        let mut dates: Vec<_> = fields.collect();
        for (index, action) in lead.actions().iter().enumerate() {
            let ActionKind::Custom(code) = action.kind() else {
                continue;
            };
            let fields = workspace.action(&code).and_then(|action| action.fields.as_ref());
            for field in fields.into_iter().flatten().filter(is_date) {
                let name = &field.api_name;
                if let Some(value) = action.field(name) {
                    let column = format!("action.{}.{name}", code.bare());
                    let paths = vec![FieldPath::ActionField(index, name.clone())];
                    dates.push(DateCell { column, paths, format: format(field), value });
                }
            }
        }
        dates
    }

    /// Returns at most one warning for each column.
    pub(super) fn warnings(&self) -> Vec<Problem> {
        let columns = self.columns.iter();
        columns.filter_map(|(name, column)| column.warning(name)).collect()
    }
}

/// A cell of a date column.
struct DateCell {
    column: String,
    /// Where the check reports it.
    paths: Vec<FieldPath>,
    format: String,
    value: FieldValue,
}

impl DateColumn {
    fn warning(&self, name: &str) -> Option<Problem> {
        let Self { format, cells, lost, doubtful, .. } = self;
        let flag = |format: &str| format!("name the format with --date-format '{name}={format}'");
        if let (1.., Some(other)) = (*lost, self.fitting.first()) {
            let message = format!(
                "column `{name}`: {lost} of {cells} dates do not fit {format}, and all fit {other}"
            );
            return Some(Problem::new(message).hint(flag(other)));
        }
        let is_doubtful = *doubtful > 0 && doubtful * 10 >= *cells;
        let message = format!("column `{name}`: {doubtful} of {cells} dates are doubtful");
        is_doubtful
            .then(|| Problem::new(message).hint(format!("check them, or {}", flag("FORMAT"))))
    }
}
