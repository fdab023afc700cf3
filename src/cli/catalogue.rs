//! The arguments of `explain` and `rules`, which look nothing up but what postlint knows itself.

use clap::Args;

use super::ColorArg;
use crate::instance::builtin::Version;
use crate::settings::target_version;

/// The arguments of `explain`.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// The name or code of a rule, the letters of a group, or the name of a parameter
    #[arg(value_name = "RULE|PARAMETER", required = true)]
    pub words: Vec<String>,
    /// The version of Postfix whose parameters are meant [default: that of the installed one, else the newest]
    #[arg(long, value_name = "VERSION", value_parser = target_version)]
    pub postfix_version: Option<Version>,
    /// When to use colours [default: auto, on a terminal unless `NO_COLOR` is set]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub color: Option<ColorArg>,
}

/// The arguments of `rules`.
#[derive(Clone, Debug, Args)]
pub struct RulesArgs {
    /// As a page in Markdown
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// As JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// When to use colours [default: auto, on a terminal unless `NO_COLOR` is set]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub color: Option<ColorArg>,
}
