//! Ways through the restriction lists on which strangers get their mail relayed.
//!
//! Who relays is decided by two lists, and both have to let the mail pass. In each, something that permits
//! strangers may stand in front of what refuses other people's domains.

use crate::finding::Severity;
use crate::instance::address_class::Class;
use crate::instance::network_list::{Network, Trust, network, network_list};
use crate::instance::parameter::Scope;
use crate::instance::restriction::{
    Effect, Meaning, RELAY_LISTS, Restriction, restriction_list, restrictions_of,
};
use crate::instance::table::{Flags, Lookup, Table};
use crate::mail::{Action, action};
use crate::rules::rows::{Row, rows};
use crate::source::{Span, Text};

/// A domain of somebody else (RFC 2606).
const ELSEWHERE: &str = "stranger.example";
/// What a stranger may do who gets through.
const RELAY: &str = "send to other people's domains through this server";
/// So many entries of a table are looked at.
const MOST_ENTRIES: usize = 100_000;
/// Classes within classes.
const MOST_DEPTH: usize = 50;
/// Hosts of strangers, of the networks for documentation, which belong to nobody.
const STRANGERS: [[u8; 4]; 3] = [[198, 51, 100, 7], [203, 0, 113, 99], [192, 0, 2, 55]];

/// A restriction that permits strangers in front of what would refuse them.
pub(super) struct Hole {
    /// The parameter.
    pub(super) list: &'static str,
    /// The restriction, with its argument.
    pub(super) restriction: Restriction,
    /// The entry of a table that permits.
    pub(super) entry: Option<Span>,
    /// What lets whom through, and where to.
    pub(super) what: String,
    /// How bad that is.
    pub(super) severity: Severity,
    /// A recipient elsewhere who is accepted; `None` where that is not certain.
    pub(super) recipient: Option<String>,
    /// What the client has to say for that.
    pub(super) session: Option<String>,
    /// What refuses behind it, when it stands in the same list.
    pub(super) guard: Option<Text>,
}

/// How a list ends for a stranger who writes to somebody elsewhere.
enum End {
    /// With a refusal, for whoever gets there.
    Refused,
    /// With a permission for everybody.
    Permitted,
    /// Nothing decides.
    Open,
}

/// The holes in the lists of a service, or of main.cf; none when one of the lists has no way through.
pub(super) fn holes(scope: Scope<'_>) -> Vec<Hole> {
    let mut holes = Vec::new();
    let mut with_holes = 0;
    for name in RELAY_LISTS {
        let list = restriction_list(scope, name);
        let mut found = Vec::new();
        let end = look(scope, name, &list.restrictions, 0, &mut found);
        let guard = list
            .restrictions
            .iter()
            .find(|one| one.effect(false) == Effect::Refuses);
        match end {
            End::Refused if found.is_empty() => return Vec::new(),
            End::Refused => {}
            // Everybody gets through; what stands behind is no guard, but was meant to be one.
            End::Permitted if guard.is_some() => {}
            End::Permitted | End::Open => continue,
        }
        for hole in &mut found {
            hole.guard = guard.map(|guard| guard.word.clone());
        }
        with_holes += 1;
        holes.append(&mut found);
    }
    if with_holes > 1 {
        // Another session may be needed for the other list.
        for hole in &mut holes {
            let fits_all = hole.session.is_none();
            hole.recipient.take_if(|_| !fits_all);
        }
    }
    holes
}

/// Whether strangers are in `mynetworks`.
pub(super) fn trusts_strangers(scope: Scope<'_>) -> bool {
    let networks = network_list(scope, "mynetworks");
    STRANGERS
        .iter()
        .all(|&address| matches!(networks.find(address.into()), Trust::Listed(_)))
}

fn look(
    scope: Scope<'_>,
    name: &'static str,
    list: &[Restriction],
    depth: usize,
    holes: &mut Vec<Hole>,
) -> End {
    for restriction in list {
        let hole = |what: String| Hole {
            list: name,
            restriction: restriction.clone(),
            entry: None,
            what,
            severity: Severity::Error,
            recipient: Some(format!("anybody@{ELSEWHERE}")),
            session: None,
            guard: None,
        };
        match &restriction.meaning {
            Meaning::Class(inner) if depth < MOST_DEPTH => {
                let before = holes.len();
                let end = look(scope, name, inner, depth + 1, holes);
                // In the list itself, the class is what can be moved.
                for inner in &mut holes[before..] {
                    inner.restriction = restriction.clone();
                }
                match end {
                    End::Refused if !restriction.only_warns => return End::Refused,
                    End::Permitted => return End::Permitted,
                    End::Refused | End::Open => {}
                }
            }
            Meaning::Class(_) | Meaning::Unknown => return End::Refused,
            Meaning::AccessTable => {
                holes.extend(hole_in_table(
                    scope,
                    "check_recipient_access",
                    restriction,
                    hole,
                ));
            }
            Meaning::Builtin(facts) if !facts.works.contains(scope.instance.version()) => {
                return End::Refused;
            }
            Meaning::Builtin(_) => match restriction.name() {
                "permit" => {
                    holes.push(hole(format!("permit lets everybody {RELAY}")));
                    return End::Permitted;
                }
                "permit_naked_ip_address" => {
                    let mut hole = hole(format!(
                        "permit_naked_ip_address lets everybody who gives an address as HELO name {RELAY}"
                    ));
                    hole.session = Some("HELO 198.51.100.7".to_owned());
                    holes.push(hole);
                }
                check @ ("check_client_access"
                | "check_helo_access"
                | "check_sender_access"
                | "check_recipient_access") => {
                    holes.extend(hole_in_table(scope, check, restriction, hole));
                }
                "check_policy_service" => {
                    let mut hole = hole(format!(
                        "check_policy_service lets whoever the policy server permits {RELAY}"
                    ));
                    hole.severity = Severity::Note;
                    hole.recipient = None;
                    holes.push(hole);
                }
                _ if restriction.effect(false) == Effect::Refuses => return End::Refused,
                _ => {}
            },
        }
    }
    End::Open
}

/// The worst entry of an access table that permits strangers.
fn hole_in_table(
    scope: Scope<'_>,
    check: &str,
    restriction: &Restriction,
    hole: impl Fn(String) -> Hole,
) -> Option<Hole> {
    let maps = scope.maps_of(restriction.argument.as_ref()?, "smtpd_access_maps", "smtpd");
    let mut worst: Option<Hole> = None;
    for table in &maps.tables {
        for row in rows(table)
            .take(MOST_ENTRIES)
            .filter(|row| permits(scope, row.value.as_str()))
        {
            let Some(caller) = caller(scope, check, table, &row) else {
                continue;
            };
            if worst
                .as_ref()
                .is_some_and(|worst| worst.severity >= caller.severity)
            {
                continue;
            }
            let mut hole = hole(match &caller.recipient {
                Some(recipient) => format!(
                    "{check} lets {} write to {recipient} through this server",
                    caller.who
                ),
                None => format!("{check} lets {} {RELAY}", caller.who),
            });
            hole.severity = caller.severity;
            hole.entry = row.key.span().or(row.value.span());
            if let Some(recipient) = caller.recipient {
                hole.recipient = Some(recipient);
            }
            if caller.session.is_none() && check != "check_recipient_access" && row.key != "*" {
                hole.recipient = None;
            }
            hole.session = caller.session;
            let is_worst = hole.severity == Severity::Error;
            worst = Some(hole);
            if is_worst {
                return worst;
            }
        }
    }
    worst
}

/// Whether the result of an access table is a permission.
fn permits(scope: Scope<'_>, value: &str) -> bool {
    match action(value.trim()) {
        Action::Permit => true,
        Action::Restrictions(text) => {
            let list = restrictions_of(scope, &Text::placeless(&text));
            matches!(
                look(
                    scope,
                    "smtpd_recipient_restrictions",
                    &list,
                    MOST_DEPTH / 2,
                    &mut Vec::new()
                ),
                End::Permitted
            )
        }
        _ => false,
    }
}

/// Somebody whom an entry permits.
struct Caller {
    /// In words, behind "lets".
    who: String,
    severity: Severity,
    /// The recipient, where it decides.
    recipient: Option<String>,
    /// What the client has to say.
    session: Option<String>,
}

/// Who gets through by an entry that permits; `None` when that is no stranger, or mail for us.
fn caller(scope: Scope<'_>, check: &str, table: &Table, row: &Row) -> Option<Caller> {
    let is_pattern = table.patterns().is_some();
    let key = row.key.to_string().to_lowercase();
    let hits = |candidate: &str| match table.lookup(candidate.as_bytes(), Flags::LIST) {
        Lookup::Found(hit) => permits(scope, hit.value.as_str()),
        _ => false,
    };
    let everybody = |severity| Caller {
        who: "everybody".to_owned(),
        severity,
        recipient: None,
        session: None,
    };
    if key == "*" && !is_pattern && table.keys().is_none() && table.inline().is_none() {
        return Some(everybody(Severity::Error));
    }
    let literal = literal(&key);
    match check {
        "check_client_access" if is_pattern => {
            let hosts = ["198.51.100.7", "203.0.113.99", "host.stranger.example"];
            hosts
                .iter()
                .all(|host| hits(host))
                .then(|| everybody(Severity::Error))
        }
        "check_client_access" => client(&key),
        "check_helo_access" => {
            let candidates = [
                literal.clone(),
                format!("host.{}", literal.trim_start_matches('.')),
            ];
            let name = if is_pattern {
                candidates.into_iter().find(|one| hits(one))
            } else {
                Some(key)
            };
            Some(Caller {
                who: format!(
                    "everybody who gives {} as HELO name",
                    name.as_deref().unwrap_or("a name that matches")
                ),
                severity: Severity::Error,
                recipient: None,
                session: name.map(|name| format!("HELO {name}")),
            })
        }
        "check_sender_access" => {
            let sender = if is_pattern {
                let domain = literal.trim_start_matches(['@', '.']);
                [
                    format!("anybody@{ELSEWHERE}"),
                    literal.clone(),
                    format!("anybody@{domain}"),
                    format!("anybody@host.{domain}"),
                ]
                .into_iter()
                .find(|one| hits(one))
            } else if key == "<>" {
                Some(String::new())
            } else if let Some(user) = key.strip_suffix('@') {
                Some(format!("{user}@{ELSEWHERE}"))
            } else if key.contains('@') {
                Some(key)
            } else {
                Some(format!("anybody@{}", key.trim_start_matches('.')))
            };
            let shown = sender.as_ref().map_or_else(
                || "a sender that matches".to_owned(),
                |sender| format!("<{sender}> as sender"),
            );
            Some(Caller {
                who: format!("everybody who gives {shown}"),
                severity: Severity::Error,
                recipient: None,
                session: sender.map(|sender| format!("MAIL FROM:<{sender}>")),
            })
        }
        _ => {
            let candidates = if is_pattern {
                let behind = format!("{literal}.{ELSEWHERE}");
                let mut candidates = vec![
                    format!("anybody@{ELSEWHERE}"),
                    format!("postmaster@{ELSEWHERE}"),
                ];
                candidates.extend([
                    format!("anybody{behind}"),
                    format!("anybody@{behind}"),
                    behind,
                ]);
                candidates.retain(|one| one.matches('@').count() == 1 && !one.starts_with('@'));
                candidates
            } else if let Some(user) = key.strip_suffix('@') {
                vec![format!("{user}@{ELSEWHERE}")]
            } else {
                let domain = key
                    .rsplit_once('@')
                    .map_or(key.as_str(), |(_, domain)| domain)
                    .trim_start_matches('.');
                let is_foreign =
                    domain.contains('.') && scope.instance.class_of(domain) == Some(Class::Default);
                let recipient = if key.contains('@') {
                    key.clone()
                } else {
                    format!("anybody@{domain}")
                };
                return is_foreign.then(|| Caller {
                    who: "everybody".to_owned(),
                    severity: Severity::Warning,
                    recipient: Some(recipient),
                    session: None,
                });
            };
            let recipient = candidates
                .into_iter()
                .find(|one| !is_pattern || hits(one))?;
            Some(Caller {
                who: "everybody".to_owned(),
                severity: Severity::Error,
                recipient: Some(recipient),
                session: None,
            })
        }
    }
}

/// A client that a table with keys or networks permits.
fn client(key: &str) -> Option<Caller> {
    let digits = key
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_address = digits || key.contains(':') || matches!(network(key), Network::Net(_));
    if is_address {
        let is_own = ["127", "10", "192.168", "::1", "fe80", "fd", "fc"]
            .iter()
            .any(|own| {
                key.strip_prefix(own).is_some_and(|rest| {
                    rest.is_empty() || !rest.starts_with(|c: char| c.is_ascii_digit())
                })
            })
            || (16..32).any(|second| key.starts_with(&format!("172.{second}")));
        return (!is_own).then(|| Caller {
            who: format!("the clients {key}, as mynetworks would,"),
            severity: Severity::Warning,
            recipient: None,
            session: None,
        });
    }
    Some(Caller {
        who: format!("every client whose name is {key} or ends in it"),
        severity: Severity::Error,
        recipient: None,
        session: None,
    })
}

/// The text of a simple pattern: what it matches when nothing in it is special.
fn literal(pattern: &str) -> String {
    let pattern = pattern
        .trim_start_matches('^')
        .trim_end_matches('$')
        .trim_start_matches(".*");
    pattern.replace('\\', "")
}
