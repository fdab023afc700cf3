//! One line a finding: `file:line:column: severity[rule] message`.

use std::io::{self, Write};

use super::{Entry, visible};

pub(super) fn write(entries: &[Entry<'_>], out: &mut dyn Write) -> io::Result<()> {
    for entry in entries {
        let place = entry.place();
        writeln!(
            out,
            "{}:{}:{}: {}[{}] {}",
            visible(&place.file),
            place.line,
            place.column,
            entry.finding.severity.as_str(),
            entry.finding.rule.name,
            entry.text(&entry.finding.message)
        )?;
    }
    Ok(())
}
