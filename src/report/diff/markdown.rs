//! Markdown for a comment in a review. All that comes from a configuration stands in code spans, where it can
//! mention nobody and link nowhere.

use std::io::{self, Write};

use super::DiffStyle;
use super::groups::{Group, count, extent, groups, moved, name, value, written};
use super::view::{DiffV1, FindingV1, ValueV1};
use crate::mail::behaviour::Outlook;
use crate::report::visible::visible;

/// More of a value is not shown, in characters.
const SHOWN_COLUMNS: usize = 300;

pub(super) fn write(diff: &DiffV1, style: DiffStyle, out: &mut dyn Write) -> io::Result<()> {
    let verdict = match () {
        () if diff.harmful => "mail is lost, or strangers can relay",
        () if diff.addresses.is_empty() && diff.listeners.is_empty() => "nothing changes for mail",
        () => "no mail that is delivered is lost",
    };
    writeln!(
        out,
        "### Postfix: {verdict}\n\n{} → {}",
        code(&diff.old),
        code(&diff.new)
    )?;
    let sections = [
        (Outlook::Lost, "Mail that is lost"),
        (Outlook::Relays, "Strangers can relay"),
        (Outlook::MayBeLost, "Mail that may be lost"),
        (Outlook::Other, "What else changes for mail"),
    ];
    for (outlook, title) in sections {
        let groups = groups(diff.meaning(outlook));
        let listeners = diff
            .listeners
            .iter()
            .filter(|one| one.meaning == outlook.name());
        let listeners: Vec<_> = listeners.collect();
        if groups.is_empty() && listeners.is_empty() {
            continue;
        }
        writeln!(out, "\n#### {title}\n")?;
        for listener in listeners {
            write!(out, "- {}: {}", code(&listener.service), listener.change)?;
            match &listener.witness {
                Some(witness) => writeln!(out, ", such as with mail for {}", code(witness))?,
                None => writeln!(out)?,
            }
        }
        for group in groups {
            write_group(&group, style, out)?;
        }
    }
    writeln!(out)?;
    for line in extent(diff) {
        writeln!(out, "- {}", escaped(&line))?;
    }
    write_parameters(diff, out)?;
    write_findings("Findings that come", &diff.findings.appeared, out)?;
    write_findings("Findings that go", &diff.findings.gone, out)
}

fn write_group(group: &Group<'_>, style: DiffStyle, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "- {}: {} for {} from {}",
        code(group.service),
        code(&group.change()),
        count(group.members.len(), "address", "addresses"),
        group.senders
    )?;
    for (when, step) in group.reasons() {
        match (&step.file, step.line) {
            (Some(file), Some(line)) => writeln!(
                out,
                "  - {when}, {}: {}",
                code(&format!("{file}:{line}")),
                code(&step.text)
            )?,
            _ => writeln!(out, "  - {when}: {}", code(&step.text))?,
        }
    }
    let shown = group.members.len().min(style.shown);
    let members = group.members[..shown]
        .iter()
        .map(|change| match moved(change) {
            Some((before, after)) => {
                format!(
                    "{} ({} → {})",
                    code(&change.address),
                    code(&before),
                    code(&after)
                )
            }
            None => code(&change.address),
        });
    let mut line = members.collect::<Vec<_>>().join(", ");
    if shown < group.members.len() {
        line.push_str(&format!(" and {} more", group.members.len() - shown));
    }
    writeln!(out, "  - {line}")
}

fn write_parameters(diff: &DiffV1, out: &mut dyn Write) -> io::Result<()> {
    let (written, derived) = written(&diff.parameters);
    if !written.is_empty() || !derived.is_empty() {
        writeln!(out, "\n#### Parameters\n")?;
    }
    if !written.is_empty() {
        writeln!(out, "| parameter | old | new |\n|---|---|---|")?;
    }
    for change in written {
        writeln!(
            out,
            "| {} | {} | {} |",
            cell(&name(change)),
            side(change.old.as_ref()),
            side(change.new.as_ref())
        )?;
    }
    if !derived.is_empty() {
        let names: Vec<String> = derived.iter().map(|name| code(name)).collect();
        writeln!(out, "\nFrom these follow: {}", names.join(", "))?;
    }
    if !diff.services.is_empty() {
        writeln!(
            out,
            "\n#### Services\n\n| service | old | new |\n|---|---|---|"
        )?;
    }
    for change in &diff.services {
        writeln!(
            out,
            "| {} | {} | {} |",
            cell(&change.service),
            side(change.old.as_ref()),
            side(change.new.as_ref())
        )?;
    }
    Ok(())
}

fn side(side: Option<&ValueV1>) -> String {
    if side.is_none() {
        return "–".to_owned();
    }
    let (value, place) = value(side);
    format!("{}<br>{}", cell(&value), cell(&place))
}

fn write_findings(title: &str, findings: &[FindingV1], out: &mut dyn Write) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n#### {title}\n")?;
    for finding in findings {
        writeln!(
            out,
            "- {} {} {}: {}",
            code(&format!("{}:{}", finding.file, finding.line)),
            finding.severity,
            code(finding.rule),
            escaped(&finding.message)
        )?;
    }
    Ok(())
}

/// A code span that holds any text: fenced by more backticks than are in it.
fn code(text: &str) -> String {
    let text = visible(text);
    let text = match text.char_indices().nth(SHOWN_COLUMNS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.into_owned(),
    };
    if text.trim().is_empty() {
        return "` `".to_owned();
    }
    let runs = text.split(|c| c != '`').map(str::len).max();
    let fence = "`".repeat(runs.unwrap_or(0) + 1);
    let space = match text.starts_with('`') || text.ends_with('`') {
        true => " ",
        false => "",
    };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A code span in a table, where a bar ends the cell.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Text with all characters that mean something in Markdown, or make a mention or a link, written as themselves.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // Followed by nothing visible, so that it mentions nobody.
            '@' => escaped.push_str("&#64;"),
            '#' => escaped.push_str("&#35;"),
            ':' => escaped.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '|' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_holds_any_text() {
        assert_eq!(code("a@b.test"), "`a@b.test`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`x"), "`` `x ``");
        assert_eq!(cell("a|b"), "`a\\|b`");
    }

    #[test]
    fn text_mentions_nobody() {
        assert_eq!(
            escaped("ask @team, see [x](y) <b>"),
            "ask &#64;team, see \\[x\\]\\(y\\) &lt;b&gt;"
        );
    }
}
