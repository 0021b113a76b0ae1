//! What the parts of a Plan say of each other by id. Tables lead to routes, routes to filters, filters to tables again:
//! none of them can hold the other, so each has a number before anything is built, and is found by it in [`Routing`].

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use plan::matching::Pattern;
use plan::table::{Locations, Table};
use plan::template::Template;
use plan::Plan;
use route::CompiledPattern;
use rustc_hash::FxHashMap;

use super::listener::TableRun;
use super::route::RouteRun;
use crate::control::error::CallError;
use crate::lookup::LookupRun;
use crate::password::Users;
use crate::tls::store::Store;

/// What is found by its number while an exchange runs.
#[derive(Default)]
pub struct Routing {
    pub tables: Vec<Arc<TableRun>>,
    pub routes: Vec<Arc<RouteRun>>,
    pub lookups: Vec<LookupRun>,
    /// Something in it searches again: what filters did to a request must be undone then.
    pub jumps: bool,
    /// A template in it shows the request's body.
    pub shows_body: bool,
}

/// The numbers, while a Snapshot is built.
pub struct Links<'p> {
    plan: &'p Plan,
    secrets: &'p Store,
    /// Those of secrets that are asked for, read.
    users: RefCell<FxHashMap<String, Arc<Users>>>,
    tables: FxHashMap<&'p str, u32>,
    routes: FxHashMap<&'p str, u32>,
    lookups: FxHashMap<&'p str, u32>,
    /// The keys each lookup is asked with, and where an exchange keeps what came of it.
    keys: RefCell<FxHashMap<u32, Vec<(Template, u32)>>>,
    kept: Cell<u32>,
    jumps: Cell<bool>,
    shows_body: Cell<bool>,
}

impl<'p> Links<'p> {
    #[must_use]
    pub fn new(plan: &'p Plan, secrets: &'p Store) -> Self {
        fn numbered<T>(all: &BTreeMap<String, T>) -> FxHashMap<&str, u32> {
            all.keys().map(String::as_str).zip(0..).collect()
        }
        Self {
            plan,
            secrets,
            users: RefCell::default(),
            tables: numbered(&plan.tables),
            routes: numbered(&plan.routes),
            lookups: numbered(&plan.lookups),
            keys: RefCell::default(),
            kept: Cell::new(0),
            jumps: Cell::new(false),
            shows_body: Cell::new(false),
        }
    }

    /// A table's number.
    ///
    /// # Errors
    /// There is none of that id; so with the others.
    pub fn table(&self, id: &str) -> Result<u32, CallError> {
        self.tables.get(id).copied().ok_or_else(|| CallError::reference("", "table", id))
    }

    /// A route's number.
    ///
    /// # Errors
    /// As [`Links::table`].
    pub fn route(&self, id: &str) -> Result<u32, CallError> {
        self.routes.get(id).copied().ok_or_else(|| CallError::reference("", "route", id))
    }

    /// The number of the route that a table knows by this name.
    ///
    /// # Errors
    /// As [`Links::table`].
    pub fn named(&self, table: &str, name: &str) -> Result<u32, CallError> {
        let route = match self.plan.tables.get(table) {
            None => return Err(CallError::reference("", "table", table)),
            Some(Table::First(_)) => None,
            Some(Table::Locations(level)) => named(level, name),
        };
        self.route(route.ok_or_else(|| CallError::reference("", "named location", name))?)
    }

    /// Every name of a table, with its route's number.
    ///
    /// # Errors
    /// As [`Links::table`].
    pub fn names(&self, table: &Table) -> Result<Vec<(String, u32)>, CallError> {
        let mut all = Vec::new();
        if let Table::Locations(level) = table {
            names(level, &mut |name, route| {
                all.push((name.to_owned(), self.route(route)?));
                Ok(())
            })?;
        }
        Ok(all)
    }

    /// A lookup's number, and where an exchange keeps what came of this key; equal keys share a place.
    ///
    /// # Errors
    /// As [`Links::table`].
    pub fn lookup(&self, id: &str, key: &Template) -> Result<(u32, u32), CallError> {
        let number = self.lookups.get(id).copied().ok_or_else(|| CallError::reference("", "lookup", id))?;
        let mut keys = self.keys.borrow_mut();
        let keys = keys.entry(number).or_default();
        if let Some((_, place)) = keys.iter().find(|(known, _)| known == key) {
            return Ok((number, *place));
        }
        let place = self.kept.get();
        self.kept.set(place + 1);
        keys.push((key.clone(), place));
        Ok((number, place))
    }

    /// A slot that the Plan has.
    ///
    /// # Errors
    /// It has fewer.
    pub fn slot(&self, slot: u16) -> Result<u16, CallError> {
        if usize::from(slot) < self.plan.slots.len() {
            Ok(slot)
        } else {
            Err(CallError::reference("", "slot", &slot.to_string()))
        }
    }

    /// A pattern, compiled.
    ///
    /// # Errors
    /// It does not compile, or writes a slot there is not.
    pub fn pattern(&self, pattern: &Pattern) -> Result<CompiledPattern, CallError> {
        if let Some(slot) = pattern.slot {
            self.slot(slot)?;
        }
        CompiledPattern::new(pattern).map_err(|problem| CallError::new("bad_plan", &problem.to_string(), ""))
    }

    /// The users whose htpasswd lines stand in a secret.
    ///
    /// # Errors
    /// It was not handed over.
    pub fn users(&self, id: &str) -> Result<Arc<Users>, CallError> {
        if let Some(users) = self.users.borrow().get(id) {
            return Ok(Arc::clone(users));
        }
        let text = self.secrets.secret(id).ok_or_else(|| CallError::reference("", "secret", id))?;
        let users = Arc::new(Users::parse(&text));
        self.users.borrow_mut().insert(id.to_owned(), Arc::clone(&users));
        Ok(users)
    }

    /// Something searches again.
    pub fn note_jump(&self) {
        self.jumps.set(true);
    }

    /// A template shows the request's body: it is kept.
    pub fn note_body(&self) {
        self.shows_body.set(true);
    }

    #[must_use]
    pub fn shows_body(&self) -> bool {
        self.shows_body.get()
    }

    #[must_use]
    pub fn has_jumps(&self) -> bool {
        self.jumps.get()
    }
}

/// The route reached by this name, on any level.
fn named<'a>(level: &'a Locations, name: &str) -> Option<&'a str> {
    if let Some(named) = level.named.iter().find(|named| named.name == name) {
        return Some(&named.route);
    }
    let prefixes = level.prefixes.iter().filter_map(|prefix| prefix.children.as_deref());
    let regexes = level.regexes.iter().filter_map(|regex| regex.children.as_deref());
    prefixes.chain(regexes).find_map(|inner| named(inner, name))
}

/// Tells of every name on every level.
fn names(level: &Locations, each: &mut dyn FnMut(&str, &str) -> Result<(), CallError>) -> Result<(), CallError> {
    for named in &level.named {
        each(&named.name, &named.route)?;
    }
    let prefixes = level.prefixes.iter().filter_map(|prefix| prefix.children.as_deref());
    let regexes = level.regexes.iter().filter_map(|regex| regex.children.as_deref());
    for inner in prefixes.chain(regexes) {
        names(inner, each)?;
    }
    Ok(())
}
