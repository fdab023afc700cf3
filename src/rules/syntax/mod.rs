//! SX: what Postfix cannot read, or reads otherwise than it looks.

rules![
    inline_comment,
    missing_equals,
    duplicate_parameter,
    unknown_parameter,
    undefined_reference,
    swallowed_setting,
    quoted_value,
    invalid_value,
    unknown_restriction,
    malformed_service,
    duplicate_service,
];

mod comment;
pub(super) mod nearest;
mod quotes;
mod readings;
mod revival;
