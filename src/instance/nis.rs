//! Whether a host uses NIS, which the default of `alias_maps` asks on many systems (`src/util/dict_nis.c`).

use super::Instance;

/// Whether there is NIS.
#[derive(Debug)]
struct HasNis(bool);

impl Instance {
    /// Whether NIS maps may have anything: Postfix finds nothing in them on a host without NIS domain. Of a copy
    /// it is only known whether somebody has named such a map; a default proves nothing.
    pub fn has_nis(&self) -> bool {
        let made = self.remember(|instance| {
            if instance.files().is_host() {
                let domain = std::fs::read_to_string("/proc/sys/kernel/domainname");
                return HasNis(domain.is_ok_and(|name| !["", "(none)"].contains(&name.trim())));
            }
            let files = [
                instance.main_cf().map(|file| &file.source),
                instance.master_cf().map(|file| &file.source),
            ];
            HasNis((files.into_iter().flatten()).any(|source| source.text().contains("nis:")))
        });
        made.0
    }
}
