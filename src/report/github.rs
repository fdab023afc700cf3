//! Annotations of GitHub Actions: workflow commands on standard output.

use std::io::{self, Write};

use super::Entry;
use crate::finding::Severity;

pub(super) fn write(entries: &[Entry<'_>], out: &mut dyn Write) -> io::Result<()> {
    for entry in entries {
        let place = entry.place();
        let finding = &entry.finding;
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut message = entry.text(&finding.message);
        for note in &finding.notes {
            message.push('\n');
            message.push_str(&entry.text(note));
        }
        for fix in &finding.fixes {
            message.push_str("\nfix: ");
            message.push_str(&entry.text(&fix.title));
        }
        // Columns are for places on one line only.
        let columns = if place.line == place.end_line {
            format!(",col={},endColumn={}", place.column, place.end_column)
        } else {
            String::new()
        };
        writeln!(
            out,
            "::{command} file={},line={},endLine={}{columns},title={}::{}",
            property(&place.file),
            place.line,
            place.end_line,
            property(finding.rule.name),
            data(&message)
        )?;
    }
    Ok(())
}

/// What the runner would take for the end of the message.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// In a property, the characters that part properties, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_message_or_property_is_escaped() {
        assert_eq!(data("100%\r\nyes: a,b"), "100%25%0D%0Ayes: a,b");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}
