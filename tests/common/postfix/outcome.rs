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
        let records: Vec<(&str, &str)> = log.lines().filter_map(queue_record).collect();
        // A notice can be delivered and removed before bounce(8) logs that it made it: first find all
        // messages that belong to this one, then what became of them.
        let mut family = BTreeSet::from([id.to_owned()]);
        let mut notices = BTreeSet::new();
        loop {
            let before = family.len();
            for (id, text) in &records {
                if !family.contains(*id) {
                    continue;
                }
                if let Some((_, notice)) = text.split_once("non-delivery notification: ") {
                    notices.insert(notice.to_owned());
                    family.insert(notice.to_owned());
                } else if let Some((_, rest)) = text.split_once("(forwarded as ") {
                    family.insert(rest.trim_end_matches(')').to_owned());
                }
            }
            if family.len() == before {
                break;
            }
        }
        let mut open = family.clone();
        let mut deliveries = Vec::new();
        for (id, text) in records.into_iter().filter(|(id, _)| family.contains(*id)) {
            if text == "removed" {
                open.remove(id);
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

#[test]
fn a_notice_may_be_gone_before_it_is_announced() {
    let log = "\
h postfix/smtp[1]: AAA: to=<x@a.test>, relay=r, dsn=5.1.1, status=bounced (no)
h postfix/smtp[1]: BBB: to=<f@v.test>, relay=r, dsn=2.0.0, status=sent (ok)
h postfix/qmgr[2]: BBB: removed
h postfix/bounce[3]: AAA: sender non-delivery notification: BBB
";
    assert!(
        Outcome::read(log, "AAA").is_none(),
        "AAA is still in the queue"
    );
    let log = format!("{log}h postfix/qmgr[2]: AAA: removed\n");
    let outcome = Outcome::read(&log, "AAA").expect("both are gone");
    assert!(outcome.is_bounced && !outcome.is_delivered());
    assert_eq!(outcome.deliveries.len(), 1);
}
