//! A case that differs, without the settings that do not matter.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::ask;
use crate::compare::Difference;
use crate::examine;
use crate::generate::Case;

/// So many cases are reduced; the others are of sorts that were seen.
const MOST: usize = 40;

/// Writes a reduced case for each sort of difference into a directory of its own: the configuration,
/// `addresses.txt`, and `difference.txt` with what both say.
pub(crate) fn keep(directory: &Path, differences: &BTreeMap<String, (Case, Vec<Difference>)>) {
    let mut seen = BTreeSet::new();
    for (name, (case, found)) in differences {
        for (index, difference) in found.iter().enumerate() {
            let signature = difference.signature();
            if !seen.insert(signature.clone()) || seen.len() > MOST {
                continue;
            }
            let (case, difference) = reduced(case.clone(), difference.clone());
            let own = directory.join(format!("{name}-{index}"));
            fs::create_dir_all(&own).unwrap_or_else(|error| panic!("{}: {error}", own.display()));
            ask::write(&case, &own);
            let sender = format!("from <{}>\n", case.sender);
            let texts = [
                ("addresses.txt", format!("{}\n", difference.address)),
                ("difference.txt", format!("{name}, {sender}{difference}\n")),
            ];
            for (name, text) in texts {
                fs::write(own.join(name), text)
                    .unwrap_or_else(|error| panic!("{}: {error}", own.display()));
            }
        }
    }
}

/// Leaves out one setting after the other as long as the same kind of difference stays.
fn reduced(mut case: Case, mut difference: Difference) -> (Case, Difference) {
    case.addresses = vec![difference.address.clone()];
    let mut index = 0;
    while index < case.settings.len() + case.overrides.len() {
        let mut smaller = case.clone();
        if index < smaller.settings.len() {
            smaller.settings.remove(index);
        } else {
            smaller.overrides.remove(index - smaller.settings.len());
        }
        let (_, found) = examine(&smaller);
        let same = (found.into_iter()).find(|other| {
            other.kind == difference.kind && other.signature() == difference.signature()
        });
        match same {
            Some(same) => {
                case = smaller;
                difference = same;
            }
            None => index += 1,
        }
    }
    let texts = [case.main_cf(), case.master_cf()].concat();
    let files = case.files.clone();
    case.files.retain(|name, _| {
        let is_named = |text: &String| text.contains(name.as_str());
        name == "passwd" || is_named(&texts) || files.values().any(is_named)
    });
    (case, difference)
}
