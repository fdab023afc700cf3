//! How a program asks a table: the flags with which it opens it (`src/util/dict.h`).
//!
//! Two programs may read the same table and get different answers, because one of them refuses `$1` or
//! does not fold the key. So the flags belong to the question, not to the table.

/// The flags that decide what a lookup gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flags {
    /// Letters of the key are folded to lower case where the table has fixed keys (`FOLD_FIX`).
    pub fold: bool,
    /// Keys and results have to be UTF-8, and folding knows all of Unicode, when `smtputf8_enable` is on
    /// (`UTF8_REQUEST`).
    pub utf8: bool,
    /// `$1` is refused in results of regexp and pcre tables (`NO_REGSUB`).
    pub no_regsub: bool,
    /// A `proxy:` in front is ignored (`NO_PROXY`).
    pub no_proxy: bool,
    /// Tables that anybody on the net could answer for are refused: tcp, socketmap, memcache (`NO_UNAUTH`).
    pub no_unauth: bool,
    /// Results are the contents of files (`SRC_RHS_IS_FILE`).
    pub results_are_files: bool,
    /// A texthash table with doubled keys can be used all the same; the first stays (`DUP_WARN`).
    pub dup_warn: bool,
}

impl Flags {
    /// No flag at all: header checks, `smtpd_discard_ehlo_keyword_address_maps`.
    pub const NONE: Self = Self {
        fold: false,
        utf8: false,
        no_regsub: false,
        no_proxy: false,
        no_unauth: false,
        results_are_files: false,
        dup_warn: false,
    };
    /// What most programs use for tables of addresses.
    pub const ADDRESS: Self = Self {
        fold: true,
        utf8: true,
        ..Self::NONE
    };
    /// postmap -q and postalias -q, which refuse less than the daemons do.
    pub const POSTMAP: Self = Self {
        dup_warn: true,
        ..Self::ADDRESS
    };
    /// trivial-rewrite: transport tables and the relayhost by sender.
    pub const TRANSPORT: Self = Self {
        no_regsub: true,
        ..Self::ADDRESS
    };
    /// local(8): `alias_maps`.
    pub const ALIAS: Self = Self {
        no_proxy: true,
        no_unauth: true,
        ..Self::TRANSPORT
    };
    /// virtual(8): its three tables; local(8): `mailbox_command_maps`.
    pub const MAILBOX: Self = Self {
        fold: false,
        ..Self::ALIAS
    };
    /// local(8): `mailbox_transport_maps`, `fallback_transport_maps`.
    pub const MAILBOX_TRANSPORT: Self = Self {
        fold: false,
        ..Self::TRANSPORT
    };
    /// Lists of which only membership counts, such as `mydestination`; the list folds the key itself.
    pub const LIST: Self = Self {
        fold: false,
        ..Self::ADDRESS
    };
    /// Folding without UTF-8: `relay_clientcerts`, `smtpd_command_filter`.
    pub const FOLD: Self = Self {
        fold: true,
        ..Self::NONE
    };

    /// The flags with which `program` (the name of a daemon, such as `smtpd`) opens the tables of
    /// `parameter`.
    pub fn of(program: &str, parameter: &str) -> Self {
        match parameter {
            "relay_clientcerts" | "smtpd_command_filter" => return Self::FOLD,
            "tls_server_sni_maps" => {
                return Self {
                    results_are_files: true,
                    ..Self::FOLD
                };
            }
            "smtpd_discard_ehlo_keyword_address_maps"
            | "postscreen_discard_ehlo_keyword_address_maps"
            | "smtpd_milter_maps"
            | "smtpd_reject_footer_maps"
            | "postscreen_reject_footer_maps"
            | "lmtp_discard_lhlo_keyword_address_maps"
            | "smtp_discard_ehlo_keyword_address_maps" => return Self::NONE,
            _ if parameter.ends_with("_checks") => return Self::NONE,
            "mydestination"
            | "relay_domains"
            | "virtual_alias_domains"
            | "virtual_mailbox_domains"
            | "mynetworks"
            | "inet_interfaces"
            | "proxy_interfaces" => return Self::LIST,
            "alias_maps" if program == "local" => return Self::ALIAS,
            "mailbox_transport_maps" | "fallback_transport_maps" => {
                return Self::MAILBOX_TRANSPORT;
            }
            "mailbox_command_maps" => return Self::MAILBOX,
            "transport_maps"
            | "sender_dependent_relayhost_maps"
            | "sender_dependent_default_transport_maps"
            | "address_verify_transport_maps"
            | "address_verify_sender_dependent_relayhost_maps"
            | "address_verify_sender_dependent_default_transport_maps" => return Self::TRANSPORT,
            _ => {}
        }
        let virtual_table = matches!(
            parameter,
            "virtual_mailbox_maps" | "virtual_uid_maps" | "virtual_gid_maps"
        );
        if program == "virtual" && virtual_table {
            return Self::MAILBOX;
        }
        Self::ADDRESS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_table_is_asked_in_different_ways() {
        assert_eq!(Flags::of("smtpd", "virtual_mailbox_maps"), Flags::ADDRESS);
        assert_eq!(Flags::of("virtual", "virtual_mailbox_maps"), Flags::MAILBOX);
        assert!(Flags::of("local", "alias_maps").no_regsub);
        assert!(!Flags::of("smtpd", "alias_maps").no_regsub);
        assert_eq!(Flags::of("cleanup", "header_checks"), Flags::NONE);
    }
}
