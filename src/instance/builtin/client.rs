//! The names that the configuration of a database client may define.
//!
//! postconf(1) reports every other name in such a file as unused (`src/postconf/postconf_dbms.c`).

use std::sync::LazyLock;

use super::{Version, VersionSet};

/// (type, name, versions), sorted.
static CLIENT_PARAMETERS: LazyLock<Vec<(&str, &str, VersionSet)>> = LazyLock::new(|| {
    const TEXT: &str = include_str!("../client_parameters.tsv");
    TEXT.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut columns = line.split('\t');
            let database_type = columns.next()?;
            Some((
                database_type,
                columns.next()?,
                VersionSet::new(columns.next()?),
            ))
        })
        .collect()
});

/// The names that a client of `database_type` (`ldap`, `mysql`, …) knows in `version`, sorted; none
/// when the type has no client files or does not exist yet. In a file they stand as they are, in
/// main.cf behind `PREFIX_`.
///
/// Postfix before 3.3 looks at `PREFIX_name` in main.cf only, and its lists lack some names that the
/// clients do read.
pub fn client_parameters(
    database_type: &str,
    version: Version,
) -> impl Iterator<Item = &'static str> {
    let table: &'static [(&str, &str, VersionSet)] = &CLIENT_PARAMETERS;
    let start = table.partition_point(|row| row.0 < database_type);
    let end = table.partition_point(|row| row.0 <= database_type);
    table
        .get(start..end)
        .unwrap_or_default()
        .iter()
        .filter(move |row| row.2.contains(version))
        .map(|row| row.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(database_type: &str, version: &str) -> Vec<&'static str> {
        client_parameters(database_type, Version::parse(version).unwrap()).collect()
    }

    #[test]
    fn the_table_is_sorted_unique_and_well_formed() {
        let rows = include_str!("../client_parameters.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'));
        assert_eq!(rows.count(), CLIENT_PARAMETERS.len());
        assert!(CLIENT_PARAMETERS.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)));
        assert!(
            CLIENT_PARAMETERS
                .iter()
                .all(|row| row.2.is_well_formed() && !row.2.is_empty())
        );
    }

    #[test]
    fn names_by_type_and_version() {
        assert_eq!(names("ldap", "3.7.11").len(), 38);
        assert!(!names("mysql", "3.7.11").contains(&"charset"));
        assert!(names("mysql", "3.9.0").contains(&"charset"));
        assert!(names("pgsql", "3.8.0").contains(&"encoding"));
        assert!(names("mongodb", "3.8.0").is_empty());
        assert!(names("mongodb", "3.9.0").contains(&"uri"));
        assert!(names("hash", "3.9.0").is_empty());
    }
}
