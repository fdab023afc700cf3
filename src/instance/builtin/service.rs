//! Parameters whose name begins with that of a master.cf service: `lists_destination_rate_delay`.
//!
//! postconf(1) knows them for each entry that runs one of the programs below
//! (`src/postconf/postconf_service.c`); qmgr(8), pipe(8) and spawn(8) read them.

use super::{Kind, Version, VersionSet};

/// A parameter that exists once per service.
#[derive(Clone, Copy, Debug)]
pub struct ServiceParameter {
    /// What follows the service name, as `_destination_rate_delay`.
    pub suffix: &'static str,
    /// The default, a reference to the parameter for all services.
    pub default: &'static str,
    /// How the value is read.
    pub kind: Kind,
    /// The smallest value; seconds for a time.
    pub min: Option<i64>,
    /// The largest value.
    pub max: Option<i64>,
    /// The versions that know it.
    pub exists: VersionSet,
}

impl ServiceParameter {
    const fn new(suffix: &'static str, default: &'static str, kind: Kind, min: i64) -> Self {
        let min = if min == 0 { None } else { Some(min) };
        Self {
            suffix,
            default,
            kind,
            min,
            max: None,
            exists: VersionSet::new(".."),
        }
    }
}

/// The suffixes, `_time_limit` first: it is for pipe(8) and spawn(8) only, the others for transports.
static SERVICE_PARAMETERS: [ServiceParameter; 17] = [
    ServiceParameter::new("_time_limit", "$command_time_limit", Kind::Time, 1),
    ServiceParameter::new("_recipient_limit", "$default_recipient_limit", Kind::Int, 0),
    ServiceParameter::new(
        "_extra_recipient_limit",
        "$default_extra_recipient_limit",
        Kind::Int,
        0,
    ),
    ServiceParameter::new(
        "_recipient_refill_limit",
        "$default_recipient_refill_limit",
        Kind::Int,
        1,
    ),
    ServiceParameter::new(
        "_recipient_refill_delay",
        "$default_recipient_refill_delay",
        Kind::Time,
        1,
    ),
    ServiceParameter::new(
        "_delivery_slot_cost",
        "$default_delivery_slot_cost",
        Kind::Int,
        0,
    ),
    ServiceParameter::new(
        "_delivery_slot_loan",
        "$default_delivery_slot_loan",
        Kind::Int,
        0,
    ),
    ServiceParameter {
        max: Some(100),
        ..ServiceParameter::new(
            "_delivery_slot_discount",
            "$default_delivery_slot_discount",
            Kind::Int,
            0,
        )
    },
    ServiceParameter::new(
        "_minimum_delivery_slots",
        "$default_minimum_delivery_slots",
        Kind::Int,
        0,
    ),
    ServiceParameter::new(
        "_initial_destination_concurrency",
        "$initial_destination_concurrency",
        Kind::Int,
        1,
    ),
    ServiceParameter::new(
        "_destination_concurrency_limit",
        "$default_destination_concurrency_limit",
        Kind::Int,
        0,
    ),
    ServiceParameter::new(
        "_destination_recipient_limit",
        "$default_destination_recipient_limit",
        Kind::Int,
        0,
    ),
    ServiceParameter::new(
        "_destination_concurrency_positive_feedback",
        "$default_destination_concurrency_positive_feedback",
        Kind::Str,
        0,
    ),
    ServiceParameter::new(
        "_destination_concurrency_negative_feedback",
        "$default_destination_concurrency_negative_feedback",
        Kind::Str,
        0,
    ),
    ServiceParameter::new(
        "_destination_concurrency_failed_cohort_limit",
        "$default_destination_concurrency_failed_cohort_limit",
        Kind::Int,
        0,
    ),
    ServiceParameter::new(
        "_destination_rate_delay",
        "$default_destination_rate_delay",
        Kind::Time,
        0,
    ),
    ServiceParameter {
        exists: VersionSet::new("3.1.."),
        ..ServiceParameter::new(
            "_transport_rate_delay",
            "$default_transport_rate_delay",
            Kind::Time,
            0,
        )
    },
];

/// The parameters that a master.cf entry with this command word (field 8, exactly as written) brings
/// into being in `version`. The full name is the entry's first field plus the suffix; a built-in of
/// that name (`local_destination_recipient_limit`) keeps its own default.
pub fn service_parameters(
    command: &str,
    version: Version,
) -> impl Iterator<Item = &'static ServiceParameter> {
    let (time_limit, transport) = SERVICE_PARAMETERS.split_at(1);
    let (time_limit, transport) = match command {
        "pipe" => (time_limit, transport),
        "spawn" => (time_limit, &[][..]),
        "local" | "error" | "virtual" | "smtp" | "lmtp" => (&[][..], transport),
        _ => (&[][..], &[][..]),
    };
    time_limit
        .iter()
        .chain(transport)
        .filter(move |parameter| parameter.exists.contains(version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::builtin::parameter;

    #[test]
    fn each_command_has_its_own_set() {
        let count = |command, version| {
            service_parameters(command, Version::parse(version).unwrap()).count()
        };
        assert_eq!(count("smtp", "3.7.11"), 16);
        assert_eq!(count("smtp", "3.0.15"), 15);
        assert_eq!(count("pipe", "3.7.11"), 17);
        assert_eq!(count("spawn", "3.7.11"), 1);
        assert_eq!(count("discard", "3.7.11"), 0);
        assert_eq!(count("/usr/lib/postfix/sbin/smtp", "3.7.11"), 0);
    }

    #[test]
    fn every_default_refers_to_a_built_in_of_the_same_versions() {
        for service_parameter in &SERVICE_PARAMETERS {
            let name = service_parameter.default.strip_prefix('$').unwrap();
            assert_eq!(
                parameter(name).unwrap().exists(),
                service_parameter.exists,
                "{name}"
            );
        }
    }
}
