//! Names that a misspelt one may stand for.

use crate::instance::Instance;

/// The built-in parameter that a name is most like. `None` when none is close, or several are.
pub(super) fn parameter(name: &str, instance: &Instance) -> Option<&'static str> {
    let known = instance.builtins().iter().map(|builtin| builtin.name());
    nearest(name, known)
}

/// The one of `known` that a word is most like. `None` when none is close, or several are.
pub(in crate::rules) fn nearest<'n>(
    word: &str,
    known: impl Iterator<Item = &'n str>,
) -> Option<&'n str> {
    let word = word.to_ascii_lowercase();
    let mut best: Option<(usize, &str)> = None;
    let mut is_tie = false;
    for name in known {
        // Other lengths cannot be close, and are most of them.
        let longest = word.len().max(name.len());
        if longest.abs_diff(word.len().min(name.len())) > 3 {
            continue;
        }
        let distance = distance(&word, name);
        // One letter of five may be wrong, and no more than three; one in short words.
        if distance > 3 || (distance * 5 > longest && (distance > 1 || longest < 4)) {
            continue;
        }
        match best {
            Some((least, _)) if distance > least => {}
            Some((least, _)) if distance == least => is_tie = true,
            _ => {
                best = Some((distance, name));
                is_tie = false;
            }
        }
    }
    best.filter(|_| !is_tie).map(|(_, name)| name)
}

/// How many letters differ. `-` and `_`, which are easily mixed up, count as half of that.
fn distance(word: &str, name: &str) -> usize {
    strsim::damerau_levenshtein(&word.replace('-', "_"), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_names_only() {
        let known = [
            "smtpd_helo_required",
            "smtpd_banner",
            "relayhost",
            "myorigin",
        ];
        let find = |word| nearest(word, known.into_iter());
        assert_eq!(find("smtpd_helo_requierd"), Some("smtpd_helo_required"));
        assert_eq!(find("Relayhost"), Some("relayhost"));
        assert_eq!(find("relay_host"), Some("relayhost"));
        assert_eq!(find("smtpd_helo"), None);
        assert_eq!(find("foo"), None);
    }

    #[test]
    fn no_guess_between_two() {
        let known = ["smtp_tls_level", "lmtp_tls_level"];
        assert_eq!(nearest("xmtp_tls_level", known.into_iter()), None);
    }
}
