//! Tables made of tables: unionmap, pipemap and randmap (`src/util/dict_union.c`, `dict_pipe.c`,
//! `dict_random.c`).

use std::sync::Arc;

use super::Table;
use super::flags::Flags;
use super::lookup::{Doubts, Hit, Lookup};
use crate::source::Text;

/// Combinations of the values of randmaps beyond this many are not listed.
const MAX_CHOICES: usize = 100;

/// randmap: any of the values.
pub(super) fn random(values: &[Text]) -> Lookup {
    let mut hits: Vec<Hit> = values
        .iter()
        .map(|value| Hit {
            value: value.clone(),
            span: value.span(),
            key_span: None,
        })
        .collect();
    match hits.pop() {
        Some(hit) if hits.iter().all(|other| other.value == hit.value) => Lookup::Found(hit),
        Some(hit) => {
            hits.push(hit);
            Lookup::OneOf(hits)
        }
        None => Lookup::NotFound,
    }
}

/// unionmap: all tables are asked, and the results joined with commas. Any error is the result.
pub(super) fn union(members: &[Arc<Table>], key: &[u8], flags: Flags) -> Lookup {
    let mut doubts = Doubts::default();
    let mut collected: Vec<Hit> = Vec::new();
    for member in members {
        let answer = doubts.note(member.lookup(key, flags));
        let hits = match &answer {
            Lookup::Error(_) => return answer,
            Lookup::NotFound | Lookup::Unknown(_) => continue,
            Lookup::Found(_) | Lookup::OneOf(_) => answer.hits(),
        };
        collected = if collected.is_empty() {
            hits.to_vec()
        } else {
            collected
                .iter()
                .flat_map(|first| hits.iter().map(move |second| join(first, second)))
                .take(MAX_CHOICES)
                .collect()
        };
    }
    // dict_union.c takes an empty result for none.
    collected.retain(|hit| !hit.value.is_empty());
    doubts.apply(one_of(collected))
}

/// Two results. In front of an empty first one there is no comma: `dict_union.c` looks at the length.
fn join(first: &Hit, second: &Hit) -> Hit {
    if first.value.is_empty() {
        return second.clone();
    }
    let mut value = first.value.clone();
    value.push(&Text::placeless(","));
    value.push(&second.value);
    Hit {
        value,
        ..first.clone()
    }
}

fn one_of(mut hits: Vec<Hit>) -> Lookup {
    match hits.len() {
        0 => Lookup::NotFound,
        1 => Lookup::Found(hits.remove(0)),
        _ => Lookup::OneOf(hits),
    }
}

/// pipemap: the result of one table is the key of the next.
///
/// Where a randmap leaves several keys, those that lead to nothing are left out, unless all do.
pub(super) fn pipe(members: &[Arc<Table>], key: &[u8], flags: Flags) -> Lookup {
    let mut doubts = Doubts::default();
    let mut possible = vec![Hit {
        value: Text::placeless_bytes(key),
        span: None,
        key_span: None,
    }];
    for member in members {
        let mut next: Vec<Hit> = Vec::new();
        for hit in &possible {
            let answer = doubts.note(member.lookup(hit.value.as_bytes(), flags));
            if let Lookup::Error(_) = answer {
                return doubts.apply(answer);
            }
            for hit in answer.hits() {
                if next.len() < MAX_CHOICES && !next.contains(hit) {
                    next.push(hit.clone());
                }
            }
        }
        possible = next;
    }
    doubts.apply(one_of(possible))
}
