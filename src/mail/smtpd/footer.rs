//! `smtpd_reject_footer`: what is added to refusals (`src/smtpd/smtpd_chat.c: smtp_reject_footer`).

use super::Smtpd;
use crate::instance::parameter::Scope;
use crate::instance::table::{Maps, Only};
use crate::mail::reply::Reply;
use crate::mail::session::Session;
use crate::mail::world::{Known, World};
use crate::source::Text;
use crate::syntax::expression;

/// The footers.
#[derive(Debug)]
pub(super) struct Footer {
    maps: Maps,
    text: Text,
    hostname: String,
}

/// Whom a reply is for.
pub(super) struct About<'a> {
    pub(super) label: &'a str,
    pub(super) sender: Option<&'a str>,
    pub(super) session: &'a Session,
}

impl Footer {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let text = scope.any_parameter("smtpd_reject_footer");
        Self {
            maps: scope.maps("smtpd_reject_footer_maps", "smtpd"),
            text: text.value().unwrap_or_default(),
            hostname: scope.any_parameter("myhostname").text(),
        }
    }

    /// A refusal with its footer. Each further line of the text is one of the reply.
    pub(super) fn added(
        &self,
        smtpd: &Smtpd<'_>,
        mut reply: Reply,
        about: &About<'_>,
        world: &mut World,
    ) -> Reply {
        let mut footer = None;
        if !self.maps.is_empty() {
            let key = reply.to_string();
            let found = self.maps.find(key.as_bytes(), Only::All);
            if let Known::Hit(hit) = world.judge(smtpd.service.instance, &key, found) {
                footer = Some(hit.value);
            }
        }
        let footer = footer.unwrap_or_else(|| self.text.clone());
        if footer.is_empty() {
            return reply;
        }
        let value = |name: &str| self.value(name, about).map(|text| Text::placeless(&text));
        let template = footer.to_string();
        let is_same_line = template.starts_with("\\c");
        let template = template.strip_prefix("\\c").unwrap_or(&template);
        let mut added = String::new();
        for (index, line) in template.split("\\n").enumerate() {
            let line = Text::placeless(line);
            let line = expression::expand(&line, smtpd.service.instance.dialect(), &value);
            // A footer with a mistake is left out.
            let Ok(line) = line else { return reply };
            if index > 0 || !is_same_line {
                added.push('\n');
            }
            added.push_str(line.as_str());
        }
        reply.text.push_str(&added);
        reply
    }

    /// What a name in a footer stands for (`src/smtpd/smtpd_expand.c`). A recipient that is refused is
    /// forgotten by then.
    fn value(&self, name: &str, about: &About<'_>) -> Option<String> {
        let session = about.session;
        let sender = about.sender.unwrap_or_default();
        let (local, domain) = sender.rsplit_once('@').unwrap_or((sender, ""));
        Some(match name {
            "server_name" => self.hostname.clone(),
            "client" => about.label.to_owned(),
            "client_address" => session.client.to_string(),
            "client_name" => about.label.split('[').next().unwrap_or_default().to_owned(),
            "helo_name" => session.helo.clone().unwrap_or_default(),
            "sender" => sender.to_owned(),
            "sender_name" => local.to_owned(),
            "sender_domain" => domain.to_owned(),
            "recipient" | "recipient_name" | "recipient_domain" => String::new(),
            _ => return None,
        })
    }
}
