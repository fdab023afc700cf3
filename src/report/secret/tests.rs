use super::*;
use crate::instance::{LoadOptions, Target};

fn load(files: &[(&str, &str)]) -> (tempfile::TempDir, Instance) {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).expect("a file");
    }
    let target = Target::Path(directory.path().to_path_buf());
    let instance = Instance::load(&target, &LoadOptions::default()).expect("an instance");
    for (name, _) in files {
        let path = directory.path().join(name);
        let _ = instance.files().open_path(&path, instance.sources());
    }
    (directory, instance)
}

fn shown(files: &[(&str, &str)], name: &str) -> String {
    let (directory, instance) = load(files);
    let source = instance
        .sources()
        .find(&directory.path().join(name))
        .expect("was read");
    Secrets::of(&instance).masked(&source, 0..source.bytes().len())
}

#[test]
fn values_of_names_that_say_password() {
    let text = "\
smtp_sasl_password_maps = hash:/etc/postfix/sasl, static:anna:hunter22 proxy:static:x
mysql_password = hunter22,
# a comment
  more
#ldap_bind_pw = old secret
my_passwd_file = /etc/x
virtual_alias_maps = inline:{a=b}, pgsql://u:hunter@host/db
smtp_sasl_password_result_delimiter = :
relay_pass=
lmtp_sasl_password_maps = inline:{ {[a]:25 = u:p q}, b=c:d}
end = here
";
    assert_eq!(
        shown(&[("main.cf", text)], "main.cf"),
        "\
smtp_sasl_password_maps = hash:/etc/postfix/sasl, static:************* proxy:static:*
mysql_password = *********
# a comment
  ****
#ldap_bind_pw = *** ******
my_passwd_file = /etc/x
virtual_alias_maps = inline:{a=b}, pgsql://u:******@host/db
smtp_sasl_password_result_delimiter = :
relay_pass=
lmtp_sasl_password_maps = inline:{ {[a]:25 = *** *}, b=***}
end = here
"
    );
}

#[test]
fn values_in_master_cf_and_through_names() {
    let main = "smtp_sasl_password_maps = $upstream\nupstream = static:anna:hunter22\n";
    let master = "\
smtp unix - - n - - smtp -o smtp_sasl_password_maps=static:b:pw -o x=y
  -o { db_password = a b } -o z={c}
filter unix - n n - - pipe user=f argv=/bin/f --password=pw1 --passwd=\"a b\" $sender
";
    let files = [("main.cf", main), ("master.cf", master)];
    assert_eq!(
        shown(&files, "main.cf"),
        "smtp_sasl_password_maps = $upstream\nupstream = static:*************\n"
    );
    assert_eq!(
        shown(&files, "master.cf"),
        "\
smtp unix - - n - - smtp -o smtp_sasl_password_maps=static:**** -o x=y
  -o { db_password = * * } -o z={c}
filter unix - n n - - pipe user=f argv=/bin/f --password=*** --passwd=** *\" $sender
"
    );
}

#[test]
fn results_of_password_tables() {
    let files = [
        (
            "main.cf",
            "smtp_sasl_password_maps = hash:/etc/postfix/sasl\n",
        ),
        (
            "sasl",
            "# Who we are elsewhere\n[mail.example.com]:587 anna:hunter22\n#old.example.com ben:pw\nx\n y:z\n",
        ),
    ];
    assert_eq!(
        shown(&files, "sasl"),
        "# Who we are elsewhere\n[mail.example.com]:587 *************\n#old.example.com ******\nx\n ***\n"
    );
}

#[test]
fn messages_that_quote_a_secret() {
    let text = "smtp_sasl_password_maps = static:anna:hunter22\nx_password = pw\n";
    let (_directory, instance) = load(&[("main.cf", text)]);
    let secrets = Secrets::of(&instance);
    assert_eq!(
        secrets.hide("static:anna:hunter22 is not hunter22; pw, but not pwd"),
        "static:************* is not ********; **, but not pwd"
    );
}

#[test]
fn many_secrets_cost_little() {
    let mut table = String::new();
    for number in 0..100_000 {
        table.push_str(&format!("h{number}.example.com u{number}:pw{number}\n"));
    }
    let files = [
        (
            "main.cf",
            "smtp_sasl_password_maps = texthash:/etc/postfix/sasl\n",
        ),
        ("sasl", table.as_str()),
    ];
    let (_directory, instance) = load(&files);
    let secrets = Secrets::of(&instance);
    let message = format!("{} pw77777 x", "word ".repeat(40));
    for _ in 0..1_000 {
        assert!(secrets.hide(&message).ends_with(" ******* x"));
    }
}

#[test]
fn keys_in_the_names_of_block_lists() {
    let text = "\
postscreen_dnsbl_sites = aBcDeFgHiJ0123456789klmnop.zen.dq.spamhaus.net=127.0.0.[2..11]*3
  zen.spamhaus.org, 0123456789abcdef0123456789abcdef.combined.mail.abusix.zone
";
    assert_eq!(
        shown(&[("main.cf", text)], "main.cf"),
        "\
postscreen_dnsbl_sites = **************************.zen.dq.spamhaus.net=127.0.0.[2..11]*3
  zen.spamhaus.org, ********************************.combined.mail.abusix.zone
"
    );
}

#[test]
fn large_files_cost_one_pass() {
    let mut table = String::new();
    for number in 0..200_000 {
        table.push_str(&format!("user{number}@example.com a=b{number}\n"));
    }
    let files = [
        ("main.cf", "x_password = pw\n"),
        ("virtual", table.as_str()),
    ];
    assert_eq!(shown(&files, "virtual"), table);
}
