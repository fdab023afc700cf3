//! Commands and files (`src/local/command.c`, `src/local/file.c`, `src/global/pipe_command.c`).

use super::{Run, State};

/// The characters of a command that local(8) runs without a shell (`src/util/exec_command.c`).
const PLAIN: &str = "!@%-_=+:,./\n\t ";

/// What a command comes to, as far as it can be told without running it.
enum Outcome {
    /// Nothing is known against it.
    Fine,
    Fails(&'static str, String),
}

impl Run<'_, '_, '_> {
    /// `deliver_command`.
    pub(super) fn command(&mut self, state: &State, command: &str) -> bool {
        if self.been_here(&format!("command {command}")) {
            return false;
        }
        match self.outcome(command) {
            Outcome::Fine => {
                self.report(state, "2.0.0", &format!("delivered to command: {command}"))
            }
            Outcome::Fails(status, text) => self.report_to_owner(state, status, &text),
        }
    }

    fn outcome(&self, command: &str) -> Outcome {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || PLAIN.contains(c);
        let word = command.split_ascii_whitespace().next().unwrap_or_default();
        if command.chars().all(is_plain) && word.starts_with('/') {
            if self.journey.instance.open_exists(word) == Some(false) {
                let text = format!(
                    "temporary failure. Command output: local: fatal: execvp {word}: No such file or \
                     directory"
                );
                return Outcome::Fails("4.3.0", text);
            }
            if matches!(command.trim(), "/bin/false" | "/usr/bin/false") {
                return exit(1, command);
            }
            return Outcome::Fine;
        }
        if word.starts_with('/')
            && word.chars().all(is_plain)
            && self.journey.instance.open_exists(word) == Some(false)
        {
            let text = format!(
                "Command died with status 127: \"{command}\". Command output: sh: 1: {word}: not found"
            );
            return Outcome::Fails("5.3.0", text);
        }
        // `|exit 67` is a usual way to refuse mail.
        let status = command
            .trim()
            .strip_prefix("exit ")
            .and_then(|status| status.trim().parse().ok());
        status.map_or(Outcome::Fine, |status| exit(status, command))
    }

    /// `deliver_file`.
    pub(super) fn file(&mut self, state: &State, path: &str) -> bool {
        if self.been_here(&format!("file {path}")) {
            return false;
        }
        if !self.agent.files.has(state.expansion) {
            return self.report(state, "5.7.1", "mail to file is restricted");
        }
        if path.ends_with('/') {
            return self.report(state, "2.0.0", "delivered to maildir");
        }
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        if !directory.is_empty() && self.journey.instance.open_exists(directory) == Some(false) {
            let text = format!(
                "cannot append message to file {path}: cannot create file exclusively: No such file or \
                 directory"
            );
            return self.report_to_owner(state, "5.2.0", &text);
        }
        self.report(state, "2.0.0", &format!("delivered to file: {path}"))
    }
}

/// What an exit status means (`src/global/sys_exits.c`).
fn exit(status: u8, command: &str) -> Outcome {
    let (dsn, text) = match status {
        0 => return Outcome::Fine,
        64 => ("5.3.0", "command line usage error"),
        65 => ("5.6.0", "data format error"),
        66 => ("5.3.0", "cannot open input"),
        67 => ("5.1.1", "user unknown"),
        68 => ("5.1.2", "host name unknown"),
        69 => ("5.3.0", "service unavailable"),
        70 => ("5.3.0", "internal software error"),
        71 => ("4.3.0", "system resource problem"),
        72 => ("5.3.0", "critical OS file missing"),
        73 => ("5.2.0", "can't create user output file"),
        74 => ("5.3.0", "input/output error"),
        75 => ("4.3.0", "temporary failure"),
        76 => ("5.5.0", "remote error in protocol"),
        77 => ("5.7.0", "permission denied"),
        78 => ("5.3.5", "local configuration error"),
        _ => {
            let text = format!("Command died with status {status}: \"{command}\"");
            return Outcome::Fails("5.3.0", text);
        }
    };
    Outcome::Fails(dsn, text.to_owned())
}
