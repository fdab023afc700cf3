//! RL: who may send through us.

rules![
    open_relay_networks,
    private_networks_trusted,
    network_host_bits,
    missing_relay_guard,
    permit_before_relay_guard,
    override_weakens_relay,
    reinjection_exposed,
    unreachable_restriction,
    open_relay_domains,
    argument_swallows_restriction,
];

mod way_through;

use crate::instance::restriction::{Effect, RELAY_LISTS, Restriction};
use crate::instance::service::Service;

/// Whether clients in `mynetworks` may relay through a service: in each list, `permit_mynetworks` (or the
/// end) comes before anything that refuses mail for other people's domains.
fn relays_for_networks(smtpd: &Service<'_>) -> bool {
    let lists = RELAY_LISTS.map(|name| smtpd.restriction_list(name));
    let is_named = |restriction: &&Restriction| restriction.name() == "permit_mynetworks";
    lists.iter().any(|list| list.flat().iter().any(&is_named))
        && lists.iter().all(|list| {
            let flat = list.flat();
            let permit = flat.iter().position(is_named).unwrap_or(flat.len());
            flat[..permit].iter().all(|restriction| {
                !matches!(restriction.effect(false), Effect::Refuses)
                    || matches!(
                        restriction.meaning,
                        crate::instance::restriction::Meaning::Class(_)
                    )
            })
        })
}
