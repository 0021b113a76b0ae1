//! Where slow hashes are looked at: one thread for the whole process, begun with the first. So many clients that try
//! passwords cost one core, and nobody else waits for them; over its queue's length they are told so.

use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::Users;

/// Passwords that wait at most.
const QUEUE: usize = 256;

#[derive(Default)]
pub struct Desk(Mutex<Option<SyncSender<Question>>>);

struct Question {
    users: Arc<Users>,
    user: Vec<u8>,
    password: Vec<u8>,
    answer: oneshot::Sender<bool>,
}

impl Desk {
    /// Whether the password is the user's.
    ///
    /// # Errors
    /// Too many wait already, or there is no thread.
    pub async fn ask(&self, users: &Arc<Users>, user: Vec<u8>, password: Vec<u8>) -> Result<bool, &'static str> {
        let (answer, answered) = oneshot::channel();
        self.put(Question { users: Arc::clone(users), user, password, answer })?;
        answered.await.map_err(|_| "the thread for passwords has ended")
    }

    fn put(&self, question: Question) -> Result<(), &'static str> {
        let mut desk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = match &*desk {
            Some(sender) => sender,
            None => {
                let (sender, questions) = sync_channel(QUEUE);
                std::thread::Builder::new()
                    .name("passwords".to_owned())
                    .spawn(move || work(&questions))
                    .map_err(|_| "there is no thread for passwords")?;
                desk.insert(sender)
            }
        };
        sender.try_send(question).map_err(|_| "too many passwords are looked at already")
    }
}

fn work(questions: &Receiver<Question>) {
    while let Ok(Question { users, user, password, answer }) = questions.recv() {
        if !answer.is_closed() {
            let _ = answer.send(users.verify(&user, &password));
        }
    }
}
