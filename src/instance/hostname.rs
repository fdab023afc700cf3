//! Names of hosts and domains as Postfix accepts them (`src/util/valid_hostname.c`).

/// What Postfix says against a name; `None` for one that it accepts.
pub fn complaint(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("it is empty".to_owned());
    }
    if let Some(bad) = name
        .bytes()
        .find(|byte| !byte.is_ascii_alphanumeric() && !b"-._".contains(byte))
    {
        let shown = if bad.is_ascii_graphic() {
            char::from(bad).to_string()
        } else if bad == b' ' || bad == b'\t' {
            "a blank".to_owned()
        } else {
            format!("the byte {bad}")
        };
        return Some(format!("{shown} cannot be in a name"));
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Some("a dot stands at one of its ends, or next to another".to_owned());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Some("a hyphen stands at the end of a label".to_owned());
        }
        if label.len() > 63 {
            return Some("a label has more than 63 letters".to_owned());
        }
    }
    if name
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return Some("it is a number".to_owned());
    }
    (name.len() > 255).then(|| "it has more than 255 letters".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_postfix_judges_them() {
        for good in ["mail.example.com", "mail_1", "a-b.c", "1.2.3.x"] {
            assert_eq!(complaint(good), None, "{good}");
        }
        for bad in [
            "", "a..b", ".a", "a.", "-a.com", "a-.com", "1.2.3.4", "a b", "[a]", "é",
        ] {
            assert!(complaint(bad).is_some(), "{bad}");
        }
    }
}
