//! The private directories of an instance, made from a configuration directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::command;
use crate::common::copy_tree;
use crate::common::smtp::{CLIENT_ADDRESS, CLIENT_NAME};

/// Services enough to take mail and to deliver it.
pub(super) const MASTER_CF: &str = "\
smtp      inet  n - n -     - smtpd
pickup    unix  n - n 60    1 pickup
cleanup   unix  n - n -     0 cleanup
qmgr      unix  n - n 300   1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -     - trivial-rewrite
bounce    unix  - - n -     0 bounce
defer     unix  - - n -     0 bounce
trace     unix  - - n -     0 bounce
verify    unix  - - n -     1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -     - proxymap
proxywrite unix - - n -     1 proxymap
smtp      unix  - - n -     - smtp
relay     unix  - - n -     - smtp
showq     unix  n - n -     - showq
error     unix  - - n -     - error
retry     unix  - - n -     - error
discard   unix  - - n -     - discard
local     unix  - n n -     - local
virtual   unix  - n n -     - virtual
lmtp      unix  - - n -     - lmtp
anvil     unix  - - n -     1 anvil
scache    unix  - - n -     1 scache
";

/// Without it nothing is written to `maillog_file`; configurations from before Postfix 3.4 lack it.
const POSTLOG: &str = "postlog   unix-dgram n - n - 1 postlogd\n";

/// The settings that belong to this run and not to the configuration.
pub(super) fn infrastructure(sink: u16) -> Result<Vec<String>, String> {
    let mut settings = vec![
        "queue_directory=/var/spool/postfix".to_owned(),
        "data_directory=/var/lib/postfix".to_owned(),
        "maillog_file=/var/log/mail.log".to_owned(),
        "inet_interfaces=127.0.0.1".to_owned(),
        "inet_protocols=ipv4".to_owned(),
        "disable_dns_lookups=yes".to_owned(),
        "smtpd_peername_lookup=no".to_owned(),
        "smtpd_authorized_xclient_hosts=127.0.0.1".to_owned(),
        format!("relayhost=[127.0.0.1]:{sink}"),
        format!("next_hop=[127.0.0.1]:{sink}"),
    ];
    // Where this host has its Postfix, whichever host the configuration is from.
    for name in [
        "command_directory",
        "daemon_directory",
        "meta_directory",
        "shlib_directory",
    ] {
        let output = command("postconf")
            .args(["-d", name])
            .output()
            .map_err(|error| format!("cannot run postconf: {error}"))?;
        settings.push(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Ok(settings)
}

/// Makes the private directories below `root`. Gives the port of each inet service.
pub(super) fn lay_out(directory: &Path, root: &Path) -> io::Result<BTreeMap<String, u16>> {
    // Postfix's own user has to come in.
    fs::set_permissions(root, Permissions::from_mode(0o755))?;
    let (postfix, _) = owner_of("/etc/passwd", "postfix")?;
    let postdrop = owner_of("/etc/group", "postdrop")?.0;
    let make = |path: &str, mode: u32, owner: u32, group: u32| {
        let path = root.join(path);
        fs::create_dir(&path)?;
        chown(&path, Some(owner), Some(group))?;
        fs::set_permissions(&path, Permissions::from_mode(mode))
    };
    for path in ["etc", "log", "home", "spool", "spool/pid"] {
        make(path, 0o755, 0, 0)?;
    }
    make("lib", 0o700, postfix, 0)?;
    make("mail", 0o1777, 0, 0)?;
    for queue in
        "active bounce corrupt defer deferred flush hold incoming private saved trace".split(' ')
    {
        make(&format!("spool/{queue}"), 0o700, postfix, 0)?;
    }
    make("spool/public", 0o2710, postfix, postdrop)?;
    make("spool/maildrop", 0o1730, postfix, postdrop)?;

    let etc = root.join("etc");
    for name in ["group", "services", "protocols", "localtime", "ld.so.cache"] {
        if let Ok(bytes) = fs::read(Path::new("/etc").join(name)) {
            fs::write(etc.join(name), bytes)?;
        }
    }
    fs::write(
        etc.join("nsswitch.conf"),
        "passwd: files\ngroup: files\nhosts: files\n",
    )?;
    // The client has a name, for a server that looks for it.
    let hosts = format!("127.0.0.1 localhost\n{CLIENT_ADDRESS} {CLIENT_NAME}\n");
    fs::write(etc.join("hosts"), hosts)?;
    write_passwd(directory, root)?;

    let config = etc.join("postfix");
    copy_tree(directory, &config);
    // Debian and others keep there what says which library reads which type of table.
    for name in ["dynamicmaps.cf", "postfix-files"] {
        let host = Path::new("/etc/postfix").join(name);
        if host.exists() && !config.join(name).exists() {
            fs::copy(&host, config.join(name))?;
        }
        let more = host.with_extension(if name.contains('.') { "cf.d" } else { "d" });
        if more.is_dir() {
            copy_tree(&more, &config.join(more.file_name().unwrap_or_default()));
        }
    }
    let aliases = fs::read(config.join("aliases"));
    fs::write(
        etc.join("aliases"),
        aliases.unwrap_or_else(|_| b"postmaster: root\n".to_vec()),
    )?;
    let mut master_cf =
        fs::read_to_string(config.join("master.cf")).unwrap_or_else(|_| MASTER_CF.to_owned());
    // A part of a master.cf: what it lacks is as in the stock one.
    if !master_cf.contains("qmgr") {
        master_cf.push('\n');
        for line in MASTER_CF.lines().filter(|line| !line.contains(" inet ")) {
            master_cf.push_str(line);
            master_cf.push('\n');
        }
    }
    let (master_cf, ports) = on_free_ports(&master_cf)?;
    let main_cf = String::from_utf8_lossy(&fs::read(config.join("main.cf"))?).into_owned();
    fs::write(root.join("tables"), tables(&[&main_cf, &master_cf], &etc))?;
    fs::write(config.join("master.cf"), master_cf)?;
    // postconf(1) is about to write it; it refuses to follow what it thinks is still being edited.
    File::options()
        .write(true)
        .open(config.join("main.cf"))?
        .set_modified(SystemTime::now() - Duration::from_secs(3600))?;
    Ok(ports)
}

/// The user and group numbers of a name in a file like passwd(5) or group(5).
fn owner_of(file: &str, name: &str) -> io::Result<(u32, u32)> {
    let text = fs::read_to_string(file)?;
    let line = text
        .lines()
        .find(|line| line.split(':').next() == Some(name));
    let numbers = |line: &str| {
        let mut fields = line.split(':').skip(2);
        let number = fields.next()?.parse().ok()?;
        Some((
            number,
            fields
                .next()
                .and_then(|field| field.parse().ok())
                .unwrap_or(0),
        ))
    };
    line.and_then(numbers)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no {name} in {file}")))
}

/// The users of the configuration's `passwd`, or else of this host. Whom this host knows, too, keeps the
/// numbers that he has here, which own the files of this host.
fn write_passwd(directory: &Path, root: &Path) -> io::Result<()> {
    let host = fs::read_to_string("/etc/passwd")?;
    let own = |name: &str| {
        host.lines()
            .find(|line| line.split(':').next() == Some(name))
    };
    let wanted = fs::read_to_string(directory.join("passwd")).unwrap_or_else(|_| host.clone());
    let mut lines = String::new();
    let mut names = BTreeSet::new();
    for line in wanted.lines() {
        let name = line.split(':').next().unwrap_or_default();
        let line = own(name).unwrap_or(line);
        names.insert(name);
        lines.push_str(line);
        lines.push('\n');
        if let Some(home) = line
            .split(':')
            .nth(5)
            .and_then(|home| home.strip_prefix("/home/"))
        {
            let path = root.join("home").join(home);
            fs::create_dir_all(&path)?;
            let number = |field: usize| line.split(':').nth(field).and_then(|n| n.parse().ok());
            chown(&path, number(2), number(3))?;
            if let Ok(bytes) = fs::read(directory.join(format!("forward-{name}"))) {
                let forward = path.join(".forward");
                fs::write(&forward, bytes)?;
                chown(&forward, number(2), number(3))?;
            }
        }
    }
    // Without these no Postfix runs.
    for name in ["root", "postfix", "nobody"]
        .into_iter()
        .filter(|name| !names.contains(name))
    {
        lines.extend(own(name).into_iter().flat_map(|line| [line, "\n"]));
    }
    fs::write(root.join("etc/passwd"), lines)
}

/// master.cf with each inet service on a loopback port that is free now, nothing in a chroot jail, whose
/// contents the host would have to provide, and with what logging to a file needs.
fn on_free_ports(master_cf: &str) -> io::Result<(String, BTreeMap<String, u16>)> {
    let mut text = String::new();
    let mut ports = BTreeMap::new();
    let mut held = Vec::new(); // All together, so that no port is given twice.
    for line in master_cf.lines() {
        let mut fields: Vec<&str> = line.split_whitespace().collect();
        if line.starts_with([' ', '\t', '#']) || fields.len() < 8 {
            text.push_str(line);
            text.push('\n');
            continue;
        }
        let address;
        if fields[1] == "inet" {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            held.push(listener);
            ports.insert(fields[0].to_owned(), port);
            address = format!("127.0.0.1:{port}");
            fields[0] = &address;
        }
        fields[4] = "n";
        text.push_str(&fields.join(" "));
        text.push('\n');
    }
    if !text.lines().any(|line| line.starts_with("postlog ")) {
        text.push_str(POSTLOG);
    }
    Ok((text, ports))
}

/// The commands that compile the tables which these files name and which have a source below `etc`, one
/// a line.
fn tables(files: &[&str], etc: &Path) -> String {
    // What alias_maps is by default.
    let mut commands = BTreeSet::from([("postalias", "/etc/aliases".to_owned())]);
    let lines = files
        .iter()
        .flat_map(|file| file.lines())
        .filter(|line| !line.starts_with('#'));
    for line in lines {
        let line = line.replace("${config_directory}", "$config_directory");
        let line = line.replace("$config_directory", "/etc/postfix");
        for word in line.split([' ', '\t', ',', '=', '{', '}']) {
            let reference = word.strip_prefix("proxy:").unwrap_or(word);
            let Some((kind, name)) = reference.split_once(':') else {
                continue;
            };
            let source = name.strip_prefix("/etc/").map(|rest| etc.join(rest));
            if matches!(kind, "hash" | "btree" | "lmdb" | "cdb" | "dbm")
                && source.is_some_and(|source: PathBuf| source.is_file())
            {
                let base = name.rsplit('/').next().unwrap_or_default();
                let program = if base.starts_with("alias") {
                    "postalias"
                } else {
                    "postmap"
                };
                commands.insert((program, reference.to_owned()));
            }
        }
    }
    commands
        .iter()
        .map(|(program, table)| format!("{program} {table}\n"))
        .collect()
}
