//! The arguments of `postconf`: those of postconf(1) that only look.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::instance::builtin::Version;
use crate::settings::target_version;

/// The arguments of `postconf`: those of postconf(1) that only look.
#[derive(Clone, Debug, Default, Args)]
#[command(disable_help_flag = true, args_override_self = true)]
pub struct PostconfArgs {
    /// Parameters to print; with -M, -F and -P patterns service[/type[/name]] [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<OsString>,

    /// The configuration directory [default: that of this host]
    #[arg(short = 'c', value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Classes of parameters to print: builtin, service, user, all
    #[arg(short = 'C', value_name = "CLASS")]
    pub class: Option<String>,
    /// Print defaults instead of values
    #[arg(short = 'd')]
    pub defaults: bool,
    /// Fold long lines
    #[arg(short = 'f')]
    pub fold: bool,
    /// Print the fields of the entries in master.cf
    #[arg(short = 'F')]
    pub fields: bool,
    /// Print values without names
    #[arg(short = 'h')]
    pub hide_names: bool,
    /// Print names without values
    #[arg(short = 'H')]
    pub hide_values: bool,
    /// Print the entries in master.cf
    #[arg(short = 'M')]
    pub entries: bool,
    /// Print only what is set in main.cf
    #[arg(short = 'n')]
    pub settings: bool,
    /// Take this value instead of that in main.cf; may be repeated
    #[arg(short = 'o', value_name = "NAME=VALUE")]
    pub overrides: Vec<OsString>,
    /// Print the parameters of main.cf, as without -M, -F and -P
    #[arg(short = 'p')]
    pub parameters: bool,
    /// Print the parameters that are set in master.cf
    #[arg(short = 'P')]
    pub overrides_of_services: bool,
    /// Do not warn of parameters that are unused or deprecated
    #[arg(short = 'q')]
    pub quiet: bool,
    /// Expand $name in values
    #[arg(short = 'x')]
    pub expand: bool,

    /// The version of postconf, such as 3.7 or 2.10.1 [default: that of the installed one, else the newest]
    #[arg(long, value_name = "VERSION", value_parser = target_version)]
    pub postfix_version: Option<Version>,
    /// Print help
    #[arg(long, action = ArgAction::Help)]
    pub help: Option<bool>,
}
