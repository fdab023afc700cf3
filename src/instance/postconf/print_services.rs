//! Printing entries of master.cf, their fields and their parameters, as `src/postconf/postconf_master.c`
//! does.

use super::entry::{BLANK, is_option, takes_value};
use super::notice::Notice;
use super::print::{INDENT, LINE_LIMIT, Show, print_pair};
use super::request::{FieldRequest, ServiceRequest, is_listed};
use super::{GaveUp, Postconf, Scope};
use crate::instance::builtin::Version;
use crate::source::Text;
use crate::syntax::master_cf::FIELD_NAMES;

/// The columns in which the fields start.
const COLUMNS: [usize; 8] = [0, 11, 17, 25, 33, 41, 49, 57];

impl Postconf {
    /// Prints the entries that are asked for to `out`, else all (`-M`). Patterns are `service[/type]`; before
    /// Postfix 2.11, `service.type` or `type`, with `!` for all others.
    ///
    /// Gives what is said meanwhile. When the last notice is fatal, `out` has what came before it.
    ///
    /// # Errors
    /// Postfix's own words for a malformed pattern.
    pub fn print_entries(
        &self,
        show: Show,
        patterns: &[impl AsRef<[u8]>],
        out: &mut Vec<u8>,
    ) -> Result<Vec<Notice>, String> {
        if self.version < Version::release(2, 11, 0) {
            return Ok(self.for_each_request::<ServiceRequest>(
                &[],
                |request| request,
                |index, _, said| {
                    if patterns.is_empty() || is_listed(&self.entries[index], patterns) {
                        self.print_entry(show, index, out, said)?;
                    }
                    Ok(true)
                },
            ));
        }
        let requests: Option<Vec<_>> = patterns
            .iter()
            .map(|pattern| ServiceRequest::parse(pattern.as_ref(), 2))
            .collect();
        let requests = requests.ok_or("-M option requires service_name[/type]")?;
        Ok(self.for_each_request(
            &requests,
            |request| request,
            |index, _, said| {
                self.print_entry(show, index, out, said)?;
                Ok(true)
            },
        ))
    }

    /// Prints fields of the entries, those that are asked for or all (`-F`); gives what is said as
    /// [`Postconf::print_entries`] does.
    pub fn print_fields(
        &self,
        show: Show,
        requests: &[FieldRequest],
        out: &mut Vec<u8>,
    ) -> Vec<Notice> {
        self.for_each_request(
            requests,
            |request| &request.service,
            |index, request, said| {
                match request.and_then(|request| request.field) {
                    Some(field) => self.print_field(show, index, field, out, said)?,
                    None => {
                        for field in 0..FIELD_NAMES.len() {
                            self.print_field(show, index, field, out, said)?;
                        }
                    }
                }
                Ok(true)
            },
        )
    }

    /// Prints parameters that are set in entries, those that are asked for or all (`-P`); gives what is said
    /// as [`Postconf::print_entries`] does.
    pub fn print_overrides(
        &self,
        show: Show,
        requests: &[ServiceRequest],
        out: &mut Vec<u8>,
    ) -> Vec<Notice> {
        self.for_each_request(
            requests,
            |request| request,
            |index, request, said| {
                let entry = &self.entries[index];
                let Some(space) = entry.space else {
                    return Ok(false);
                };
                let settings = &self.spaces[space];
                let name_space = entry.name_space();
                let mut print = |name: &Text, value: &Text| {
                    let mut label = name_space.as_bytes().to_vec();
                    label.push(b'/');
                    label.extend_from_slice(name.as_bytes());
                    let value = if show.expanded && !show.hide_values {
                        self.expand(value, Scope::Entry(index), said)?
                    } else {
                        value.clone()
                    };
                    print_pair(show, &label, &value, out);
                    Ok(())
                };
                match request.and_then(ServiceRequest::name) {
                    None => {
                        for assigned in settings.iter() {
                            print(&assigned.name, &assigned.value)?;
                        }
                        Ok(true)
                    }
                    Some(name) => match settings.get(name) {
                        Some(assigned) => print(&assigned.name, &assigned.value).map(|()| true),
                        None => Ok(false),
                    },
                }
            },
        )
    }

    /// Does something for each entry and each request that matches it, or once for each entry when there is
    /// no request. `act` gives whether the request was met.
    fn for_each_request<'r, R>(
        &self,
        requests: &'r [R],
        service: impl Fn(&'r R) -> &'r ServiceRequest,
        mut act: impl FnMut(usize, Option<&'r R>, &mut Vec<Notice>) -> Result<bool, GaveUp>,
    ) -> Vec<Notice> {
        let mut said = Vec::new();
        let mut is_met = vec![false; requests.len()];
        for (index, entry) in self.entries.iter().enumerate() {
            if requests.is_empty() && act(index, None, &mut said).is_err() {
                return said;
            }
            for (request, is_met) in requests.iter().zip(&mut is_met) {
                if !service(request).matches(entry) {
                    continue;
                }
                match act(index, Some(request), &mut said) {
                    Ok(met) => *is_met |= met,
                    Err(GaveUp) => return said,
                }
            }
        }
        let unmet = requests.iter().zip(&is_met).filter(|(_, is_met)| !**is_met);
        said.extend(unmet.map(|(request, _)| service(request).unmatched()));
        said
    }

    /// `pcf_print_master_entry`.
    fn print_entry(
        &self,
        show: Show,
        index: usize,
        out: &mut Vec<u8>,
        said: &mut Vec<Notice>,
    ) -> Result<(), GaveUp> {
        let entry = &self.entries[index];
        let mut line = Line::new(out);
        for (word, column) in entry.words.iter().zip(COLUMNS) {
            if line.length > 0 {
                line.add(b" ");
                while line.length < column {
                    line.add(b" ");
                }
            }
            line.add(word.as_bytes());
        }
        let allowance = if self.version >= Version::release(3, 0, 0) {
            3
        } else {
            1
        };
        self.print_arguments(show, index, allowance, &mut line, said)?;
        out.push(b'\n');
        Ok(())
    }

    /// `pcf_print_master_field`.
    fn print_field(
        &self,
        show: Show,
        index: usize,
        field: usize,
        out: &mut Vec<u8>,
        said: &mut Vec<Notice>,
    ) -> Result<(), GaveUp> {
        let entry = &self.entries[index];
        let word = entry.words[field].as_bytes();
        let mut line = Line::new(out);
        if !show.hide_names {
            line.add(entry.name_space().as_bytes());
            line.add(b"/");
            line.add(FIELD_NAMES[field].as_bytes());
        }
        if !show.hide_names && !show.hide_values {
            line.add(b" = ");
        }
        if !show.hide_values {
            if line.length > 0 && line.length + word.len() > LINE_LIMIT {
                line.wrap();
            }
            line.add(word);
            if field == FIELD_NAMES.len() - 1 {
                self.print_arguments(show, index, 1, &mut line, said)?;
            }
        }
        out.push(b'\n');
        Ok(())
    }

    /// The arguments of an entry; `allowance` is what an option and its value take beyond their own bytes.
    fn print_arguments(
        &self,
        show: Show,
        index: usize,
        allowance: usize,
        line: &mut Line<'_>,
        said: &mut Vec<Notice>,
    ) -> Result<(), GaveUp> {
        let has_braces = self.version >= Version::release(3, 0, 0);
        let forces_breaks = self.version >= Version::release(2, 11, 0);
        let needs_braces = |word: &[u8]| has_braces && word.iter().any(|b| BLANK.contains(b));
        let mut words = self.entries[index].arguments().iter().peekable();
        let mut are_options = true;
        while let Some(word) = words.next() {
            let mut value: Option<Text> = None;
            let mut length = word.len();
            if are_options && !is_option(word) {
                are_options = false;
                if !forces_breaks && show.folded && line.length > COLUMNS[7] {
                    line.length = LINE_LIMIT;
                }
                // The first word after the options gets no braces.
                line.separate(show.folded, length);
                line.add(word.as_bytes());
                continue;
            }
            if are_options && takes_value(word) {
                value = words.next().cloned();
            }
            if let Some(text) = &mut value {
                if forces_breaks {
                    line.length = LINE_LIMIT;
                }
                if word == "-o" && show.expanded {
                    *text = self.expand(text, Scope::Entry(index), said)?;
                }
                length += text.len() + allowance;
                if needs_braces(text.as_bytes()) {
                    length += 2;
                }
            }
            line.separate(show.folded, length);
            match &value {
                Some(text) => {
                    line.add(word.as_bytes());
                    line.add(b" ");
                    line.add_in_braces(text.as_bytes(), needs_braces(text.as_bytes()));
                    if forces_breaks {
                        line.length = LINE_LIMIT;
                    }
                }
                None => {
                    let in_braces = !are_options && needs_braces(word.as_bytes());
                    line.add_in_braces(word.as_bytes(), in_braces);
                }
            }
        }
        Ok(())
    }
}

/// A line in the making.
struct Line<'o> {
    out: &'o mut Vec<u8>,
    length: usize,
}

impl<'o> Line<'o> {
    fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, length: 0 }
    }

    fn add(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
        self.length += text.len();
    }

    fn add_in_braces(&mut self, text: &[u8], in_braces: bool) {
        if in_braces {
            self.add(b"{");
        }
        self.add(text);
        if in_braces {
            self.add(b"}");
        }
    }

    fn wrap(&mut self) {
        self.out.push(b'\n');
        self.out.extend_from_slice(INDENT);
        self.length = INDENT.len();
    }

    /// A blank, or a new line when `length` bytes do not fit any more.
    fn separate(&mut self, folded: bool, length: usize) {
        if self.length <= INDENT.len() {
            return;
        }
        if !folded || self.length + 1 + length < LINE_LIMIT {
            self.add(b" ");
        } else {
            self.wrap();
        }
    }
}
