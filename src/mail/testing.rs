//! Small configurations for tests.

use std::io::Write;

use crate::instance::builtin::Version;
use crate::instance::{Instance, LoadOptions, Target};

/// The version that examples are for.
pub(super) const VERSION: &str = "3.7.11";

/// An instance of a main.cf and the services of a stock master.cf, with these users, or with users that are
/// not known.
pub(super) fn instance(main_cf: String, version: &str, users: Option<&[&str]>) -> Instance {
    let passwd = users.map(|users| {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        for user in users {
            writeln!(file, "{user}").expect("a temporary file can be written");
        }
        file
    });
    let options = LoadOptions {
        version: Version::parse(version),
        passwd: passwd.as_ref().map(|file| file.path().to_path_buf()),
        ..LoadOptions::default()
    };
    Instance::load(&Target::MainCfText(main_cf.into_bytes()), &options)
        .expect("a main.cf is all there is to load")
}
