//! What DNS blocklists say, as text for people or one JSON object for programs.

use std::io::{self, Write};
use std::net::IpAddr;

use colored::Colorize;
use serde::Serialize;

use super::visible::visible;
use crate::live::dnsbl::{Listing, Report, Says, Use, Zone};

/// A whole run. Fields may be added; none is changed or removed.
#[derive(Serialize)]
struct ListedV1<'r> {
    version: u32,
    addresses: Vec<AddressV1<'r>>,
}

#[derive(Serialize)]
struct AddressV1<'r> {
    address: IpAddr,
    /// Without those that do not list the family of the address.
    zones: Vec<ZoneV1<'r>>,
}

#[derive(Serialize)]
struct ZoneV1<'r> {
    zone: &'r str,
    /// listed, clean or unknown.
    result: &'static str,
    codes: Vec<String>,
    /// The list's own words, or why it is unknown.
    reason: &'r str,
    meaning: &'r [&'static str],
    delisting: Option<&'static str>,
    null_sender_only: bool,
}

/// Writes what zones say.
#[derive(Debug)]
pub struct ListedWriter<'w> {
    zones: &'w [Zone],
}

impl<'w> ListedWriter<'w> {
    /// For reports about these zones.
    pub fn new(zones: &'w [Zone]) -> Self {
        Self { zones }
    }

    /// One JSON object on a line.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn json(&self, reports: &[Report], out: &mut dyn Write) -> io::Result<()> {
        let addresses = reports
            .iter()
            .map(|report| AddressV1 {
                address: report.address,
                zones: self
                    .said(report)
                    .map(|(zone, listing)| ZoneV1::of(zone, listing))
                    .collect(),
            })
            .collect();
        let whole = ListedV1 {
            version: 1,
            addresses,
        };
        serde_json::to_writer(&mut *out, &whole)?;
        out.write_all(b"\n")
    }

    /// One line for each zone, more for a listing, and the numbers for each address.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn text(&self, reports: &[Report], out: &mut dyn Write) -> io::Result<()> {
        for (index, report) in reports.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            writeln!(out, "{}", report.address.to_string().bold())?;
            for (zone, listing) in self.said(report) {
                one(zone, listing, out)?;
            }
            let count = |says: Says| {
                self.said(report)
                    .filter(|(_, listing)| listing.says == says)
                    .count()
            };
            let total = self.said(report).count();
            let (listed, unknown) = (count(Says::Listed), count(Says::Unknown));
            let shown = match (listed, unknown) {
                (0, 0) if total > 0 => format!("on none of {total} lists").green(),
                (0, _) => format!("on none of the {} lists that answer", total - unknown).yellow(),
                _ => format!("on {listed} of {total} lists").red(),
            };
            write!(out, "{}: {shown}", report.address)?;
            match unknown {
                0 => writeln!(out)?,
                _ => writeln!(out, "; {unknown} of {total} do not answer")?,
            }
        }
        Ok(())
    }

    fn said<'r>(
        &'r self,
        report: &'r Report,
    ) -> impl Iterator<Item = (&'r Zone, &'r Listing)> + use<'r> {
        let pairs = self.zones.iter().zip(&report.listings);
        pairs.filter_map(|(zone, listing)| Some((zone, listing.as_ref()?)))
    }
}

impl<'r> ZoneV1<'r> {
    fn of(zone: &'r Zone, listing: &'r Listing) -> Self {
        Self {
            zone: &zone.name,
            result: listing.says.name(),
            codes: listing.codes.iter().map(ToString::to_string).collect(),
            reason: &listing.reason,
            meaning: &listing.meaning,
            delisting: zone.delisting,
            null_sender_only: zone.use_for == Use::Bounces,
        }
    }
}

fn one(zone: &Zone, listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
    let name = format!("{:<8}", listing.says.name());
    let result = match listing.says {
        Says::Listed => name.red(),
        Says::Clean => name.green(),
        Says::Unknown => name.yellow(),
    };
    write!(out, "  {result} {}", zone.name)?;
    if listing.says == Says::Unknown {
        return writeln!(out, ": {}", visible(&listing.reason));
    }
    for code in &listing.codes {
        write!(out, " {code}")?;
    }
    if !listing.meaning.is_empty() {
        write!(out, " ({})", listing.meaning.join("; "))?;
    }
    writeln!(out)?;
    if listing.says == Says::Clean {
        return Ok(());
    }
    if !listing.reason.is_empty() {
        writeln!(out, "           it says: {}", visible(&listing.reason))?;
    }
    if zone.use_for == Use::Bounces {
        writeln!(
            out,
            "           meant for mail with the null sender only, such as bounces"
        )?;
    }
    if let Some(page) = zone.delisting {
        writeln!(out, "           removal: {page}")?;
    }
    Ok(())
}
