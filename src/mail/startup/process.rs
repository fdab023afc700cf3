//! One program as it starts: it reads its parameters in order, and ends at the first one that it cannot use.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::proxies::Proxies;
use crate::instance::Instance;
use crate::instance::builtin::{Kind, Version};
use crate::instance::parameter::Scope;
use crate::instance::reading_order::reading_order;
use crate::instance::value_fault::Facts;
use crate::source::Text;
use crate::syntax::expression::{self, ExpandErrorKind, Meaning};

/// Why a program does not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Death {
    /// It ends with this text, after `fatal: `.
    Fatal(String),
    /// It is killed, for evaluating a value or a list never ends.
    Crash,
    /// It waits for another program that does not answer: the text says which and why.
    Waits(String),
}

/// Ends a program with a text.
pub(super) fn fatal<T>(text: impl Into<String>) -> Result<T, Death> {
    Err(Death::Fatal(text.into()))
}

/// A program that starts.
#[derive(Debug)]
pub(super) struct Process<'i> {
    /// Its view of the parameters.
    pub(super) scope: Scope<'i>,
    /// Its name.
    pub(super) program: &'static str,
    /// The defaults of the parameters that were read: until then `$name` stands for nothing.
    known: RefCell<HashMap<&'static str, Text>>,
    /// What it warned about so far, without `warning: `.
    pub(super) warnings: RefCell<Vec<String>>,
    /// What it reaches through proxymap(8).
    pub(super) proxies: Option<Arc<Proxies>>,
    /// The tables that it has opened.
    pub(super) opened: RefCell<HashSet<String>>,
    /// So many of them cannot be used.
    pub(super) errors: Cell<usize>,
}

impl<'i> Process<'i> {
    /// A program with a view of the parameters.
    pub(super) fn new(
        program: &'static str,
        scope: Scope<'i>,
        proxies: Option<Arc<Proxies>>,
    ) -> Self {
        Self {
            scope,
            program,
            known: RefCell::default(),
            warnings: RefCell::default(),
            proxies,
            opened: RefCell::default(),
            errors: Cell::new(0),
        }
    }

    /// The instance.
    pub(super) fn instance(&self) -> &'i Instance {
        self.scope.instance
    }

    /// The version of Postfix.
    pub(super) fn version(&self) -> Version {
        self.instance().version()
    }

    /// Notes a warning.
    pub(super) fn warn(&self, text: impl Into<String>) {
        self.warnings.borrow_mut().push(text.into());
    }

    /// Reads the parameters of a row of the reading order; `between` looks at things before each.
    ///
    /// # Errors
    /// The program ends.
    pub(super) fn read(
        &self,
        row: &str,
        between: &dyn Fn(&'static str) -> Result<(), Death>,
    ) -> Result<(), Death> {
        for name in reading_order(row) {
            between(name)?;
            let builtin = self.instance().builtins().get(name);
            let is_read = |builtin: &&_| !is_legacy(builtin, self.version());
            if let Some(builtin) = builtin.filter(is_read) {
                self.read_one(name, Facts::of(builtin, self.version()))?;
            }
        }
        Ok(())
    }

    fn read_one(&self, name: &'static str, facts: Facts) -> Result<(), Death> {
        let parameter = self.scope.any_parameter(name);
        let value = match facts.kind {
            Kind::Raw => parameter.raw().clone(),
            _ => self.expand(parameter.raw())?,
        };
        if let Some(fault) = facts.fault(value.as_str(), value.len()) {
            return fatal(facts.complaint(fault, name, value.as_str()));
        }
        if !parameter.is_set() {
            self.known.borrow_mut().insert(name, value);
        }
        Ok(())
    }

    /// Expands a text with the names that stand for something by now.
    ///
    /// # Errors
    /// The text is malformed: the program ends.
    pub(super) fn expand(&self, text: &Text) -> Result<Text, Death> {
        let lookup = |name: &str| self.lookup(name).map(Meaning::Value);
        let (value, errors) = expression::expand_with(text, self.instance().dialect(), &lookup);
        for error in &errors {
            match error.kind {
                ExpandErrorKind::Crash => return Err(Death::Crash),
                ExpandErrorKind::Fatal => return fatal(error.message.clone()),
                _ => self.warn(error.message.clone()),
            }
        }
        value.map_or_else(|| fatal("dictionary mail_dict: macro processing error"), Ok)
    }

    fn lookup(&self, name: &str) -> Option<Text> {
        if let Some((setting, _)) = self.scope.setting(name) {
            return Some(setting.value.clone());
        }
        match name {
            "service_name" | "process_name" | "config_directory" => self.scope.lookup(name),
            _ => self.known.borrow().get(name).cloned(),
        }
    }

    /// The value of a parameter that was read, or of any other name; empty where nothing sets it.
    ///
    /// # Errors
    /// A name that is no parameter has a malformed value: the program ends.
    pub(super) fn value(&self, name: &str) -> Result<Text, Death> {
        self.lookup(name)
            .map_or_else(|| Ok(Text::default()), |raw| self.expand(&raw))
    }

    /// The value as a string.
    ///
    /// # Errors
    /// As [`Process::value`].
    pub(super) fn text(&self, name: &str) -> Result<String, Death> {
        self.value(name).map(|value| value.to_string())
    }

    /// Whether a switch that was read is on.
    ///
    /// # Errors
    /// As [`Process::value`].
    pub(super) fn is_on(&self, name: &str) -> Result<bool, Death> {
        Ok(self.value(name)?.as_str().eq_ignore_ascii_case("yes"))
    }

    /// `DIRECTORY/main.cf`, as Postfix names it.
    pub(super) fn main_cf(&self) -> String {
        let directory = self.instance().directory();
        format!("{}/main.cf", directory.display())
    }
}

fn is_legacy(builtin: &crate::instance::builtin::Builtin, version: Version) -> bool {
    builtin.is_legacy(version) || builtin.is_read_only()
}
