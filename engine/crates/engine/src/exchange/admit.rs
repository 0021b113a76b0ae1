//! Gates that take their time: a password whose hash is slow is looked at on another thread, a sub-request is made. The
//! gates are asked again from the first on, for what could be said at once costs little.

use std::sync::Arc;

use plan::fault::FaultKind;

use super::downstream::Downstream;
use super::route::Place;
use super::subrequest::{self, Kind};
use super::Answer;
use crate::buffer::Scratch;
use crate::fault::Fault;
use crate::filter::access::{self, AccessRun, GateRun, Refusal, Said};
use crate::password::desk::Desk;
use crate::password::Users;
use crate::snapshot::route::JumpRun;
use crate::template::Text;

/// Asks every gate; an answer is a refusal.
pub async fn admit(
    downstream: &Downstream,
    scratch: &mut Scratch,
    place: Place<'_>,
    run: &AccessRun,
) -> Option<Answer> {
    let mut sum = run.sum();
    for gate in &run.gates {
        let mut said = gate.say(&place.exchange(downstream, scratch));
        if matches!(said, Said::Wait) {
            let waited = match gate {
                GateRun::Basic { realm, users, .. } => {
                    let exchange = place.exchange(downstream, scratch);
                    let realm = realm.render(&exchange.scope());
                    let credentials = access::credentials(&exchange);
                    basic(&downstream.worker.shared.passwords, &realm, users, credentials).await
                }
                GateRun::Subrequest { to, set } => ask(downstream, scratch, place, to, set).await,
                GateRun::Address(_) => Ok(said),
            };
            said = match waited {
                Ok(said) => said,
                Err(fault) => return Some(place.exchange(downstream, scratch).fault(fault)),
            };
        }
        if sum.is_decided(said) {
            break;
        }
    }
    sum.answer(&mut place.exchange(downstream, scratch))
}

/// Has a password looked at.
async fn basic(
    desk: &Desk,
    realm: &[u8],
    users: &Arc<Users>,
    credentials: Option<(Vec<u8>, Vec<u8>)>,
) -> Result<Said, Fault> {
    let Some((user, password)) = credentials else { return Ok(access::unauthorized(realm)) };
    match desk.ask(users, user, password).await {
        Ok(true) => Ok(Said::Allowed),
        Ok(false) => Ok(access::unauthorized(realm)),
        Err(why) => Err(Fault::new(FaultKind::Internal, why)),
    }
}

/// Makes the sub-request, and keeps what of its response is to be kept.
async fn ask(
    downstream: &Downstream,
    scratch: &mut Scratch,
    place: Place<'_>,
    to: &JumpRun,
    set: &[(u16, Text)],
) -> Result<Said, Fault> {
    let mut inner = subrequest::ask(downstream, scratch, place, to, Kind::Get).await;
    let values: Vec<_> = {
        let exchange = place.exchange(downstream, &mut inner);
        set.iter().map(|(slot, value)| (*slot, value.render(&exchange.scope()))).collect()
    };
    let captures = scratch.captures.get_mut();
    values.into_iter().for_each(|(slot, value)| captures.set(slot, value));
    let status = inner.response.status;
    let said = match status {
        200..=299 => Ok(Said::Allowed),
        401 => {
            let challenges = inner.response.get_all(b"www-authenticate").map(<[u8]>::to_vec).collect();
            Ok(Said::Refused(Refusal { kind: FaultKind::Unauthorized, challenges }))
        }
        403 => Ok(access::forbidden()),
        _ => Err(Fault::new(FaultKind::Internal, format!("the sub-request for access was answered with {status}"))),
    };
    downstream.worker.scratches.give_back(inner);
    said
}
