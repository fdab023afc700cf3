//! JSON, for programs.

use std::io::{self, Write};

use super::view::DiffV1;

pub(super) fn write(diff: &DiffV1, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, diff)?;
    out.write_all(b"\n")
}
