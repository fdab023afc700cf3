//! Who sends, as far as smtpd(8) asks: the client and what it says before it names a recipient.

use std::net::{IpAddr, Ipv4Addr};

/// An SMTP session up to the first recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The address of the client.
    pub client: IpAddr,
    /// Its verified name; `None` is smtpd's `unknown`.
    pub client_name: Option<String>,
    /// The name that the address has in DNS, verified or not.
    pub reverse_name: Option<String>,
    /// What the client says after HELO or EHLO; `None` when it does not greet.
    pub helo: Option<String>,
    /// What stands between `<` and `>` after MAIL FROM; empty for the null sender.
    pub sender: String,
    /// The name under which the client has logged in.
    pub sasl_user: Option<String>,
    /// TLS is active.
    pub tls: bool,
}

impl Session {
    /// A mail server as there are many: it has a name, is in no network of ours, and its sender exists.
    pub fn stranger() -> Self {
        let name = "stranger.example.net";
        Self {
            client: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)),
            client_name: Some(name.to_owned()),
            reverse_name: Some(name.to_owned()),
            helo: Some(name.to_owned()),
            sender: "someone@example.net".to_owned(),
            sasl_user: None,
            tls: false,
        }
    }
}
