//! What cleanup(8) makes of a recipient: `canonical_maps` and `virtual_alias_maps`
//! (`src/cleanup/cleanup_addr.c`, `cleanup_map11.c`, `cleanup_map1n.c`).

use super::address::Address;
use super::plain_search::{self as search, Found};
use super::world::World;
use crate::instance::parameter::Scope;

/// `cleanup_map11.c`: so often is a canonical address looked up again.
const MOST_CANONICAL_LOOKUPS: usize = 10;

/// The addresses that a recipient stands for; `None` when the message is put off: a table fails, or an alias
/// goes round in a circle. `scope` is the view of cleanup(8).
pub(super) fn recipients(
    scope: Scope<'_>,
    recipient: &Address,
    world: &mut World,
) -> Option<Vec<Address>> {
    let mut address = recipient.clone();
    for (maps, classes) in [
        ("recipient_canonical_maps", "recipient_canonical_classes"),
        ("canonical_maps", "canonical_classes"),
    ] {
        let classes = scope.any_parameter(classes).words();
        if classes.iter().any(|class| *class == "envelope_recipient") {
            address = canonical(scope, maps, address, world)?;
        }
    }
    aliases(scope, address, world)
}

fn canonical(
    scope: Scope<'_>,
    parameter: &'static str,
    mut address: Address,
    world: &mut World,
) -> Option<Address> {
    let maps = scope.maps(parameter, "cleanup");
    for _ in 0..MOST_CANONICAL_LOOKUPS {
        match search::find(scope, &maps, &address, world) {
            Found::Nothing => break,
            Found::Fails => return None,
            Found::Hit(hit, rest) => {
                let rest = propagated(scope, "canonical", &rest);
                let results = Address::results(scope, hit.value.as_str(), &address, rest);
                let next = results.into_iter().next()?;
                if same(&next, &address) {
                    break;
                }
                address = next;
            }
        }
    }
    Some(address)
}

fn aliases(scope: Scope<'_>, address: Address, world: &mut World) -> Option<Vec<Address>> {
    let maps = scope.maps("virtual_alias_maps", "cleanup");
    let limit = |name, default| {
        let number = scope.any_parameter(name).number();
        number
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(default)
    };
    let most_addresses = limit("virtual_alias_expansion_limit", 1000);
    let most_rounds = limit("virtual_alias_recursion_limit", 1000);
    let mut list = vec![address];
    let mut stand_for_themselves: Vec<Address> = Vec::new();
    let mut at = 0;
    while at < list.len() {
        let mut rounds = 0;
        while !stand_for_themselves.iter().any(|one| same(one, &list[at])) {
            if list.len() > most_addresses {
                return None;
            }
            let asked = list[at].clone();
            let (hit, rest) = match search::find(scope, &maps, &asked, world) {
                Found::Nothing => break,
                Found::Fails => return None,
                Found::Hit(..) if rounds + 1 >= most_rounds => return None,
                Found::Hit(hit, rest) => (hit, rest),
            };
            let rest = propagated(scope, "virtual", &rest);
            let results = Address::results(scope, hit.value.as_str(), &asked, rest);
            if results.iter().any(|result| same(result, &asked)) {
                stand_for_themselves.push(asked);
            }
            let mut results = results.into_iter();
            list[at] = results.next()?;
            list.extend(results);
            rounds += 1;
        }
        at += 1;
    }
    if list.len() > most_addresses {
        return None;
    }
    list.sort();
    list.dedup();
    Some(list)
}

fn propagated<'r>(scope: Scope<'_>, word: &str, rest: &'r str) -> &'r str {
    let words = scope
        .any_parameter("propagate_unmatched_extensions")
        .words();
    if words.iter().any(|other| *other == word) {
        rest
    } else {
        ""
    }
}

fn same(one: &Address, other: &Address) -> bool {
    one.domain == other.domain && one.local.eq_ignore_ascii_case(&other.local)
}
