//! SX: what Postfix cannot read, or reads otherwise than it looks.

rules![
    missing_equals,
    duplicate_parameter,
    swallowed_setting,
    unknown_restriction,
    malformed_service,
    duplicate_service,
];

mod hostname;
mod nearest;
mod revival;
