//! Whether there are colours: decided once, for all that prints.

use std::io::IsTerminal;

use crate::cli::ColorArg;

/// Decides, and sets `colored`'s switch to the same.
///
/// `auto` is for standard output (`to_stdout`: the report goes there): colours on a terminal, none when `NO_COLOR` is set to anything
/// (<https://no-color.org>) or `TERM` is `dumb`.
pub(super) fn decide(asked: Option<ColorArg>, to_stdout: bool) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let color = match asked.unwrap_or(ColorArg::Auto) {
        ColorArg::Always => true,
        ColorArg::Never => false,
        ColorArg::Auto => {
            to_stdout
                && !is_set("NO_COLOR")
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
                && std::io::stdout().is_terminal()
        }
    };
    colored::control::set_override(color);
    color
}
