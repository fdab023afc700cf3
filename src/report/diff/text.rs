//! Text for people.

use std::io::{self, Write};

use colored::Colorize;

use super::DiffStyle;
use super::groups::{Group, count, extent, groups, moved, name, value, written};
use super::view::{DiffV1, FindingV1};
use crate::mail::behaviour::Outlook;
use crate::report::visible::visible;

/// More of a value is not shown, in characters.
const SHOWN_COLUMNS: usize = 400;

pub(super) fn write(diff: &DiffV1, style: DiffStyle, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{}",
        format!("{} -> {}", visible(&diff.old), visible(&diff.new)).bold()
    )?;
    let sections = [
        (
            Outlook::Lost,
            "mail that is lost",
            "was delivered and is not any more",
        ),
        (
            Outlook::Relays,
            "strangers can relay",
            "anybody can send through this host",
        ),
        (
            Outlook::MayBeLost,
            "mail that may be lost",
            "that depends on what cannot be looked at",
        ),
        (Outlook::Other, "what else changes for mail", ""),
    ];
    for (outlook, title, what) in sections {
        let groups = groups(diff.meaning(outlook));
        let listeners = diff
            .listeners
            .iter()
            .filter(|one| one.meaning == outlook.name());
        let listeners: Vec<_> = listeners.collect();
        if groups.is_empty() && listeners.is_empty() {
            continue;
        }
        let title = match outlook {
            Outlook::Lost | Outlook::Relays => title.red().bold(),
            Outlook::MayBeLost => title.yellow().bold(),
            Outlook::Other => title.bold(),
        };
        match what {
            "" => writeln!(out, "\n{title}")?,
            what => writeln!(out, "\n{title}: {what}")?,
        }
        for listener in listeners {
            write!(out, "  {}: {}", visible(&listener.service), listener.change)?;
            match &listener.witness {
                Some(witness) => writeln!(out, ", such as with mail for {}", visible(witness))?,
                None => writeln!(out)?,
            }
        }
        for group in groups {
            write_group(&group, style, out)?;
        }
    }
    if diff.addresses.is_empty() && diff.listeners.is_empty() {
        writeln!(out, "\nnothing changes for mail")?;
    }
    for line in extent(diff) {
        writeln!(out, "  {}", visible(&line))?;
    }
    write_parameters(diff, out)?;
    let findings = [
        ("findings that come", &diff.findings.appeared),
        ("findings that go", &diff.findings.gone),
    ];
    for (title, findings) in findings {
        if !findings.is_empty() {
            writeln!(out, "\n{}", title.bold())?;
        }
        for finding in findings {
            writeln!(out, "  {}", finding_line(finding))?;
        }
    }
    Ok(())
}

fn write_group(group: &Group<'_>, style: DiffStyle, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  {}: {} for {} from {}",
        visible(group.service),
        visible(&group.change()),
        count(group.members.len(), "address", "addresses"),
        group.senders
    )?;
    for (when, step) in group.reasons() {
        let text = cut(&step.text);
        match (&step.file, step.line) {
            (Some(file), Some(line)) => writeln!(
                out,
                "    {when}, {}: {text}",
                format!("{}:{line}", visible(file)).cyan()
            )?,
            _ => writeln!(out, "    {when}: {text}")?,
        }
    }
    let shown = group.members.len().min(style.shown);
    for change in &group.members[..shown] {
        match moved(change) {
            Some((before, after)) => writeln!(
                out,
                "      {}: {} -> {}",
                visible(&change.address),
                visible(&before),
                visible(&after)
            )?,
            None => writeln!(out, "      {}", visible(&change.address))?,
        }
    }
    if shown < group.members.len() {
        writeln!(out, "      and {} more", group.members.len() - shown)?;
    }
    Ok(())
}

fn write_parameters(diff: &DiffV1, out: &mut dyn Write) -> io::Result<()> {
    let (written, derived) = written(&diff.parameters);
    if !written.is_empty() || !derived.is_empty() {
        writeln!(out, "\n{}", "parameters".bold())?;
    }
    for change in written {
        writeln!(out, "  {}", visible(&name(change)))?;
        write_sides(change.old.as_ref(), change.new.as_ref(), out)?;
    }
    if !derived.is_empty() {
        writeln!(out, "  from these follow: {}", visible(&derived.join(", ")))?;
    }
    if !diff.services.is_empty() {
        writeln!(out, "\n{}", "services".bold())?;
    }
    for change in &diff.services {
        let what = match (&change.old, &change.new) {
            (None, _) => " comes",
            (_, None) => " goes",
            _ => "",
        };
        writeln!(out, "  {}{what}", visible(&change.service))?;
        let side = |side| {
            Some(side)
                .filter(|side: &Option<_>| side.is_some())
                .flatten()
        };
        write_sides(side(change.old.as_ref()), side(change.new.as_ref()), out)?;
    }
    Ok(())
}

fn write_sides(
    old: Option<&super::view::ValueV1>,
    new: Option<&super::view::ValueV1>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (side, sign) in [(old, "-"), (new, "+")] {
        if side.is_none() {
            continue;
        }
        let (value, place) = value(side);
        let line = format!("{sign} {}", cut(&value));
        let line = match sign {
            "-" => line.red(),
            _ => line.green(),
        };
        writeln!(out, "    {line}  ({})", visible(&place))?;
    }
    Ok(())
}

fn finding_line(finding: &FindingV1) -> String {
    format!(
        "{}:{}: {}[{}] {}",
        visible(&finding.file),
        finding.line,
        finding.severity,
        finding.rule,
        visible(&finding.message)
    )
}

fn cut(text: &str) -> String {
    let text = visible(text);
    match text.char_indices().nth(SHOWN_COLUMNS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.into_owned(),
    }
}
