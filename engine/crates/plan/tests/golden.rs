//! The golden Plans, which pytest reads too: each parses, and writes out as it stood. And law 1: whatever is
//! left out or added anywhere in them is refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use daemun_plan::fault::FaultKind;
use daemun_plan::Plan;
use serde_json::{json, Map, Value};

fn golden() -> BTreeMap<String, Value> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/golden/plan");
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).expect("tests/golden/plan") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "json") {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).expect("readable");
            found.insert(name, serde_json::from_slice(&bytes).expect("JSON"));
        }
    }
    assert!(found.len() >= 15, "golden Plans in {}: {}", folder.display(), found.len());
    found
}

fn parse(value: &Value) -> Result<Plan, String> {
    Plan::from_json(&serde_json::to_vec(value).expect("writable"))
}

/// Every path to an object, as JSON pointers.
fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(at.to_owned());
            for (key, inner) in fields {
                objects(inner, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                objects(inner, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Maps from names to objects take any key, and an empty one lacks none.
const NAMED: [&str; 14] = [
    "listeners",
    "hosts",
    "http",
    "certificates",
    "tls_options",
    "tables",
    "routes",
    "filters",
    "services",
    "transports",
    "faults",
    "mime_types",
    "lookups",
    "logs",
];

fn holds_names(pointer: &str) -> bool {
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    match steps.as_slice() {
        [one] => NAMED.contains(one),
        ["faults" | "mime_types", _] => true,
        _ => false,
    }
}

fn fields<'a>(plan: &'a mut Value, pointer: &str) -> &'a mut Map<String, Value> {
    plan.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object")
}

#[test]
fn golden_plans_parse_and_write_out_as_they_stood() {
    for (name, value) in golden() {
        let plan = parse(&value).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(serde_json::to_value(&plan).expect("writable"), value, "{name}");
    }
}

#[test]
fn a_field_too_many_is_refused_in_every_object() {
    for (name, value) in golden() {
        let mut pointers = Vec::new();
        objects(&value, "", &mut pointers);
        for pointer in pointers.iter().filter(|p| !holds_names(p)) {
            let mut plan = value.clone();
            fields(&mut plan, pointer).insert("surplus".into(), json!(1));
            assert!(parse(&plan).is_err(), "{name}: {pointer} took an unknown field");
        }
    }
}

#[test]
fn a_missing_field_is_refused_in_every_object() {
    for (name, value) in golden() {
        let mut pointers = Vec::new();
        objects(&value, "", &mut pointers);
        for pointer in pointers.iter().filter(|p| !holds_names(p)) {
            let keys: Vec<String> = fields(&mut value.clone(), pointer).keys().cloned().collect();
            for key in keys {
                let mut plan = value.clone();
                fields(&mut plan, pointer).remove(&key);
                assert!(parse(&plan).is_err(), "{name}: {pointer} did not miss {key}");
            }
        }
    }
}

#[test]
fn every_kind_of_fault_is_listed_once_and_answered() {
    let mut kinds = FaultKind::ALL.to_vec();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), FaultKind::ALL.len());
    for (name, value) in golden() {
        for answers in parse(&value).expect("a Plan").faults.values() {
            assert_eq!(answers.keys().copied().collect::<Vec<_>>(), kinds, "{name}");
        }
    }
}

#[test]
fn another_version_is_refused_by_name() {
    let (_, mut plan) = golden().pop_first().expect("a Plan");
    plan["version"] = json!(2);
    assert_eq!(parse(&plan).expect_err("refused"), "this engine speaks Plan version 1, this Plan has version 2");
}
