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
    closest(word, known.map(|name| (name, letters(name))))
}

/// Names that many words are compared with.
#[derive(Debug, Default)]
pub(in crate::rules) struct Spellings(Vec<(String, Letters)>);

impl Spellings {
    /// The names as they are compared.
    pub(in crate::rules) fn of(names: Vec<String>) -> Self {
        let with_letters = |name: String| {
            let letters = letters(&name);
            (name, letters)
        };
        Self(names.into_iter().map(with_letters).collect())
    }

    /// As [`nearest`].
    pub(in crate::rules) fn nearest(&self, word: &str) -> Option<&str> {
        let names = self.0.iter();
        closest(word, names.map(|(name, letters)| (name.as_str(), *letters)))
    }
}

/// Which letters a word has, one bit for each; letters may share a bit.
type Letters = u64;

fn letters(word: &str) -> Letters {
    word.chars().fold(0, |letters, c| {
        letters | 1 << (u32::from(c) % Letters::BITS)
    })
}

fn closest<'n>(word: &str, known: impl Iterator<Item = (&'n str, Letters)>) -> Option<&'n str> {
    // `-` and `_` are easily mixed up.
    let word = word.to_ascii_lowercase().replace('-', "_");
    let own = letters(&word);
    let mut best: Option<(usize, &str)> = None;
    let mut is_tie = false;
    for (name, letters) in known {
        // Other lengths cannot be close, and are most of them.
        let longest = word.len().max(name.len());
        if longest.abs_diff(word.len().min(name.len())) > 3 {
            continue;
        }
        let most = best.map_or(3, |(least, _)| least).min(most_wrong(longest));
        // Each wrong letter takes away one letter of the word and adds one: two bits at the most.
        if ((own ^ letters).count_ones() as usize).div_ceil(2) > most {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&word, name);
        if distance > most {
            continue;
        }
        match best {
            Some((least, _)) if distance == least => is_tie = true,
            _ => {
                best = Some((distance, name));
                is_tie = false;
            }
        }
    }
    best.filter(|_| !is_tie).map(|(_, name)| name)
}

/// How many letters may be wrong: one of five and no more than three; one in short words.
fn most_wrong(longest: usize) -> usize {
    match longest {
        0..4 => 0,
        4..10 => 1,
        10..15 => 2,
        _ => 3,
    }
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
