//! Finds the operations, parameters and schemas of an OpenAPI document.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The methods of the operations that a path can have.
pub(crate) const METHODS: [&str; 8] =
    ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The members of an object. Other values have none.
pub(crate) fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// The elements of an array. Other values have none.
pub(crate) fn elements(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// The string at a key.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// An operation of a document, with the parameters that all operations of its path share.
pub(crate) struct Operation<'a> {
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    pub(crate) value: &'a Value,
    shared: Option<&'a Value>,
}

impl<'a> Operation<'a> {
    /// Method and path, such as `POST /lead/search`.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    /// The JSON pointer to the operation.
    pub(crate) fn pointer(&self) -> String {
        format!("/paths/{}/{}", escape(self.path), self.method)
    }

    /// The operationId, where there is one.
    pub(crate) fn id(&self) -> Option<&'a str> {
        text(self.value, "operationId")
    }

    /// Its parameters with references resolved. Those of the operation hide those of the path.
    pub(crate) fn parameters(&self, document: &'a Value) -> Vec<&'a Value> {
        let mut found: Vec<&Value> = Vec::new();
        let own = elements(self.value.get("parameters"));
        for parameter in own.chain(elements(self.shared)) {
            let parameter = resolve(document, parameter);
            let identity = |value: &'a Value| (text(value, "in"), text(value, "name"));
            if !found.iter().any(|other| identity(other) == identity(parameter)) {
                found.push(parameter);
            }
        }
        found
    }
}

/// All operations of a document.
pub(crate) fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, item) in members(document.get("paths")) {
        for method in METHODS {
            if let Some(value) = item.get(method) {
                operations.push(Operation { path, method, value, shared: item.get("parameters") });
            }
        }
    }
    operations
}

/// The node that a local reference names.
pub(crate) fn target<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

/// Follows references. One that does not exist is returned as it is, and the lint refuses it.
pub(crate) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    // Components may refer to each other in a circle.
    for _ in 0..16 {
        match text(value, "$ref").and_then(|reference| target(document, reference)) {
            Some(next) => value = next,
            None => break,
        }
    }
    value
}

/// The name of the schema component that a schema refers to.
pub(crate) fn component(schema: &Value) -> Option<&str> {
    text(schema, "$ref")?.strip_prefix("#/components/schemas/")
}

/// The places below a schema that hold other schemas.
fn child_keys(schema: &Map<String, Value>) -> Vec<String> {
    let mut keys = Vec::new();
    for key in ["items", "additionalProperties", "not"] {
        if schema.get(key).is_some_and(Value::is_object) {
            keys.push(key.to_owned());
        }
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        let members = schema.get(key).and_then(Value::as_array);
        keys.extend((0..members.map_or(0, Vec::len)).map(|index| format!("{key}/{index}")));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for name in properties.into_iter().flat_map(Map::keys) {
        keys.push(format!("properties/{}", escape(name)));
    }
    keys
}

/// A name as a segment of a JSON pointer.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The name that a segment of a JSON pointer stands for.
pub(crate) fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

/// JSON pointers of all schemas at and below `pointer`, parents first.
fn schemas_below(document: &Value, pointer: String, found: &mut Vec<String>) {
    let Some(Value::Object(schema)) = document.pointer(&pointer) else {
        return;
    };
    let children = child_keys(schema);
    found.push(pointer.clone());
    for key in children {
        schemas_below(document, format!("{pointer}/{key}"), found);
    }
}

/// JSON pointers of all parameters: those of components, paths and operations.
pub(crate) fn parameters(document: &Value) -> Vec<String> {
    let shared = members(document.pointer("/components/parameters"));
    let shared = shared.map(|(name, _)| format!("/components/parameters/{}", escape(name)));
    let mut pointers: Vec<String> = shared.collect();
    for (path, item) in members(document.get("paths")) {
        let at = format!("/paths/{}", escape(path));
        pointers.extend(own_parameters(item, &at));
        for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
            pointers.extend(own_parameters(&item[*method], &format!("{at}/{method}")));
        }
    }
    pointers
}

fn own_parameters(holder: &Value, at: &str) -> impl Iterator<Item = String> {
    let count = elements(holder.get("parameters")).count();
    (0..count).map(move |index| format!("{at}/parameters/{index}"))
}

/// JSON pointers of the outermost schemas: components, parameters, bodies and responses.
pub(crate) fn roots(document: &Value) -> Vec<String> {
    let components = members(document.pointer("/components/schemas"));
    let components = components.map(|(name, _)| format!("/components/schemas/{}", escape(name)));
    let mut roots: Vec<String> = components.collect();
    roots.extend(parameters(document).iter().map(|parameter| format!("{parameter}/schema")));
    for kind in ["requestBodies", "responses"] {
        let at = format!("/components/{kind}");
        for (name, value) in members(document.pointer(&at)) {
            roots.extend(media_types(value, &format!("{at}/{}", escape(name))));
        }
    }
    for operation in operations(document) {
        let at = operation.pointer();
        if let Some(body) = operation.value.get("requestBody") {
            roots.extend(media_types(body, &format!("{at}/requestBody")));
        }
        for (status, response) in members(operation.value.get("responses")) {
            roots.extend(media_types(response, &format!("{at}/responses/{status}")));
        }
    }
    roots.retain(|root| document.pointer(root).is_some());
    roots
}

fn media_types(holder: &Value, at: &str) -> Vec<String> {
    members(holder.get("content"))
        .map(|(media, _)| format!("{at}/content/{}/schema", escape(media)))
        .collect()
}

/// JSON pointers of all schemas, parents before their children.
pub(crate) fn schemas(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for root in roots(document) {
        schemas_below(document, root, &mut found);
    }
    found
}

/// The schema components that are used, directly or not, at the roots for which `start` holds.
pub(crate) fn reachable(document: &Value, start: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut open: Vec<String> = roots(document)
        .into_iter()
        .filter(|root| !root.starts_with("/components/schemas/") && start(root))
        .collect();
    let mut names = BTreeSet::new();
    while let Some(root) = open.pop() {
        let mut below = Vec::new();
        schemas_below(document, root, &mut below);
        for pointer in below {
            let name = document.pointer(&pointer).and_then(component);
            if let Some(name) = name
                && names.insert(name.to_owned())
            {
                open.push(format!("/components/schemas/{}", escape(name)));
            }
        }
    }
    names
}

/// A JSON pointer in the notation of overlay targets.
pub(crate) fn json_path(pointer: &str) -> String {
    let mut path = "$".to_owned();
    for segment in pointer.split('/').skip(1) {
        let name = unescape(segment);
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if plain && name.parse::<usize>().is_ok_and(|number| number < 100) {
            path.push_str(&format!("[{name}]"));
        } else if plain && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) {
            path.push_str(&format!(".{name}"));
        } else {
            path.push_str(&format!("['{name}']"));
        }
    }
    path
}
