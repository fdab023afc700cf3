//! Clients that try names until one exists: many different recipients that were refused as unknown.

use super::groups::{Seen, text};
use super::queue::{NumberMap, hash};

/// So many clients are watched.
const MOST_CLIENTS: usize = 20_000;
/// So many different recipients of one client are told apart.
const MOST_RECIPIENTS: usize = 2_000;
/// So many of all clients.
const MOST_OF_ALL: usize = 500_000;
/// From so many on it is no accident.
const ATTACK: usize = 10;

/// A client that tries names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attack {
    /// Its address.
    pub client: String,
    /// So many different recipients were refused; at least so many where `is_exact` is false.
    pub recipients: usize,
    /// No more were there.
    pub is_exact: bool,
    /// How often and when.
    pub seen: Seen,
}

#[derive(Debug, Default)]
struct Client {
    recipients: Vec<u64>,
    seen: Seen,
    is_full: bool,
}

/// Watches refusals.
#[derive(Debug, Default)]
pub(super) struct Attacks {
    by_key: NumberMap<usize>,
    clients: Vec<(Box<[u8]>, Client)>,
    recipients: usize,
}

impl Attacks {
    /// Counts an unknown recipient.
    pub(super) fn add(&mut self, client: &[u8], recipient: &[u8], stamp: &[u8], times: u64) {
        let key = hash(0, client);
        let index = match self.by_key.get(&key) {
            Some(&index) => index,
            None => {
                if self.clients.len() >= MOST_CLIENTS {
                    self.forget_the_harmless();
                }
                if self.clients.len() >= MOST_CLIENTS {
                    return;
                }
                let seen = Seen {
                    first: text(stamp),
                    ..Seen::default()
                };
                self.clients.push((
                    client.into(),
                    Client {
                        seen,
                        ..Client::default()
                    },
                ));
                self.by_key.insert(key, self.clients.len() - 1);
                self.clients.len() - 1
            }
        };
        let (_, client) = &mut self.clients[index];
        client.seen.count += times;
        client.seen.last.clear();
        client.seen.last.push_str(&String::from_utf8_lossy(stamp));
        let recipient = hash(0, &recipient.to_ascii_lowercase());
        if let Err(place) = client.recipients.binary_search(&recipient) {
            if client.recipients.len() >= MOST_RECIPIENTS || self.recipients >= MOST_OF_ALL {
                client.is_full = true;
            } else {
                client.recipients.insert(place, recipient);
                self.recipients += 1;
            }
        }
    }

    /// Makes room: those with the fewest recipients go.
    fn forget_the_harmless(&mut self) {
        let fewest = self
            .clients
            .iter()
            .map(|(_, client)| client.recipients.len());
        let fewest = fewest.min().unwrap_or(0);
        if fewest >= ATTACK {
            return;
        }
        self.clients
            .retain(|(_, client)| client.recipients.len() > fewest);
        self.recipients = (self.clients.iter())
            .map(|(_, client)| client.recipients.len())
            .sum();
        self.by_key = (self.clients.iter().enumerate())
            .map(|(index, (client, _))| (hash(0, client), index))
            .collect();
    }

    /// The clients that tried many, the most busy first.
    pub(super) fn finish(self) -> Vec<Attack> {
        let mut attacks: Vec<Attack> = (self.clients.into_iter())
            .filter(|(_, client)| client.recipients.len() >= ATTACK)
            .map(|(address, client)| Attack {
                client: text(&address),
                recipients: client.recipients.len(),
                is_exact: !client.is_full,
                seen: client.seen,
            })
            .collect();
        attacks.sort_by_key(|attack| std::cmp::Reverse((attack.recipients, attack.seen.count)));
        attacks
    }
}
