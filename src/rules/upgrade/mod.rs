//! UP: versions and upgrades.

rules![deprecated_parameter, parameter_too_new, dead_dnsbl];

pub use dead_dnsbl::closed as closed_dnsbl;

use crate::instance::Instance;
use crate::instance::parameter::{Origin, Parameter};

/// The parameters that are set, each in the view of main.cf or of the service that overrides it.
fn set_parameters(instance: &Instance) -> Vec<Parameter<'_>> {
    let mut set = Vec::new();
    for setting in instance
        .main_cf()
        .into_iter()
        .flat_map(|main_cf| main_cf.settings())
    {
        let parameter = instance.scope().named(setting.name.to_string());
        if matches!(parameter.origin(), Origin::MainCf(last) if last.span == setting.span) {
            set.push(parameter);
        }
    }
    for service in instance.services() {
        for setting in &service.line.overrides {
            let parameter = service.scope().named(setting.name.to_string());
            if matches!(parameter.origin(), Origin::Override(last) if last.span == setting.span) {
                set.push(parameter);
            }
        }
    }
    set
}
