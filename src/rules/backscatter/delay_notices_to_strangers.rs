//! Notices of delay go to senders, forged or not.

use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "delay-notices-to-strangers",
    code: "BS016",
    group: Group::Backscatter,
    severity: Severity::Warning,
    summary: "senders, forged or not, are told when their mail is late",
    docs: include_str!("delay_notices_to_strangers.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    // Whose own users send through this host may want them to be told.
    let has_users = instance
        .smtpd_services()
        .any(|smtpd| smtpd.parameter("smtpd_sasl_auth_enable").flag() == Some(true));
    for smtpd in instance.smtpd_services() {
        if !smtpd.is_open_to_strangers() {
            continue;
        }
        // cleanup(8) stores the time when the message comes in.
        let name = smtpd.parameter("cleanup_service_name").text();
        let cleanup = instance.services().find(|service| service.name() == name);
        let scope = cleanup.map_or(instance.scope(), |cleanup| cleanup.scope());
        let delay = scope.parameter("delay_warning_time");
        let (Some(setting), Some(1..)) = (delay.setting(), delay.seconds()) else { continue };
        let mut time = delay.text();
        if time.bytes().all(|byte| byte.is_ascii_digit()) {
            time.push('h');
        }
        let finding = findings.add(
            &RULE,
            setting.value_span(),
            format!(
                "a message that is not delivered after {time} is announced to its sender, who in spam is somebody \
                 else; 0h, the default, tells nobody"
            ),
        );
        finding.parameter("delay_warning_time").service(smtpd.label());
        let safety = if has_users { Safety::Unsafe } else { Safety::Safe };
        finding.fix_if(
            "remove delay_warning_time: notices of delay are off by default",
            safety,
            edits::remove_parameter(&delay),
        );
        if has_users {
            finding.choice(
                "or tell only the own users: a cleanup service of its own, with -o delay_warning_time, for the \
                 submission service (-o cleanup_service_name)",
            );
        }
    }
}
