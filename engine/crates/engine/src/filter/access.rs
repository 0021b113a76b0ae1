//! Admission (nginx's access phase): gates in order, all of which must let a request through, or any of which may.
//!
//! Facts (nginx's source): a gate that says nothing of a request leaves it to the others; of refusals 401 is stronger
//! than 403; a sub-request is not asked again. What takes time, a slow password hash or a sub-request, is
//! [`crate::exchange::admit`]'s: here is only what can be said at once.

use std::net::IpAddr;
use std::sync::Arc;

use plan::fault::FaultKind;
use plan::filter::{Access, AddressRule, Gate, Satisfy};
use route::Cidrs;

use super::Turn;
use crate::condition::Test;
use crate::control::error::CallError;
use crate::exchange::{Answer, Exchange};
use crate::fault::Fault;
use crate::password::{self, Users, Verdict};
use crate::snapshot::links::Links;
use crate::snapshot::route::JumpRun;
use crate::template::Text;

pub struct AccessRun {
    any: bool,
    pub(crate) gates: Vec<GateRun>,
}

pub enum GateRun {
    /// Each with whether it allows.
    Address(Vec<(bool, Whom)>),
    /// It says nothing where the condition does not hold.
    Basic {
        realm: Text,
        users: Arc<Users>,
        when: Option<Test>,
    },
    Subrequest {
        to: JumpRun,
        set: Vec<(u16, Text)>,
    },
}

/// Whom an address rule means.
pub enum Whom {
    Everyone,
    /// Clients on a Unix socket, whose address is the unspecified one.
    Unix,
    Networks(Cidrs),
}

/// What a gate says of a request.
pub enum Said {
    Allowed,
    Nothing,
    Refused(Refusal),
    /// It takes its time.
    Wait,
}

/// The refusal a client sees: 403, or 401 with what it is asked for.
pub struct Refusal {
    pub kind: FaultKind,
    pub challenges: Vec<Vec<u8>>,
}

/// The gates that were asked, together.
pub struct Sum {
    any: bool,
    refused: Option<Refusal>,
}

impl AccessRun {
    /// Makes the gates ready.
    ///
    /// # Errors
    /// What in them cannot be run, or a secret that was not handed over.
    pub fn build(access: &Access, links: &Links<'_>) -> Result<Self, CallError> {
        let gate = |gate: &Gate| {
            Ok(match gate {
                Gate::Address(rules) => GateRun::Address(rules.iter().map(rule).collect::<Result<_, CallError>>()?),
                Gate::Basic { realm, users, when } => GateRun::Basic {
                    realm: Text::build(realm, links)?,
                    users: links.users(users)?,
                    when: when.as_ref().map(|when| Test::build(when, links)).transpose()?,
                },
                Gate::Subrequest { to, set } => {
                    let set = set.iter().map(|of| Ok((links.slot(of.slot)?, Text::build(&of.value, links)?)));
                    GateRun::Subrequest { to: JumpRun::build(to, links)?, set: set.collect::<Result<_, CallError>>()? }
                }
            })
        };
        let gates = access.gates.iter().map(gate).collect::<Result<_, CallError>>()?;
        Ok(Self { any: access.satisfy == Satisfy::Any, gates })
    }

    /// The whole, when it can be said at once.
    pub(super) fn on_request(&self, exchange: &mut Exchange<'_, '_>) -> Turn {
        let mut sum = self.sum();
        for gate in &self.gates {
            match gate.say(exchange) {
                Said::Wait => return Turn::Wait,
                said => {
                    if sum.is_decided(said) {
                        break;
                    }
                }
            }
        }
        match sum.answer(exchange) {
            Some(answer) => Turn::Answer(answer),
            None => Turn::Go,
        }
    }

    #[must_use]
    pub fn sum(&self) -> Sum {
        Sum { any: self.any, refused: None }
    }
}

impl Sum {
    /// Adds what a gate has said; true when the others need not be asked.
    pub fn is_decided(&mut self, said: Said) -> bool {
        match said {
            Said::Allowed if self.any => {
                self.refused = None;
                true
            }
            Said::Refused(refusal) => {
                let stronger = self.refused.as_ref().is_none_or(|before| before.kind != FaultKind::Unauthorized);
                if stronger {
                    self.refused = Some(refusal);
                }
                !self.any
            }
            Said::Allowed | Said::Nothing | Said::Wait => false,
        }
    }

    /// The refusal, if it is one.
    pub fn answer(self, exchange: &mut Exchange<'_, '_>) -> Option<Answer> {
        let Refusal { kind, challenges } = self.refused?;
        let answer = exchange.fault(Fault::new(kind, "access is refused"));
        for challenge in challenges.iter().filter(|challenge| wire::field::is_value(challenge)) {
            exchange.response.add(b"WWW-Authenticate", challenge);
        }
        Some(answer)
    }
}

impl GateRun {
    /// What can be said at once.
    pub(crate) fn say(&self, exchange: &Exchange<'_, '_>) -> Said {
        match self {
            Self::Address(rules) => said_of(rules, exchange.request.client_ip(exchange.client)),
            Self::Basic { when: Some(when), .. } if !when.holds(&exchange.scope()) => Said::Nothing,
            Self::Basic { realm, users, .. } => {
                let realm = realm.render(&exchange.scope());
                match credentials(exchange) {
                    None => unauthorized(&realm),
                    Some((user, password)) => match users.judge(&user, &password) {
                        Verdict::Right => Said::Allowed,
                        Verdict::Wrong => unauthorized(&realm),
                        Verdict::Slow => Said::Wait,
                    },
                }
            }
            Self::Subrequest { .. } => Said::Wait,
        }
    }
}

/// User and password of the request.
#[must_use]
pub fn credentials(exchange: &Exchange<'_, '_>) -> Option<(Vec<u8>, Vec<u8>)> {
    exchange.request.head.get_all(b"authorization").next().and_then(password::credentials)
}

/// 401, with what is asked for (RFC 7617 section 2).
#[must_use]
pub fn unauthorized(realm: &[u8]) -> Said {
    let challenge = [b"Basic realm=\"", realm, b"\""].concat();
    Said::Refused(Refusal { kind: FaultKind::Unauthorized, challenges: vec![challenge] })
}

/// 403.
#[must_use]
pub fn forbidden() -> Said {
    Said::Refused(Refusal { kind: FaultKind::Forbidden, challenges: Vec::new() })
}

fn rule(rule: &AddressRule) -> Result<(bool, Whom), CallError> {
    let whom = match rule.network.as_str() {
        "all" => Whom::Everyone,
        "unix:" => Whom::Unix,
        network => {
            let networks = Cidrs::parse(&[network.to_owned()]);
            Whom::Networks(networks.map_err(|e| CallError::new("bad_plan", &e.to_string(), ""))?)
        }
    };
    Ok((rule.allow, whom))
}

fn said_of(rules: &[(bool, Whom)], client: IpAddr) -> Said {
    let is_unix = client.is_unspecified();
    let first = rules.iter().find(|(_, whom)| match whom {
        Whom::Everyone => true,
        Whom::Unix => is_unix,
        Whom::Networks(networks) => !is_unix && networks.contains(client),
    });
    match first {
        Some((true, _)) => Said::Allowed,
        Some((false, _)) => forbidden(),
        None => Said::Nothing,
    }
}
