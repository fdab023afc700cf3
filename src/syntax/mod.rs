//! Text to logical lines that tile the file, and the grammar inside each of them.
//!
//! Every parser takes any bytes, gives spans, and never fails: what Postfix would not accept is kept as a
//! line kind or as a list of problems next to what could be read.

pub mod alias_table;
pub mod braces;
pub mod cidr_table;
pub mod expression;
pub mod line_text;
pub mod logical_line;
pub mod main_cf;
pub mod master_cf;
pub mod name_value;
pub mod pattern_table;
pub mod replacement;
pub mod suppression;
pub mod table;
pub mod token;

pub use logical_line::{LogicalLine, LogicalLines, Tile, TileKind, tiles};
pub use main_cf::{MainCf, MainLine};
pub use master_cf::{MasterCf, ServiceLine};
