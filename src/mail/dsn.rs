//! Enhanced status codes in texts (`src/global/dsn_util.c`).

/// The status at the start of a text, and the text behind it; `None` when it starts with none.
///
/// It is `2`, `4` or `5`, and twice a dot with one to three digits, and ends at a blank or the end.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let end = text.find([' ', '\t']).unwrap_or(text.len());
    let (status, rest) = text.split_at(end);
    let mut fields = status.split('.');
    let class = fields.next()?;
    let is_number = |field: &str| {
        (1..=3).contains(&field.len()) && field.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_status = matches!(class, "2" | "4" | "5")
        && fields.next().is_some_and(is_number)
        && fields.next().is_some_and(is_number)
        && fields.next().is_none();
    is_status.then(|| (status, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn statuses() {
        assert_eq!(split("5.1.1 User unknown"), Some(("5.1.1", "User unknown")));
        assert_eq!(split("4.2.123"), Some(("4.2.123", "")));
        for text in [
            "3.1.1 x",
            "5.1 x",
            "5.1.1234 x",
            "5.1.1x",
            "",
            "5..1 x",
            "5.1.1.1 x",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
