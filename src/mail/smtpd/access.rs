//! Access tables and the keys that they are asked for (`src/smtpd/smtpd_check.c: check_*_access`, access(5)).

use super::evaluation::{Evaluation, Outcome, Status, Stop, Subject};
use crate::instance::hostname;
use crate::instance::table::{Maps, Only};
use crate::mail::search::{Forms, Found, Keys, one};
use crate::source::Text;

/// What a lookup that fails stands for.
const FAILURE: &str = "451 4.3.5 Server configuration error";

impl<'e> Evaluation<'e, '_> {
    /// The tables behind a word; smtpd may not have opened any under this name.
    fn maps(&self, table: &str) -> Option<&'e Maps> {
        let smtpd = self.smtpd;
        smtpd.read.lists.table(table)
    }

    /// Asks for one key: `None` when the table does not have it.
    fn ask(&mut self, maps: &Maps, key: &str, only: Only) -> Result<Option<Text>, Stop> {
        let found = one(self.smtpd.service.instance, maps, key, "", only, self.world);
        value(found.unwrap_or(Found::Nothing))
    }

    /// `check_access`: one key.
    pub(super) fn key_access(&mut self, table: &str, key: &str, subject: Subject<'_>) -> Outcome {
        let Some(maps) = self.maps(table) else {
            return self.result(&Text::placeless(FAILURE), subject);
        };
        match self.ask(maps, key, Only::All)? {
            Some(value) => self.result(&value, subject),
            None => Ok(Status::Dunno),
        }
    }

    /// `check_domain_access`: a name and the names above it. `None` when none of them is there.
    fn domain(
        &mut self,
        table: &str,
        domain: &str,
        subject: Subject<'_>,
    ) -> Result<Option<Status>, Stop> {
        let Some(maps) = self.maps(table) else {
            return self.result(&Text::placeless(FAILURE), subject).map(Some);
        };
        let mut name = domain;
        let mut only = Only::All;
        while !name.is_empty() {
            if let Some(value) = self.ask(maps, name, only)? {
                return self.result(&value, subject).map(Some);
            }
            if only == Only::All && hostname::address(domain).is_some() {
                break;
            }
            only = Only::Fixed;
            match parent(name, self.smtpd.read.settings.parents_without_dot) {
                Some(next) => name = next,
                None => break,
            }
        }
        Ok(None)
    }

    /// As [`Evaluation::domain`], as a restriction.
    pub(super) fn domain_access(
        &mut self,
        table: &str,
        domain: &str,
        subject: Subject<'_>,
    ) -> Outcome {
        let status = self.domain(table, domain, subject)?;
        Ok(status.unwrap_or(Status::Dunno))
    }

    /// `check_addr_access`: a network address and the networks by its first numbers.
    pub(super) fn network_access(
        &mut self,
        table: &str,
        address: &str,
        subject: Subject<'_>,
    ) -> Outcome {
        let Some(maps) = self.maps(table) else {
            return self.result(&Text::placeless(FAILURE), subject);
        };
        let delimiter = if address.contains(':') { ':' } else { '.' };
        let mut only = Only::All;
        let mut key = address;
        loop {
            if let Some(value) = self.ask(maps, key, only)? {
                return self.result(&value, subject);
            }
            only = Only::Fixed;
            match key.rsplit_once(delimiter) {
                Some((front, _)) => key = front,
                None => return Ok(Status::Dunno),
            }
        }
    }

    /// `check_namadr_access`: the name of the client, then its address.
    pub(super) fn client_access(
        &mut self,
        table: &str,
        name: &str,
        subject: Subject<'_>,
    ) -> Outcome {
        if let Some(status) = self.domain(table, name, subject)? {
            return Ok(status);
        }
        let client = self.client.clone();
        self.network_access(table, &client, subject)
    }

    /// `check_mail_access`: an address, its domain and the domains above, its local part.
    pub(super) fn mail_access(
        &mut self,
        table: &str,
        address: &str,
        subject: Subject<'_>,
    ) -> Outcome {
        let Some(resolved) = self.resolve(address, subject.class)? else {
            return self.lookup_failure(address);
        };
        let recipient = resolved.recipient.as_str();
        if !recipient.contains('@') {
            return Ok(Status::Dunno);
        }
        let Some(maps) = self.maps(table) else {
            return self.result(&Text::placeless(FAILURE), subject);
        };
        let smtpd = self.smtpd;
        let keys = Keys::Access {
            plain_parents: smtpd.read.settings.parents_without_dot,
        };
        let instance = smtpd.service.instance;
        let found = (smtpd.read.searcher).find_keys(
            instance,
            maps,
            recipient,
            Forms::Both,
            keys,
            self.world,
        );
        let found = value(found)?;
        let Some(value) = found else {
            return Ok(Status::Dunno);
        };
        let status = self.result(&value, subject)?;
        let is_suspicious = resolved.is_routed
            && !self.smtpd.read.settings.untrusted_routing
            && subject.class == "Recipient address";
        Ok(if is_suspicious { Status::Dunno } else { status })
    }
}

/// The value that was found.
fn value(found: Found) -> Result<Option<Text>, Stop> {
    match found {
        Found::Hit(hit, _) => Ok(Some(hit.value)),
        Found::Nothing => Ok(None),
        Found::Something(_) => Err(Stop::Unknown),
        Found::Fails(_) => Ok(Some(Text::placeless(FAILURE))),
    }
}

/// The name above a name, with or without its dot.
fn parent(name: &str, without_dot: bool) -> Option<&str> {
    let first = name.chars().next()?.len_utf8();
    let dot = name[first..].find('.')? + first;
    Some(&name[dot + usize::from(without_dot)..])
}
