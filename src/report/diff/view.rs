//! The form of the JSON, which the other formats are made from, too. Within version 1, fields may be added and
//! none changed or removed.

use serde::Serialize;

use super::{DiffReport, DiffSide};
use crate::finding::Finding;
use crate::instance::difference::Side;
use crate::mail::behaviour::{AddressChange, Outlook, Treated};
use crate::mail::{Answer, Outcome, Reply, Step};

#[derive(Serialize)]
pub(super) struct DiffV1 {
    pub(super) version: u32,
    pub(super) old: String,
    pub(super) new: String,
    /// Mail is lost, or a stranger can relay.
    pub(super) harmful: bool,
    pub(super) listeners: Vec<ListenerV1>,
    pub(super) addresses: Vec<AddressV1>,
    /// What replies depend on now and did not before.
    pub(super) new_doubts: Vec<DoubtV1>,
    pub(super) parameters: Vec<ParameterV1>,
    pub(super) services: Vec<ServiceV1>,
    pub(super) findings: FindingsV1,
    pub(super) compared: ComparedV1,
}

#[derive(Serialize)]
pub(super) struct ListenerV1 {
    pub(super) service: String,
    pub(super) change: &'static str,
    pub(super) meaning: &'static str,
    pub(super) witness: Option<String>,
}

#[derive(Serialize)]
pub(super) struct AddressV1 {
    pub(super) address: String,
    pub(super) service: String,
    pub(super) senders: Vec<SenderV1>,
    /// lost, relays, may be lost, or other.
    pub(super) meaning: &'static str,
    pub(super) old: TreatedV1,
    pub(super) new: TreatedV1,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
pub(super) struct SenderV1 {
    pub(super) who: &'static str,
    pub(super) client: String,
}

#[derive(Serialize)]
pub(super) struct TreatedV1 {
    /// 0 when there is no answer, null when it is unknown.
    pub(super) code: Option<u16>,
    pub(super) dsn: String,
    pub(super) text: String,
    pub(super) stage: &'static str,
    /// The mail is accepted, at the end of DATA too.
    pub(super) accepted: bool,
    /// The reply at the end of DATA.
    pub(super) data: Option<ReplyV1>,
    pub(super) outcome: Vec<OutcomeV1>,
    pub(super) depends_on: Vec<String>,
    pub(super) because: Vec<StepV1>,
}

#[derive(Serialize)]
pub(super) struct ReplyV1 {
    pub(super) code: u16,
    pub(super) dsn: String,
    pub(super) text: String,
}

#[derive(Serialize)]
pub(super) struct OutcomeV1 {
    pub(super) address: String,
    pub(super) result: &'static str,
    pub(super) dsn: String,
    pub(super) via: String,
    pub(super) text: String,
}

#[derive(Clone, Serialize)]
pub(super) struct StepV1 {
    pub(super) file: Option<String>,
    pub(super) line: Option<usize>,
    pub(super) text: String,
}

#[derive(Serialize)]
pub(super) struct DoubtV1 {
    pub(super) what: String,
    pub(super) addresses: usize,
}

#[derive(Serialize)]
pub(super) struct ParameterV1 {
    /// Null for main.cf, and all services that do not say otherwise.
    pub(super) service: Option<String>,
    pub(super) parameter: String,
    pub(super) old: Option<ValueV1>,
    pub(super) new: Option<ValueV1>,
    /// It is written as before, and follows from another parameter.
    pub(super) derived: bool,
}

#[derive(Serialize)]
pub(super) struct ValueV1 {
    pub(super) value: String,
    /// Null for a default.
    pub(super) file: Option<String>,
    pub(super) line: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct ServiceV1 {
    pub(super) service: String,
    pub(super) old: Option<ValueV1>,
    pub(super) new: Option<ValueV1>,
}

#[derive(Serialize)]
pub(super) struct FindingsV1 {
    pub(super) appeared: Vec<FindingV1>,
    pub(super) gone: Vec<FindingV1>,
}

#[derive(Serialize)]
pub(super) struct FindingV1 {
    pub(super) rule: &'static str,
    pub(super) code: &'static str,
    pub(super) severity: &'static str,
    pub(super) message: String,
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) service: Option<String>,
    pub(super) witness: Option<String>,
}

#[derive(Serialize)]
pub(super) struct ComparedV1 {
    pub(super) addresses: usize,
    /// Addresses that were left out because there are too many.
    pub(super) left_out: usize,
    /// Entries of tables that cannot make a difference.
    pub(super) unaffected: usize,
    /// Replies with the same code and another text.
    pub(super) reworded: usize,
}

impl DiffV1 {
    pub(super) fn of(report: &DiffReport<'_>) -> Self {
        let DiffReport {
            mail,
            findings,
            old,
            new,
            ..
        } = report;
        let value = |from: &DiffSide<'_>, side: &Option<Side>| {
            side.as_ref().map(|side| {
                let (file, line) = from.place(side.span).unzip();
                ValueV1 {
                    value: report.hidden(from, &side.value),
                    file,
                    line,
                }
            })
        };
        let listeners = mail.listeners.iter().map(|change| ListenerV1 {
            service: change.service.clone(),
            change: change.fate.words(),
            meaning: change.outlook.name(),
            witness: change.witness.clone(),
        });
        let parameters = report.parameters.iter().map(|change| ParameterV1 {
            service: change.service.clone(),
            parameter: change.name.clone(),
            old: value(old, &change.before),
            new: value(new, &change.after),
            derived: change.is_derived,
        });
        let services = report.services.iter().map(|change| ServiceV1 {
            service: change.service.clone(),
            old: value(old, &change.before),
            new: value(new, &change.after),
        });
        Self {
            version: 1,
            old: old.name.clone(),
            new: new.name.clone(),
            harmful: mail.is_harmful(),
            listeners: listeners.collect(),
            addresses: mail
                .addresses
                .iter()
                .map(|change| report.address(change))
                .collect(),
            new_doubts: (mail.new_doubts.iter())
                .map(|(what, addresses)| DoubtV1 {
                    what: report.hidden(new, what),
                    addresses: *addresses,
                })
                .collect(),
            parameters: parameters.collect(),
            services: services.collect(),
            findings: FindingsV1 {
                appeared: report.findings(new, &findings.appeared),
                gone: report.findings(old, &findings.gone),
            },
            compared: ComparedV1 {
                addresses: mail.compared,
                left_out: mail.left_out,
                unaffected: mail.unaffected,
                reworded: mail.reworded,
            },
        }
    }

    /// The changes of addresses that mean something.
    pub(super) fn meaning(&self, outlook: Outlook) -> impl Iterator<Item = &AddressV1> {
        let is_meant = move |change: &&AddressV1| change.meaning == outlook.name();
        self.addresses.iter().filter(is_meant)
    }
}

impl DiffReport<'_> {
    fn address(&self, change: &AddressChange) -> AddressV1 {
        AddressV1 {
            address: change.address.clone(),
            service: change.service.clone(),
            senders: (change.senders.iter())
                .map(|(sender, client)| SenderV1 {
                    who: sender.words(),
                    client: client.to_string(),
                })
                .collect(),
            meaning: change.outlook.name(),
            old: self.treated(&self.old, &change.before),
            new: self.treated(&self.new, &change.after),
        }
    }

    fn treated(&self, side: &DiffSide<'_>, treated: &Treated) -> TreatedV1 {
        let hidden = |text: &str| self.hidden(side, text);
        let reply = |reply: &Reply| ReplyV1 {
            code: reply.code,
            dsn: reply.dsn.clone(),
            text: hidden(&reply.text),
        };
        let (code, dsn, text) = match &treated.answer {
            Answer::Reply(_, reply) => (Some(reply.code), reply.dsn.clone(), hidden(&reply.text)),
            Answer::Silence(_, text) => (Some(0), String::new(), hidden(text)),
            Answer::Unknown(_) => (None, String::new(), String::new()),
        };
        let outcome = |outcome: &Outcome| OutcomeV1 {
            address: outcome.address.clone(),
            result: outcome.ending.name(),
            dsn: outcome.dsn.clone(),
            via: outcome.via.clone(),
            text: hidden(&outcome.text),
        };
        let step = |step: &Step| {
            let (file, line) = side.place(step.span).unzip();
            StepV1 {
                file,
                line,
                text: hidden(&step.text),
            }
        };
        TreatedV1 {
            code,
            dsn,
            text,
            stage: treated.answer.stage().name(),
            accepted: treated.is_accepted(),
            data: treated.data.as_ref().map(reply),
            outcome: treated.outcomes.iter().map(outcome).collect(),
            depends_on: treated.depends_on.iter().map(|what| hidden(what)).collect(),
            because: treated.because.iter().map(step).collect(),
        }
    }

    fn findings(&self, side: &DiffSide<'_>, indexes: &[usize]) -> Vec<FindingV1> {
        let findings = indexes
            .iter()
            .filter_map(|index| side.checked.findings.get(*index));
        let view = |finding: &Finding| {
            let (file, line) = side.place(Some(finding.span)).unwrap_or_default();
            FindingV1 {
                rule: finding.rule.name,
                code: finding.rule.code,
                severity: finding.severity.as_str(),
                message: self.hidden(side, &finding.message),
                file,
                line,
                service: finding.service.clone(),
                witness: finding.witness.clone(),
            }
        };
        findings.map(view).collect()
    }
}
