//! Lookups at work (`plan::template::Lookup`): a key becomes text by a map, by networks or by shares.
//!
//! Evaluated when first asked for, once an exchange ([`Kept`]); an exchange that asks for none keeps nothing. One that
//! asks for itself, through others or not, is empty there, as in nginx.

use std::cell::RefCell;
use std::net::IpAddr;

use plan::template::{Lookup, Template};
use route::{KeyIndex, NetworkIndex, Shares};

use crate::control::error::CallError;
use crate::exchange::Scope;
use crate::filter::real_ip::RealIpRun;
use crate::snapshot::links::Links;
use crate::template::Text;

/// A lookup, ready.
pub struct LookupRun {
    kind: Kind,
    values: Vec<Text>,
    default: Text,
    /// Evaluated whenever it is asked for.
    volatile: bool,
}

enum Kind {
    Map(KeyIndex),
    Geo(NetworkIndex, Option<Box<RealIpRun>>),
    Split(Shares),
}

/// A lookup as a template asks for it.
#[derive(Debug, Clone)]
pub struct Asking {
    lookup: u32,
    key: Text,
    /// Where an exchange keeps the answer.
    place: u32,
}

/// What an exchange has looked up.
#[derive(Default)]
pub struct Kept(RefCell<Vec<Answer>>);

#[derive(Clone)]
enum Answer {
    Unknown,
    /// It is being evaluated.
    Busy,
    Known(Box<[u8]>),
}

impl LookupRun {
    /// Makes a lookup ready.
    ///
    /// # Errors
    /// A key that cannot be read, or what a value cannot be made of.
    pub fn build(lookup: &Lookup, links: &Links<'_>) -> Result<Self, CallError> {
        let bad = |problem: route::Problem| CallError::new("bad_plan", &problem.to_string(), "");
        let (kind, values, default, volatile): (Kind, Vec<&Template>, _, _) = match lookup {
            Lookup::Map { hostnames, exact, regexes, default, volatile } => {
                let patterns = regexes.iter().map(|entry| &entry.pattern);
                let index = KeyIndex::build(*hostnames, exact.iter().map(|entry| entry.key.as_str()), patterns);
                let values = exact.iter().map(|entry| &entry.value).chain(regexes.iter().map(|entry| &entry.value));
                (Kind::Map(index.map_err(bad)?), values.collect(), default, *volatile)
            }
            Lookup::Geo { networks, default, proxies } => {
                let proxies = proxies.as_ref().map(|of| RealIpRun::build(&of.trusted, "x-forwarded-for", of.recursive));
                let proxies = proxies.transpose().map_err(|e| CallError::new("bad_plan", &e, ""))?.map(Box::new);
                let index = NetworkIndex::build(networks.iter().map(|entry| entry.key.as_str())).map_err(bad)?;
                (Kind::Geo(index, proxies), networks.iter().map(|entry| &entry.value).collect(), default, false)
            }
            Lookup::Split { shares, default } => {
                let index = Shares::new(shares.iter().map(|share| share.basis_points));
                (Kind::Split(index), shares.iter().map(|share| &share.value).collect(), default, false)
            }
        };
        let values = values.into_iter().map(|value| Text::build(value, links)).collect::<Result<_, _>>()?;
        Ok(Self { kind, values, default: Text::build(default, links)?, volatile })
    }

    /// The text that belongs to a key.
    fn value(&self, key: &[u8], scope: &Scope<'_>) -> &Text {
        let place = match &self.kind {
            Kind::Map(index) => index.find(key, &mut scope.captures.borrow_mut()).map(|place| place as usize),
            Kind::Geo(index, proxies) => address(key).and_then(|address| {
                let said = proxies.as_ref().and_then(|proxies| proxies.said_by(address, &scope.request.head));
                index.find(said.unwrap_or(address)).map(|place| place as usize)
            }),
            Kind::Split(shares) => shares.find(key),
        };
        place.and_then(|place| self.values.get(place)).unwrap_or(&self.default)
    }
}

fn address(text: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

impl Asking {
    /// Makes a template's part ready.
    ///
    /// # Errors
    /// A lookup there is not, or a key that cannot be made.
    pub fn build(id: &str, key: &Template, links: &Links<'_>) -> Result<Self, CallError> {
        let (lookup, place) = links.lookup(id, key)?;
        Ok(Self { lookup, key: Text::build(key, links)?, place })
    }

    /// Appends what the lookup makes of the key.
    pub fn write(&self, scope: &Scope<'_>, out: &mut Vec<u8>) {
        // Its number is in range: both are of one Snapshot.
        let Some(lookup) = scope.lookups.get(self.lookup as usize) else { return };
        let kept = scope.looked_up;
        if !kept.begin(self.place, out) {
            return;
        }
        let key = self.key.render(scope);
        let start = out.len();
        lookup.value(&key, scope).write(scope, out);
        kept.put(self.place, if lookup.volatile { Answer::Unknown } else { Answer::Known(out[start..].into()) });
    }
}

impl Kept {
    /// Of the exchange before nothing is left.
    pub fn clear(&mut self) {
        self.0.get_mut().clear();
    }

    /// Appends an answer that is known; true when it must be found.
    fn begin(&self, place: u32, out: &mut Vec<u8>) -> bool {
        match self.0.borrow().get(place as usize) {
            Some(Answer::Known(text)) => {
                out.extend_from_slice(text);
                return false;
            }
            Some(Answer::Busy) => return false,
            Some(Answer::Unknown) | None => {}
        }
        self.put(place, Answer::Busy);
        true
    }

    fn put(&self, place: u32, answer: Answer) {
        let mut all = self.0.borrow_mut();
        let place = place as usize;
        if all.len() <= place {
            all.resize(place + 1, Answer::Unknown);
        }
        all[place] = answer;
    }
}
