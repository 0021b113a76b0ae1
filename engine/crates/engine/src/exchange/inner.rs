//! The client's side of an exchange that the engine makes for itself (nginx's sub-requests): nobody sends a body, and of
//! the response only the head is looked at. The rest is read and dropped, so that the endpoint's connection can be used
//! again; when it is long, the connection is closed instead.

use plan::fault::FaultKind;

use crate::fault::Fault;

/// What of a response's body is read for nobody.
const MOST: u64 = 1 << 20;

#[derive(Default)]
pub struct Inner {
    dropped: u64,
}

impl Inner {
    /// Drops so many bytes.
    ///
    /// # Errors
    /// It is not worth reading on.
    pub fn drop_bytes(&mut self, n: usize) -> Result<(), Fault> {
        self.dropped += n as u64;
        if self.dropped > MOST {
            return Err(Fault::new(FaultKind::ClientGone, "nobody reads so long an answer to a sub-request"));
        }
        Ok(())
    }
}
