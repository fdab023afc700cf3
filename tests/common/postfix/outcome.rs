//! What the log says became of a message.

use std::collections::BTreeSet;

/// What became of a message after it was accepted.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// One line of the log for each recipient in the end.
    pub(crate) deliveries: Vec<Delivery>,
    /// A notice of non-delivery was sent to the sender.
    pub(crate) is_bounced: bool,
}

/// One recipient of a message, as the log tells it.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// The address in the end.
    pub(crate) to: String,
    /// `sent`, `bounced`, `deferred` …
    pub(crate) status: String,
    /// Why.
    pub(crate) text: String,
}

impl Outcome {
    /// Whether all recipients got the message.
    pub(crate) fn is_delivered(&self) -> bool {
        !self.deliveries.is_empty() && self.deliveries.iter().all(|one| one.status == "sent")
    }

    /// Reads what the log says about a message, or nothing while it, or what it led to, is in the queue.
    pub(super) fn read(log: &str, id: &str) -> Option<Self> {
        let mut open = BTreeSet::from([id.to_owned()]);
        let mut notices = BTreeSet::new();
        let mut deliveries = Vec::new();
        for (id, text) in log.lines().filter_map(queue_record) {
            if !open.contains(id) {
                continue;
            }
            if text == "removed" {
                open.remove(id);
            } else if let Some((_, notice)) = text.split_once("non-delivery notification: ") {
                notices.insert(notice.to_owned());
                open.insert(notice.to_owned());
            } else if let Some((_, rest)) = text.split_once("(forwarded as ") {
                open.insert(rest.trim_end_matches(')').to_owned());
            } else if let Some(delivery) = Delivery::read(text)
                && !notices.contains(id)
            {
                deliveries.push(delivery);
            }
        }
        // Deferred mail stays in the queue, and stays there.
        let is_deferred = deliveries.iter().any(|one| one.status == "deferred");
        (open.is_empty() || is_deferred).then_some(Self {
            deliveries,
            is_bounced: !notices.is_empty(),
        })
    }
}

impl Delivery {
    fn read(text: &str) -> Option<Self> {
        let (to, rest) = text.strip_prefix("to=<")?.split_once('>')?;
        let (status, text) = rest.split_once("status=")?.1.split_once(' ')?;
        Some(Self {
            to: to.to_owned(),
            status: status.to_owned(),
            text: text.to_owned(),
        })
    }
}

/// Queue ID and text of a log line, such as `… postfix/qmgr[7]: 0A1B2C: removed`.
fn queue_record(line: &str) -> Option<(&str, &str)> {
    line.split_once("]: ")?.1.split_once(": ")
}
