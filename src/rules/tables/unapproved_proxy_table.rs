//! A `proxy:` table that `proxy_read_maps` does not approve stops the program that opens it.

use crate::instance::Instance;
use crate::instance::builtin::Version;
use crate::instance::table::proxy::approved_for_proxy;
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "unapproved-proxy-table",
    code: "TB016",
    group: Group::Tables,
    severity: Severity::Error,
    summary: "a proxy: table is not in proxy_read_maps: smtpd stops",
    docs: include_str!("unapproved_proxy_table.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let approvals = instance.parameter("proxy_read_maps");
    let Ok(value) = approvals.value() else { return };
    let nested = instance.version() >= Version::release(3, 4, 24);
    let approved = approved_for_proxy(&value, nested);
    let report = |written: &str, name: &str, span, findings: &mut Findings| {
        let finding = findings.add(
            &RULE,
            span,
            format!(
                "proxymap refuses {written}, and the program that opens it stops: proxy_read_maps does not \
                 name proxy:{written}"
            ),
        );
        finding.parameter(name);
        if approvals.is_set() {
            finding.related(approvals.span(), "this replaces the default list").fix_if(
                "remove proxy_read_maps: the default names the parameters that hold such tables",
                Safety::Unsafe,
                edits::remove_parameter(&approvals),
            );
        } else {
            // A copy of the long default would not follow the next version.
            finding.choice(format!("set proxy_read_maps to its default and proxy:{written}"));
            finding.choice(format!("write {written} without proxy:"));
        }
    };
    for usage in instance.table_uses() {
        let name = usage.parameter.name();
        // virtual(8) and local(8) open these without the proxy, approved or not.
        if matches!(name, "virtual_uid_maps" | "virtual_gid_maps" | "mailbox_command_maps") {
            continue;
        }
        let Ok(reference) = &usage.table else { continue };
        for reference in reference.with_members() {
            let written = reference.to_string();
            if !reference.proxy || approved.contains(&written) {
                continue;
            }
            if let Some(span) = reference.written.span().or(usage.parameter.span()) {
                report(&written, name, span, findings);
            }
        }
    }
    // The stock local_recipient_maps asks for the passwd file through the proxy.
    let local = instance.parameter("local_recipient_maps");
    if !local.is_set()
        && approvals.is_set()
        && !approved.contains("unix:passwd.byname")
        && local.text().contains("proxy:unix:passwd.byname")
        && let Some(span) = approvals.span()
    {
        report("unix:passwd.byname", "proxy_read_maps", span, findings);
    }
}
