//! smtpd(8)'s restriction lists, parsed as `src/smtpd/smtpd_check.c` walks them, and what they mean for a
//! stranger: a client outside of `mynetworks`, without a login and without a certificate.

use super::parameter::{LIST_SEPARATORS, Scope};
use super::restriction_table::{Argument, Permits, RestrictionWord, restriction_word};
use super::service::Service;
use crate::source::Text;

/// The lists that smtpd judges one recipient by (with `smtpd_delay_reject`, its default).
pub const RECIPIENT_LISTS: [&str; 5] = [
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
];
/// The lists that decide who may relay.
pub const RELAY_LISTS: [&str; 2] = ["smtpd_relay_restrictions", "smtpd_recipient_restrictions"];
/// Classes within classes, deeper than this, are taken to go round in a circle (smtpd crashes on that).
const MAX_CLASS_DEPTH: usize = 10;

/// What a word of a restriction list is.
#[derive(Clone, Debug)]
pub enum Meaning {
    /// A restriction that smtpd knows.
    Builtin(&'static RestrictionWord),
    /// `type:table` alone: the access table of the list.
    AccessTable,
    /// A restriction class, with its list.
    Class(Vec<Restriction>),
    /// Nothing that smtpd knows: 451 to everyone for whom evaluation gets here.
    Unknown,
}

/// One restriction of a list.
#[derive(Clone, Debug)]
pub struct Restriction {
    /// The word, where it is written.
    pub word: Text,
    /// What it is.
    pub meaning: Meaning,
    /// The word after it, for restrictions that take one.
    pub argument: Option<Text>,
    /// `warn_if_reject` stands in front of it: it refuses nobody.
    pub only_warns: bool,
}

/// A restriction list in force for a service.
#[derive(Clone, Debug)]
pub struct RestrictionList {
    /// The parameter.
    pub name: &'static str,
    /// Its restrictions in order.
    pub restrictions: Vec<Restriction>,
}

/// What a restriction does to a stranger's mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// It ends the list with a permission.
    Permits,
    /// It refuses.
    Refuses,
    /// It may end the list with a permission; else nothing.
    MayPermit,
    /// It may refuse; else nothing.
    MayRefuse,
    /// Both can happen.
    MayDoBoth,
}

/// How surely evaluation gets to a restriction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// Only when nothing in front of it permits first.
    Sometimes,
    /// Whenever nothing in front of it refuses.
    Always,
}

/// A walk through a list with a stranger's mail.
#[derive(Clone, Debug)]
pub struct Walk<'l> {
    /// The restrictions that evaluation gets to, those inside of classes included.
    pub reached: Vec<(&'l Restriction, Reached)>,
    /// Every stranger is refused here.
    pub refuses: bool,
    /// The list ends with a permission at the latest (for those who are not refused before).
    pub permits: bool,
}

/// What the recipient check does for strangers on a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecipientCheck {
    /// Unknown recipients are accepted.
    Never,
    /// It depends on tables or servers whether the check is reached.
    Sometimes,
    /// Unknown recipients are refused.
    Always,
}

impl Restriction {
    /// The name in lower case, old names replaced by their new ones; the word itself for anything that is
    /// not built in.
    pub fn name(&self) -> &str {
        match &self.meaning {
            Meaning::Builtin(facts) => facts.alias_of.unwrap_or(facts.name),
            _ => self.word.as_str(),
        }
    }

    /// What it does to a stranger's mail for a recipient in one of our domains (`ours`) or elsewhere.
    pub fn effect(&self, ours: bool) -> Effect {
        let effect = match &self.meaning {
            Meaning::Unknown => Effect::Refuses,
            Meaning::AccessTable => Effect::MayDoBoth,
            Meaning::Class(list) => {
                let walk = walk(list, ours);
                if walk.refuses {
                    Effect::Refuses
                } else if walk.permits {
                    let may_refuse = walk.reached.iter().any(|(restriction, _)| {
                        matches!(
                            restriction.effect(ours),
                            Effect::MayRefuse | Effect::MayDoBoth | Effect::Refuses
                        )
                    });
                    if may_refuse {
                        Effect::MayDoBoth
                    } else {
                        Effect::Permits
                    }
                } else {
                    let may = |wanted: &[Effect]| {
                        walk.reached
                            .iter()
                            .any(|(restriction, _)| wanted.contains(&restriction.effect(ours)))
                    };
                    match (
                        may(&[Effect::MayPermit, Effect::MayDoBoth, Effect::Permits]),
                        may(&[Effect::MayRefuse, Effect::MayDoBoth, Effect::Refuses]),
                    ) {
                        (true, true) => Effect::MayDoBoth,
                        (true, false) => Effect::MayPermit,
                        (false, true) => Effect::MayRefuse,
                        (false, false) => Effect::None,
                    }
                }
            }
            Meaning::Builtin(facts) => builtin_effect(self.name(), facts, ours),
        };
        match (self.only_warns, effect) {
            (true, Effect::Refuses | Effect::MayRefuse) => Effect::None,
            (true, Effect::MayDoBoth) => Effect::MayPermit,
            (_, effect) => effect,
        }
    }
}

fn builtin_effect(name: &str, facts: &RestrictionWord, ours: bool) -> Effect {
    match name {
        "permit" => Effect::Permits,
        "reject" | "defer" | "defer_if_permit" => Effect::Refuses,
        "reject_unauth_destination" | "defer_unauth_destination" if ours => Effect::None,
        "reject_unauth_destination" | "defer_unauth_destination" => Effect::Refuses,
        "permit_auth_destination" if ours => Effect::Permits,
        "check_relay_domains" => {
            if ours {
                Effect::Permits
            } else {
                Effect::Refuses
            }
        }
        // They permit only those who are no strangers, or only recipients that are ours anyway.
        "permit_auth_destination"
        | "permit_mynetworks"
        | "permit_sasl_authenticated"
        | "permit_tls_clientcerts"
        | "permit_tls_all_clientcerts"
        | "permit_inet_interfaces"
        | "warn_if_reject"
        | "sleep"
        | "defer_if_reject" => Effect::None,
        "permit_dnswl_client" | "permit_rhswl_client" if !ours => Effect::None,
        _ => match facts.permits {
            Permits::Result => Effect::MayDoBoth,
            Permits::Yes => Effect::MayPermit,
            Permits::No => Effect::MayRefuse,
        },
    }
}

impl RestrictionList {
    /// Walks the list with a stranger's mail for a recipient in one of our domains (`ours`) or elsewhere.
    pub fn walk(&self, ours: bool) -> Walk<'_> {
        walk(&self.restrictions, ours)
    }

    /// All restrictions, those inside of classes included.
    pub fn flat(&self) -> Vec<&Restriction> {
        fn add<'l>(list: &'l [Restriction], flat: &mut Vec<&'l Restriction>) {
            for restriction in list {
                flat.push(restriction);
                if let Meaning::Class(inner) = &restriction.meaning {
                    add(inner, flat);
                }
            }
        }
        let mut flat = Vec::new();
        add(&self.restrictions, &mut flat);
        flat
    }
}

fn walk(list: &[Restriction], ours: bool) -> Walk<'_> {
    let mut out = Walk {
        reached: Vec::new(),
        refuses: false,
        permits: false,
    };
    let mut reached = Reached::Always;
    for restriction in list {
        out.reached.push((restriction, reached));
        if let Meaning::Class(inner) = &restriction.meaning {
            let inner = walk(inner, ours);
            out.reached.extend(
                inner
                    .reached
                    .into_iter()
                    .map(|(r, how)| (r, how.min(reached))),
            );
        }
        match restriction.effect(ours) {
            Effect::Permits => {
                out.permits = true;
                return out;
            }
            Effect::Refuses => {
                out.refuses = reached == Reached::Always;
                return out;
            }
            Effect::MayPermit | Effect::MayDoBoth => reached = Reached::Sometimes,
            Effect::MayRefuse | Effect::None => {}
        }
    }
    out
}

/// Parses the list that is in force in `scope`.
pub fn restriction_list(scope: Scope<'_>, name: &'static str) -> RestrictionList {
    let words = scope.any_parameter(name).words();
    RestrictionList {
        name,
        restrictions: parse(&words, scope, &classes(scope), &mut Vec::new()),
    }
}

/// The restrictions in a text that an access table gave.
pub fn restrictions_of(scope: Scope<'_>, text: &Text) -> Vec<Restriction> {
    let words = text.words_outside_braces(LIST_SEPARATORS);
    parse(&words, scope, &classes(scope), &mut Vec::new())
}

fn classes(scope: Scope<'_>) -> Vec<String> {
    let words = scope.any_parameter("smtpd_restriction_classes").words();
    words.iter().map(ToString::to_string).collect()
}

/// `open` are the classes that the words are in: one that leads back to itself is taken to be empty there.
fn parse(
    words: &[Text],
    scope: Scope<'_>,
    classes: &[String],
    open: &mut Vec<String>,
) -> Vec<Restriction> {
    let mut list = Vec::new();
    let mut words = words.iter();
    let mut only_warns = false;
    while let Some(word) = words.next() {
        let (meaning, argument) = if word.as_str().contains(':') || word.as_str().starts_with('{') {
            (Meaning::AccessTable, Some(word.clone()))
        } else if let Some(facts) = restriction_word(word.as_str()) {
            let takes = facts.argument != Argument::None;
            (
                Meaning::Builtin(facts),
                if takes { words.next().cloned() } else { None },
            )
        } else if classes.iter().any(|class| *word == class.as_str())
            && open.len() < MAX_CLASS_DEPTH
        {
            let inner = scope.named(word.to_string());
            let inner = inner
                .value()
                .map(|value| value.words_outside_braces(LIST_SEPARATORS))
                .unwrap_or_default();
            let inner = if open.iter().any(|open| *word == open.as_str()) {
                Vec::new()
            } else {
                open.push(word.to_string());
                let inner = parse(&inner, scope, classes, open);
                open.pop();
                inner
            };
            (Meaning::Class(inner), None)
        } else {
            (Meaning::Unknown, None)
        };
        let is_warn = matches!(&meaning, Meaning::Builtin(facts) if facts.name == "warn_if_reject");
        list.push(Restriction {
            word: word.clone(),
            meaning,
            argument,
            only_warns,
        });
        only_warns = is_warn;
    }
    list
}

impl<'i> Service<'i> {
    /// A restriction list as this service sees it.
    pub fn restriction_list(&self, name: &'static str) -> RestrictionList {
        restriction_list(self.scope(), name)
    }

    /// The lists that a recipient is judged by.
    pub fn recipient_lists(&self) -> Vec<RestrictionList> {
        RECIPIENT_LISTS
            .iter()
            .map(|name| self.restriction_list(name))
            .collect()
    }

    /// Whether some list refuses every stranger's mail for a recipient in one of our domains (`ours`) or
    /// elsewhere.
    pub fn refuses_strangers(&self, ours: bool) -> bool {
        self.recipient_lists()
            .iter()
            .any(|list| list.walk(ours).refuses)
    }

    /// Whether strangers may send mail to our domains through this service: other hosts can connect, and no
    /// list refuses all of them.
    pub fn is_open_to_strangers(&self) -> bool {
        self.reach() == super::service::Reach::Network && !self.refuses_strangers(true)
    }

    /// Whether unknown recipients are refused to strangers.
    pub fn recipient_check(&self) -> RecipientCheck {
        let options = self.parameter("receive_override_options");
        if options
            .words()
            .iter()
            .any(|word| *word == "no_unknown_recipient_checks")
        {
            return RecipientCheck::Never;
        }
        if self.parameter("smtpd_reject_unlisted_recipient").flag() != Some(false) {
            return RecipientCheck::Always;
        }
        self.reaches("reject_unlisted_recipient")
    }

    /// Whether recipients are probed with their own server before strangers may write to them.
    pub fn recipient_verification(&self) -> RecipientCheck {
        let code = self.parameter("unverified_recipient_reject_code").number();
        if code.is_some_and(|code| (200..300).contains(&code)) {
            return RecipientCheck::Never;
        }
        self.reaches("reject_unverified_recipient")
    }

    /// Whether a stranger's mail for one of our domains gets to a restriction that refuses.
    pub fn reaches(&self, name: &str) -> RecipientCheck {
        let lists = self.recipient_lists();
        let how = lists
            .iter()
            .flat_map(|list| list.walk(true).reached)
            .filter(|(restriction, _)| restriction.name() == name && !restriction.only_warns)
            .map(|(_, reached)| reached)
            .max();
        match how {
            None => RecipientCheck::Never,
            Some(Reached::Sometimes) => RecipientCheck::Sometimes,
            Some(Reached::Always) => RecipientCheck::Always,
        }
    }
}
