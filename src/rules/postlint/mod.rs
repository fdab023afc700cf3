//! PL: postlint's own comments.

rules![unused_suppression, malformed_suppression];

pub(crate) use unused_suppression::{RULE as UNUSED_SUPPRESSION, report_unused};
