//! What the programs of master.cf need from their line there.

use super::builtin::Version;

/// What may stand behind the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operands {
    /// Nothing: the program stops at the first one (`src/master/*_server.c` and the programs' main loops).
    None,
    /// `flags=` (`src/smtp/smtp.c`, Postfix 3.5).
    Flags,
    /// pipe(8)'s.
    Pipe,
    /// spawn(8)'s.
    Spawn,
    /// They are not looked at.
    Ignored,
}

/// A program that Postfix has for master.cf.
#[derive(Clone, Copy, Debug)]
pub struct Daemon {
    /// The command word.
    pub name: &'static str,
    /// The first version that has it.
    since: Version,
    /// What may stand behind the options.
    pub operands: Operands,
    /// The process limit without which it stops: 1, or 0 for none.
    pub limit: Option<u32>,
    /// It needs an unprivileged field `n`.
    pub is_privileged: bool,
    /// The types of service that it serves.
    pub types: &'static [&'static str],
}

/// `single_server.c`, `multi_server.c`, `event_server.c`.
const STREAM: &[&str] = &["inet", "unix", "pass"];
/// `trigger_server.c`.
const TRIGGER: &[&str] = &["unix", "fifo", "pass"];
/// `dgram_server.c`.
const DATAGRAM: &[&str] = &["unix-dgram"];

const fn daemon(name: &'static str) -> Daemon {
    Daemon {
        name,
        since: Version::release(2, 10, 0),
        operands: Operands::None,
        limit: None,
        is_privileged: false,
        types: STREAM,
    }
}

const fn limited(name: &'static str, limit: u32) -> Daemon {
    Daemon {
        limit: Some(limit),
        ..daemon(name)
    }
}

const fn trigger(name: &'static str) -> Daemon {
    Daemon {
        types: TRIGGER,
        ..limited(name, 1)
    }
}

const fn privileged(name: &'static str, operands: Operands) -> Daemon {
    Daemon {
        is_privileged: true,
        operands,
        ..daemon(name)
    }
}

const fn client(name: &'static str) -> Daemon {
    Daemon {
        operands: Operands::Flags,
        ..daemon(name)
    }
}

static DAEMONS: [Daemon; 29] = [
    limited("anvil", 1),
    limited("bounce", 0),
    limited("cleanup", 0),
    daemon("discard"),
    limited("dnsblog", 0),
    daemon("error"),
    limited("flush", 0),
    client("lmtp"),
    privileged("local", Operands::None),
    Daemon {
        since: Version::release(3, 11, 0),
        limit: Some(1),
        ..privileged("nbdb_reindexd", Operands::None)
    },
    trigger("nqmgr"),
    trigger("oqmgr"),
    trigger("pickup"),
    privileged("pipe", Operands::Pipe),
    Daemon {
        since: Version::release(3, 4, 0),
        types: DATAGRAM,
        ..limited("postlogd", 1)
    },
    Daemon {
        operands: Operands::Ignored,
        ..limited("postscreen", 1)
    },
    daemon("proxymap"),
    trigger("qmgr"),
    daemon("qmqpd"),
    limited("scache", 1),
    daemon("showq"),
    client("smtp"),
    daemon("smtpd"),
    privileged("spawn", Operands::Spawn),
    limited("tlsmgr", 1),
    limited("tlsproxy", 0),
    daemon("trivial-rewrite"),
    limited("verify", 1),
    privileged("virtual", Operands::None),
];

/// The program with this name in `version`.
pub fn daemon_of(name: &str, version: Version) -> Option<&'static Daemon> {
    DAEMONS
        .iter()
        .find(|daemon| daemon.name == name && version >= daemon.since)
}

/// The names of the programs of a version.
pub fn daemon_names(version: Version) -> impl Iterator<Item = &'static str> {
    DAEMONS
        .iter()
        .filter(move |daemon| version >= daemon.since)
        .map(|daemon| daemon.name)
}
