//! SX: what Postfix cannot read, or reads otherwise than it looks.

rules![
    missing_equals,
    duplicate_parameter,
    swallowed_setting,
    duplicate_service,
];

mod nearest;
