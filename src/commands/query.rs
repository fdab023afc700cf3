//! `postlint query`: what a lookup table answers, as `postmap -q` would, and which line says so.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use anyhow::{Context, bail};

use super::instances::plans;
use crate::cli::{QueryArgs, QueryRoleArg, TraceFormatArg};
use crate::exit::{Exit, UsageError};
use crate::instance::table::{Flags, Lookup, Reference, SourceFormat, Table, reference};
use crate::instance::{Instance, Target, host_directory};
use crate::report::{QueryAnswer, QueryWriter, visible};
use crate::source::Text;

/// What was found so far.
#[derive(Default)]
struct Tally {
    found: bool,
    unknown: bool,
}

pub(super) fn run(
    args: &QueryArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let paths: Vec<_> = args.directory.iter().cloned().collect();
    let Some(mut plan) = plans(&paths, &args.instance)?.into_iter().next() else {
        bail!("there is no configuration");
    };
    let is_bare = args.directory.is_none()
        && plan.options.paths.root.is_none()
        && !host_directory().join("main.cf").exists();
    if is_bare {
        // No Postfix is installed here, but tables can be asked all the same.
        plan.target = Target::MainCfText(Vec::new());
        plan.options.paths.root = Some(PathBuf::from("/"));
    }
    let instance = Instance::load(&plan.target, &plan.options)?;
    let directory = std::env::current_dir().context("cannot tell the current directory")?;
    let (format, flags) = asked_as(args.role);
    let tables: Vec<Table> = references(&instance, &args.table.to_string_lossy())?
        .iter()
        .map(|reference| instance.open_asked(reference, format, &directory))
        .collect();
    for table in &tables {
        for warning in warnings(table, &instance) {
            writeln!(err, "warning: {}", visible(&warning))?;
        }
    }
    let reads = args.keys.iter().any(|key| key == "-");
    let writer = QueryWriter::new(instance.sources(), reads || args.keys.len() > 1);
    let mut tally = Tally::default();
    let mut failed = false;
    let mut one = |key: &[u8], out: &mut dyn Write| -> io::Result<bool> {
        let name = String::from_utf8_lossy(key);
        let (lookup, decider) = ask(&tables, key, flags);
        let table = decider.map(|table| table.reference().written.to_string());
        let answer = QueryAnswer {
            key: &name,
            table: table.as_deref(),
            lookup: &lookup,
        };
        match args.format {
            TraceFormatArg::Text => writer.text(&answer, out)?,
            TraceFormatArg::Json => writer.json(&answer, out)?,
        }
        tally.found |= !lookup.hits().is_empty();
        tally.unknown |= matches!(lookup, Lookup::Unknown(_));
        for line in remarks(&answer) {
            writeln!(err, "{}", visible(&line))?;
        }
        // postmap(1) gives up at the first table that fails.
        failed = matches!(lookup, Lookup::Error(_));
        Ok(!failed || args.format == TraceFormatArg::Json)
    };
    'keys: for key in &args.keys {
        if key != "-" {
            if !one(key.as_bytes(), out)? {
                break;
            }
            continue;
        }
        let mut input = BufReader::new(io::stdin().lock());
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = input.read_until(b'\n', &mut line);
            if read.context("cannot read keys from standard input")? == 0 {
                break;
            }
            if !one(line.strip_suffix(b"\n").unwrap_or(&line), out)? {
                break 'keys;
            }
            if !input.buffer().contains(&b'\n') {
                out.flush()?;
            }
        }
    }
    Ok(match tally {
        _ if failed => Exit::Findings,
        Tally { found: true, .. } => Exit::Clean,
        Tally { unknown: true, .. } => Exit::Failure,
        Tally { .. } => Exit::Findings,
    })
}

/// The program that made the index, where the role says so, and how the asking program opens a table.
fn asked_as(role: Option<QueryRoleArg>) -> (Option<SourceFormat>, Flags) {
    match role {
        None => (None, Flags::POSTMAP),
        Some(QueryRoleArg::Map) => (Some(SourceFormat::Postmap), Flags::POSTMAP),
        Some(QueryRoleArg::Alias) => (Some(SourceFormat::Postalias), Flags::ALIAS),
        Some(QueryRoleArg::Transport) => (Some(SourceFormat::Postmap), Flags::TRANSPORT),
        Some(QueryRoleArg::Mailbox) => (Some(SourceFormat::Postmap), Flags::MAILBOX),
        Some(QueryRoleArg::List) => (Some(SourceFormat::Postmap), Flags::LIST),
        Some(QueryRoleArg::Checks) => (Some(SourceFormat::Postmap), Flags::NONE),
    }
}

/// The tables that a word names: one, or with `$` those of a parameter.
fn references(instance: &Instance, word: &str) -> anyhow::Result<Vec<Reference>> {
    let wrong = |message: String| anyhow::Error::from(UsageError(message));
    if word.starts_with('$') {
        let value = instance.scope().expand(&Text::placeless(word));
        let value = value.map_err(|error| wrong(format!("cannot expand {word}: {error}")))?;
        let references: Result<Vec<_>, _> =
            reference::parse_list(&value, instance.version()).collect();
        let references = references.map_err(|malformed| wrong(malformed.message))?;
        if references.is_empty() {
            return Err(wrong(format!("{word} names no table")));
        }
        return Ok(references);
    }
    // postmap(1) knows a default for a name alone, parameters do not.
    let is_file = !word.contains(':');
    let full = if is_file {
        let kind = instance.parameter("default_database_type").text();
        Cow::Owned(format!("{kind}:{word}"))
    } else {
        Cow::Borrowed(word)
    };
    let reference = reference::parse(&Text::placeless(&full), instance.version());
    Ok(vec![
        reference.map_err(|malformed| wrong(malformed.message))?,
    ])
}

/// Asks tables in order: the first that has the key, or fails, decides.
fn ask<'t>(tables: &'t [Table], key: &[u8], flags: Flags) -> (Lookup, Option<&'t Table>) {
    for table in tables {
        let lookup = table.lookup(key, flags);
        if lookup != Lookup::NotFound {
            return (lookup, Some(table));
        }
    }
    (Lookup::NotFound, None)
}

/// What Postfix warns about when it opens the table.
fn warnings(table: &Table, instance: &Instance) -> Vec<String> {
    let reference = table.reference();
    let mut found = Vec::new();
    if let Some(keys) = table.keys().filter(|keys| keys.is_texthash()) {
        let file = reference.name.as_str();
        found.extend(keys.warnings(file, file, instance.version()));
    }
    for problem in table.problems() {
        let kind = &reference.type_name;
        let place = format!("{kind} map {}, line {}", reference.name, problem.line);
        found.push(format!("{place}: {}", problem.message));
        if let Some(then) = problem.then {
            found.push(format!("{place}: {then}"));
        }
    }
    for member in table.members() {
        found.extend(warnings(member, instance));
    }
    found
}

/// What is to be said about an answer beside the value.
fn remarks(answer: &QueryAnswer<'_>) -> Vec<String> {
    let table = answer.table.unwrap_or_default();
    match answer.lookup {
        Lookup::Error(error) if error.message.is_empty() => {
            vec![format!("error: table {table}: query error")]
        }
        Lookup::Error(error) => vec![format!("error: {}", error.message)],
        Lookup::Unknown(unknown) => {
            vec![format!(
                "{}: it cannot be known what {} says ({})",
                answer.key, unknown.table, unknown.reason
            )]
        }
        found if found.hits().iter().any(|hit| hit.value.is_empty()) => vec![
            format!(
                "warning: table {table}: key {}: empty string result is not allowed",
                answer.key
            ),
            format!("warning: table {table} should return NO RESULT in case of NOT FOUND"),
        ],
        _ => Vec::new(),
    }
}
