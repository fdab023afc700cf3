//! A limit for mailboxes that is below the limit for messages: the agent does not run.

use crate::instance::address_class::Class;
use crate::instance::service::Service;
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "mailbox-limit-below-message-limit",
    code: "BS017",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "a mailbox may not be as large as a message: the delivery agent does not run, its mail bounces in the end",
    docs: include_str!("mailbox_limit_below_message_limit.md"),
    check,
};

/// The agents with a limit of their own, and the class whose transport they are (`src/local/local.c`,
/// `src/virtual/virtual.c`: both compare in `post_init`).
const AGENTS: [(&str, &str, Class); 2] = [
    ("local", "mailbox_size_limit", Class::Local),
    ("virtual", "virtual_mailbox_limit", Class::VirtualMailbox),
];

fn check(instance: &Instance, findings: &mut Findings) {
    for (command, name, class) in AGENTS {
        for agent in instance.services().filter(|service| service.line.command() == command) {
            if is_used(&agent, class) {
                judge(&agent, name, findings);
            }
        }
    }
}

/// Whether mail of the class goes to this service.
fn is_used(agent: &Service<'_>, class: Class) -> bool {
    let instance = agent.instance;
    let scope = instance.program("trivial-rewrite");
    let facts = class.facts();
    let (Some(domains), Some(transport)) = (facts.domains, facts.transport) else { return false };
    let transport = scope.any_parameter(transport).text();
    let name = transport.split(':').next().unwrap_or_default();
    agent.line.kind() == "unix"
        && !instance.is_disabled(agent.line)
        && name == agent.name()
        && !scope.domain_list(domains).elements.is_empty()
}

fn judge(agent: &Service<'_>, name: &'static str, findings: &mut Findings) {
    let (limit, messages) = (agent.parameter(name), agent.parameter("message_size_limit"));
    let (Some(most), Some(largest)) = (limit.number(), messages.number()) else { return };
    if most <= 0 || (most >= largest && largest != 0) {
        return;
    }
    let command = agent.line.command();
    let why = if largest == 0 {
        format!("{name} is {most}, and message_size_limit is 0, which is no limit")
    } else {
        format!("{name} is {most}, which is less than message_size_limit, {largest}")
    };
    // Where the default is too small, the setting that is larger is the place.
    let Some(place) = limit.setting().or(messages.setting()).map(|setting| setting.value_span()) else { return };
    let finding = findings.add(
        &RULE,
        place,
        format!(
            "{command}(8) stops as soon as it starts, because {why}: all its mail stays in the queue and bounces in \
             the end; {name} has to be 0, which is no limit, or at least as large"
        ),
    );
    finding
        .parameter(name)
        .service(agent.label())
        .related(agent.span(), "this agent delivers nothing")
        .related(messages.span().filter(|_| limit.is_set()), "the largest message");
    let title = format!("set {name} to 0, which is no limit");
    if limit.is_set() {
        finding.fix_if(title, Safety::Safe, edits::set_parameter(&limit, "0"));
    } else if let Some(main_cf) = agent.instance.main_cf() {
        // The agent delivers nothing today, and has no say in who may relay.
        finding.fix(title, Safety::Safe, edits::insert_parameter(&main_cf.source, name, "0"));
    }
    if largest != 0 {
        finding.choice(format!("or set {name} to {largest} or more"));
    }
}
