//! The mail log: what Postfix did, by its own account.
//!
//! [`read`] goes through logs once, in constant memory, and follows each queue id from the message to the notice of
//! non-delivery that came of it. What is counted:
//!
//! - `received`: queue files that smtpd(8) or pickup(8) made (`ID: client=`, `ID: uid=`). What Postfix makes itself,
//!   notices and forwarded mail, is not among them.
//! - `sent`, `bounced`, `deferred`: lines of delivery agents with `to=<…>` and that `status=`; `SOFTBOUNCE` is deferred.
//!   A message with three recipients has three, and one that is tried five times has five.
//! - `expired`: lines of qmgr(8) with `status=expired` or `status=force-expired`.
//! - `rejected`: lines with the verb `reject`, `milter-reject` or `proxy-reject`.
//! - `warnings`, `errors`, `fatals`, `panics`: lines of Postfix that begin with that word.
//!
//! Where a syslog daemon wrote "message repeated 3 times", it is three lines.

mod attack;
mod because;
mod complaints;
mod compressed;
mod event;
mod groups;
mod histogram;
mod input;
mod line;
mod queue;
mod refused;
mod stamp;
mod watch;

use std::net::IpAddr;

pub use attack::Attack;
pub use because::{Because, Causes, Now};
pub use complaints::Complaint;
pub use event::{Client, Delivery, Event, NoticeKind, Refusal, Reject, RejectedBy, Status, host};
pub use groups::Seen;
pub use histogram::Bucket;
pub use input::{Damage, Input, Progress};
pub use line::{Line, Parsed, Program, Severity, is_queue_id, parse, queue_id};
pub use queue::{NumberMap, hash};
pub use refused::{Reason, RefusedByOther};

use watch::Watch;

/// How often what was seen. The module says what counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that entered.
    pub received: u64,
    /// Deliveries.
    pub sent: u64,
    /// Returned.
    pub bounced: u64,
    /// Put off.
    pub deferred: u64,
    /// Given up after days.
    pub expired: u64,
    /// Refused.
    pub rejected: u64,
    /// Warnings.
    pub warnings: u64,
    /// Errors.
    pub errors: u64,
    /// Programs that gave up.
    pub fatals: u64,
    /// Programs that found a bug in themselves.
    pub panics: u64,
}

/// How the caller wants a log read.
pub struct Options<'o> {
    /// Whether a client belongs to us: a notice for its mail is no backscatter. Loopback addresses belong to us in
    /// any case.
    pub is_own: &'o dyn Fn(IpAddr) -> bool,
    /// Is told now and then how far reading has come.
    pub progress: &'o mut dyn FnMut(Progress<'_>),
}

/// What a log says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogReport {
    /// All lines, of whichever program.
    pub lines: u64,
    /// Those of Postfix.
    pub postfix_lines: u64,
    /// The stamp of the first line that has one, as it stands there.
    pub first: Option<String>,
    /// That of the last line.
    pub last: Option<String>,
    /// The sums.
    pub counts: Counts,
    /// The same by hour or day.
    pub histogram: Vec<Bucket>,
    /// Our mail that others refuse because of our address.
    pub refused_by_others: Vec<RefusedByOther>,
    /// Notices to strangers, by the recipient that caused them.
    pub backscatter: Vec<Backscatter>,
    /// What became of all notices.
    pub notices: Notices,
    /// Mail that was accepted for recipients who do not exist.
    pub accepted_unknown: Vec<AcceptedUnknown>,
    /// Mail with the null sender that was put off, by the domain that does not take it.
    pub null_sender_deferred: Vec<NullSenderDeferred>,
    /// So many messages with the null sender were in the queue at the end of the log.
    pub null_sender_left: u64,
    /// Clients that try names.
    pub attacks: Vec<Attack>,
    /// What Postfix says of its own configuration.
    pub complaints: Vec<Complaint>,
    /// Files that broke off.
    pub damages: Vec<Damage>,
    /// So often something did not fit into the lists above.
    pub left_out: u64,
}

/// Notices of non-delivery and of delay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// To the senders of mail that strangers brought.
    pub strangers: u64,
    /// Of these, so many were taken by another server.
    pub sent: u64,
    /// Of these, so many go round in the queue.
    pub deferred: u64,
    /// Of these, so many were taken by nobody.
    pub bounced: u64,
    /// Of these, so many say only that mail is late.
    pub delay: u64,
    /// To our own users: they had logged in, or it is mail of this host or of its networks.
    pub own: u64,
    /// The log does not say where the message came from.
    pub unknown: u64,
}

/// Notices to strangers because of one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backscatter {
    /// The recipient that the client named; empty where the log does not say it.
    pub recipient: String,
    /// How many notices and when.
    pub seen: Seen,
    /// So many were taken by another server.
    pub sent: u64,
    /// So many go round in the queue.
    pub deferred: u64,
    /// So many say only that mail is late.
    pub delay: u64,
    /// The client of the first message, as smtpd logs it.
    pub client: String,
    /// Its sender.
    pub sender: String,
}

/// Mail accepted for a recipient who does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcceptedUnknown {
    /// The recipient that the client named.
    pub recipient: String,
    /// The program that did not know it.
    pub program: String,
    /// What it said, the first time.
    pub text: String,
    /// How often and when.
    pub seen: Seen,
}

/// Mail with the null sender that was put off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NullSenderDeferred {
    /// The domain of the recipients.
    pub domain: String,
    /// Why, the first time.
    pub text: String,
    /// How many messages and when.
    pub seen: Seen,
}

impl Counts {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.sent += other.sent;
        self.bounced += other.bounced;
        self.deferred += other.deferred;
        self.expired += other.expired;
        self.rejected += other.rejected;
        self.warnings += other.warnings;
        self.errors += other.errors;
        self.fatals += other.fatals;
        self.panics += other.panics;
    }
}

/// Reads logs: all of them once, in the order of time.
///
/// # Errors
/// One cannot be opened. One that breaks off later is noted in the report.
pub fn read(inputs: &[Input], options: &mut Options<'_>) -> anyhow::Result<LogReport> {
    let mut watch = Watch::new(options.is_own);
    let walked = walk(inputs, options.progress, |line, times| {
        watch.line(line, times);
    })?;
    let report = watch.finish();
    Ok(LogReport {
        damages: walked.damages,
        lines: walked.lines,
        first: walked.first,
        last: walked.last,
        ..report
    })
}

/// What a walk gives besides the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// All lines, of whichever program.
    pub lines: u64,
    /// The stamp of the first line that has one, as it stands there.
    pub first: Option<String>,
    /// That of the last line.
    pub last: Option<String>,
    /// Files that broke off.
    pub damages: Vec<Damage>,
}

/// Goes through logs in the order of time, and hands over each line of Postfix with how often it was said.
///
/// # Errors
/// One cannot be opened.
pub fn walk(
    inputs: &[Input],
    progress: &mut dyn FnMut(Progress<'_>),
    mut one: impl FnMut(&Line<'_>, u64),
) -> anyhow::Result<Walked> {
    let inputs = input::in_order(inputs)?;
    let mut lines = 0;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    // The line before, for "last message repeated".
    let mut previous = Vec::new();
    let damages = input::each_line(&inputs, progress, |bytes| {
        lines += 1;
        let stamp = match parse(bytes) {
            Parsed::Postfix(line) => {
                one(&line, line.times);
                previous.clear();
                previous.extend_from_slice(bytes);
                line.stamp
            }
            Parsed::Repeated(times) => {
                if let Parsed::Postfix(line) = parse(&previous) {
                    one(&line, times);
                }
                return;
            }
            Parsed::Foreign(stamp) => {
                previous.clear();
                stamp
            }
        };
        if !stamp.is_empty() {
            if first.is_empty() {
                first.extend_from_slice(stamp);
            }
            last.clear();
            last.extend_from_slice(stamp);
        }
    })?;
    let stamp = |stamp: Vec<u8>| (!stamp.is_empty()).then(|| groups::text(&stamp));
    Ok(Walked {
        lines,
        first: stamp(first),
        last: stamp(last),
        damages,
    })
}
