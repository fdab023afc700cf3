//! cidr tables, loaded: Postfix's `src/util/dict_cidr.c` and `cidr_match.c`.

use std::net::IpAddr;

use super::lookup::{Hit, Lookup};
use super::problem::{ProblemKind, TableProblem};
use super::rule_source::RuleSource;
use crate::source::Text;
use crate::syntax::cidr_table::{self, CidrLine, CidrPattern, CidrSyntax};

/// A table of networks.
#[derive(Debug)]
pub struct CidrTable {
    source: RuleSource,
    syntax: CidrSyntax,
    rules: Vec<Rule>,
    problems: Vec<TableProblem>,
}

/// A rule that counts. A table may have a hundred thousand of them, so the text stays in the source.
#[derive(Debug)]
struct Rule {
    at: usize,
    kind: RuleKind,
}

#[derive(Debug)]
enum RuleKind {
    Match(Network),
    If {
        network: Network,
        /// Index of the `endif`; `None` when there is none, and a miss ends the search.
        end: Option<usize>,
    },
    EndIf,
}

#[derive(Debug)]
struct Network {
    negated: bool,
    network: ipnet::IpNet,
}

impl Network {
    fn new(pattern: &CidrPattern) -> Self {
        Self {
            negated: pattern.negated,
            network: pattern.network,
        }
    }

    fn matches(&self, address: IpAddr) -> bool {
        cidr_table::matches(&self.network, self.negated, address)
    }
}

impl CidrTable {
    pub(super) fn load(source: RuleSource, syntax: CidrSyntax) -> Self {
        let mut rules: Vec<Rule> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut dropped: Vec<(usize, String)> = Vec::new();
        source.for_each(|line, at| {
            let kind = match cidr_table::parse(line, syntax) {
                CidrLine::Match { pattern, .. } => RuleKind::Match(Network::new(&pattern)),
                CidrLine::If(pattern) => {
                    open.push(rules.len());
                    RuleKind::If {
                        network: Network::new(&pattern),
                        end: None,
                    }
                }
                CidrLine::EndIf => {
                    let index = rules.len();
                    match open.pop().and_then(|start| rules.get_mut(start)) {
                        Some(Rule {
                            kind: RuleKind::If { end, .. },
                            ..
                        }) => *end = Some(index),
                        _ => {
                            dropped.push((at, "ENDIF without IF".to_owned()));
                            return;
                        }
                    }
                    RuleKind::EndIf
                }
                CidrLine::Dropped(reason) => {
                    dropped.push((at, reason));
                    return;
                }
            };
            rules.push(Rule { at, kind });
        });
        let mut table = Self {
            source,
            syntax,
            rules,
            problems: Vec::new(),
        };
        for (at, reason) in dropped {
            let message = format!("{reason}: skipping this rule");
            table.problem(at, ProblemKind::Cidr, message);
        }
        while let Some(index) = open.pop() {
            let at = table.rules[index].at;
            let message = "IF has no matching ENDIF".to_owned();
            table.problem(at, ProblemKind::CidrIfWithoutEndIf, message);
        }
        table
    }

    fn problem(&mut self, at: usize, kind: ProblemKind, message: String) {
        let span = self.source.line(at).span();
        self.problems.push(TableProblem {
            line: self.source.number(at),
            span,
            line_span: span,
            kind,
            message,
            then: None,
        });
    }

    /// What Postfix warns about when it opens the table, in the order of its warnings.
    pub fn problems(&self) -> &[TableProblem] {
        &self.problems
    }

    /// Number of rules that count, `if` and `endif` included.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether no rule counts.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules that count, in order, with their places.
    pub fn lines(&self) -> impl Iterator<Item = (Text, CidrLine)> {
        self.rules.iter().map(|rule| {
            let text = self.source.line(rule.at).text;
            let line = cidr_table::parse(text.as_bytes(), self.syntax);
            (text, line)
        })
    }

    /// Asks the table. Anything that is no address is not found.
    pub(super) fn lookup(&self, key: &[u8]) -> Lookup {
        let Some(address) = cidr_table::parse_address(key) else {
            return Lookup::NotFound;
        };
        let mut at = 0;
        while let Some(rule) = self.rules.get(at) {
            at += 1;
            match &rule.kind {
                RuleKind::EndIf => {}
                RuleKind::If { network, end } => {
                    if !network.matches(address) {
                        match end {
                            Some(end) => at = end + 1,
                            None => return Lookup::NotFound,
                        }
                    }
                }
                RuleKind::Match(network) if network.matches(address) => {
                    return Lookup::Found(self.hit(rule));
                }
                RuleKind::Match(_) => {}
            }
        }
        Lookup::NotFound
    }

    fn hit(&self, rule: &Rule) -> Hit {
        let line = self.source.line(rule.at);
        let (value, key_span) = match cidr_table::parse(line.text.as_bytes(), self.syntax) {
            CidrLine::Match { pattern, result } => {
                (line.text.slice(result), line.text.span_of(pattern.range))
            }
            _ => (Text::new(), None),
        };
        Hit {
            value,
            span: line.span(),
            key_span,
        }
    }
}
