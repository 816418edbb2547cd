//! Each line of the table: a text with its secret between `⟦` and `⟧`. Prefixes that scanners of
//! repositories look for are put together as the test runs.

use super::*;

/// Sixteen, thirty-two and forty characters that nobody chose.
const S16: &str = "q7Zt0Xw9Lk3Vb5Nm";
const S40: &str = "q7Zt0Xw9Lk3Vb5NmR2Yc8Hd4Jf6Gs1PaUeTiOw3Q";

/// What has to be masked, with `{16}` and `{40}` filled in, and `~` taken out.
const SECRETS: &[&str] = &[
    // Vendors.
    "key ⟦s~k-To3E*****************wdv⟧.",
    "OPENAI_API_KEY_⟦s~k-proj-{16}⟧",
    "x ⟦s~k-ant-api03-{40}⟧ y",
    "⟦s~k_live_{16}⟧, ⟦r~k_test_{16}⟧ and ⟦wh~sec_{16}⟧",
    "google ⟦AI~za{40}⟧",
    "got ⟦ya~29.{40}⟧ for ⟦GOC~SPX-{16}⟧",
    "aws ⟦AK~IAIOSFODNN7EXAMPLE⟧ and xx⟦AS~IAIOSFODNN7EXAMPLE⟧",
    "azure ⟦abc8Q~~{40}⟧",
    "⟦gh~p_{40}⟧ ⟦gh~s_{40}⟧ ⟦github_~pat_{40}⟧",
    "clone with ⟦gl~pat-{16}xyz1⟧",
    "⟦xo~xb-123456789012-{16}⟧ ⟦xa~pp-1-A0-{16}⟧",
    "⟦gs~k_{40}⟧ ⟦h~f_{16}⟧ ⟦nv~api-{16}⟧",
    "⟦np~m_{40}⟧ ⟦py~pi-{40}⟧ ⟦dck~r_pat_{16}⟧ ⟦dop~_v1_{40}⟧ ⟦gl~sa_{16}⟧ ⟦sh~pat_{40}⟧",
    "vault ⟦hv~s.{40}⟧",
    "databricks ⟦da~pi0123456789abcdef0123456789abcdef⟧",
    "⟦ts~key-auth-{16}⟧",
    "⟦sq0~atp-{16}⟧",
    "mailgun ⟦ke~y-0123456789abcdef0123456789abcdef⟧",
    "oc ⟦sha2~56~~{40}⟧",
    "⟦AGE-~SECRET-KEY-1QQQQQQQQQQQQQQQQQQQ⟧",
    "⟦ATA~TT3{40}⟧",
    "telegram ⟦1234567890:A~A{40}⟧",
    "⟦S~G.{16}.{40}⟧",
    "https://hooks.slack.com/services/⟦T000/B000/abcdefgh⟧",
    "https://discord.com/api/webhooks/⟦123456/{40}⟧",
    "jwt ⟦ey~JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{16}⟧ end",
    // Headers.
    "Authorization: Bearer ⟦abc.def-123456⟧",
    "authorization: ⟦0123456789abcdef⟧",
    "Authorization: token ⟦0123456789⟧",
    "Proxy-Authorization: Basic ⟦dXNlcjpwYXNz⟧",
    "-H 'Authorization: Negotiate ⟦YIIabcdefgh⟧'",
    "Authorization: Digest ⟦username=\"bob\", realm=\"x\", response=\"6629fae4\"⟧",
    "Authorization: AWS4-HMAC-SHA256 ⟦Credential=x/2026/s3, SignedHeaders=host, Signature=fe5f80⟧",
    "sent bearer ⟦abcdefghijkl⟧",
    "sent Basic ⟦dXNlcjpwYXNzd29yZA==⟧",
    "Cookie: ⟦sid=abc; theme=dark⟧",
    "Set-Cookie: ⟦s=1; Path=/; HttpOnly⟧",
    "cookies={⟦'sid': 'abc'⟧}",
    "X-Api-Key: ⟦abcdef12⟧",
    "X-Vault-Token: ⟦abcdefgh12⟧",
    "PHPSESSID=⟦abcd1234⟧; JSESSIONID=⟦ABCD⟧",
    // Addresses.
    "redis://⟦u:p⟧@h refused",
    "redis://⟦:p⟧@h:6379/0 refused",
    "postgres://⟦user:pass⟧@db.example:5432/x refused",
    "postgres://⟦user:pa@ss:w⟧@db.example.org:5432/x",
    "postgres://⟦user:pa/ss#1⟧@db.example.org/x",
    "https://⟦{16}⟧@o0.ingest.example/1",
    "mongodb+srv://⟦u:p⟧@h1:27017,h2:27017/db",
    r#"{"dsn":"amqp:\/\/⟦u:p⟧@mq:5672\/"}"#,
    "next=redis%3A%2F%2F⟦u%3Ap⟧%40h",
    "⟦root:s3cret⟧@tcp(127.0.0.1:3306)/app",
    "GET /a?token=⟦abcdefgh12⟧&b=1",
    "GET /a?x=1&sig=⟦abc%2Bdef⟧&y=2",
    "GET /cb?code=⟦{16}⟧&state=1",
    "GET /maps?key=⟦abcdefgh⟧ HTTP/1.1",
    "X-Amz-Signature=⟦0123abcd⟧&X-Goog-Credential=⟦svc-acct⟧",
    // Names and values.
    r#"{"api_key": "⟦0123456789abcdef⟧"}"#,
    r#"{\"api_key\":\"⟦0123456789⟧\"}"#,
    r#"{"m":"{\"password\":\"⟦ab c,1⟧\"}"}"#,
    r#"{"password":"⟦a⟧","n":1}"#,
    r#"{"password":"⟦a\"b c⟧"}"#,
    "{'password': '⟦hunter2⟧'}",
    r#"{"token":"⟦abcdefgh12⟧"}"#,
    r"password\u003d⟦hunter2⟧\u0026x=1",
    "password%3D⟦hunter2⟧%26x",
    "password=⟦hunter22⟧&x=1",
    "password: '⟦two words⟧'",
    "password: ⟦hunter22⟧ given",
    "password=⟦a⟧;x",
    r"password=⟦a\b⟧ x",
    "DB_PASSWORD=⟦hunter2⟧",
    "PGPASSWORD=⟦hunter2⟧ psql",
    "user[password]=⟦hunter2⟧",
    r#""password"=>"⟦hunter2⟧""#,
    "{User:bob Password:⟦hunter2⟧}",
    "Server=db;Uid=sa;Pwd=⟦hunter22⟧;",
    "Server=db;User Id=sa;Password=⟦a1⟧;Encrypt=yes",
    "Server=db;Pwd={⟦a;b⟧};",
    "AccountName=a;AccountKey=⟦abcd1234==⟧;x",
    "Endpoint=sb://x/;SharedAccessKey=⟦abcd1234=⟧",
    "aws_secret_access_key = ⟦wJalrXUtnFEMI/K7MDENG/b⟧",
    "client_secret=⟦abcdefgh⟧",
    "csrf_token: ⟦abcdefgh⟧",
    "accessToken: ⟦abcdefgh⟧",
    "token: ⟦{40}⟧",
    "<password>⟦hunter2⟧</password>",
    r#"{"auths":{"r.example":{"auth":"⟦dXNlcjpwYXNz⟧"}}}"#,
    "\u{1b}[36mpassword\u{1b}[0m=⟦hunter2⟧\u{1b}[0m x",
    "\u{1b}[33m⟦gh~p_{40}⟧\u{1b}[0m",
    r#"{"m":"keys:\n⟦gh~p_{40}⟧\nnext"}"#,
    // Statements.
    "CREATE USER bob IDENTIFIED BY '⟦x y⟧'",
    "ALTER ROLE bob WITH PASSWORD '⟦hunter2⟧'",
    r#""AUTH" "⟦hunter2⟧""#,
    "AUTH PLAIN ⟦AGJvYgBwYXNz⟧",
    "machine h login bob password ⟦x1⟧",
    // Commands.
    "psql --password ⟦hunter22⟧ -h db",
    r#"["x","--password","⟦hunter2⟧"]"#,
    "tool --api-key=⟦abc⟧ go",
    "credentials=⟦bob:hunter2⟧ given",
    r#""CONFIG" "SET" "requirepass" "⟦hunter2⟧""#,
    "Connect -Password ⟦hunter2⟧",
    "mysql -h db -u root -p⟦hunter2⟧ app",
    "mysqldump -p'⟦hunter2⟧'",
    "sshpass -p ⟦hunter2⟧ ssh bob@h",
    "docker login -u bob -p ⟦hunter2⟧ r.example",
    "curl -u bob:⟦hunter2⟧ https://h/",
    "redis-cli -h db -a ⟦hunter2⟧ ping",
    "ldapsearch -x -w ⟦hunter2⟧ -b dc=x",
    "openssl rsa -passin pass:⟦hunter2⟧ -in k",
    // Keys.
    "-----BEGIN RSA PRIVATE KEY-----\nMIIabc+/\nxyz",
    "mail ⟦bob.k@example.com⟧ now",
    r#"{"m":"to\n⟦bob@example.com⟧"}"#,
];

fn filled(case: &str) -> String {
    let case = case.replace("~~", "\0").replace('~', "").replace('\0', "~");
    case.replace("{16}", S16).replace("{40}", S40)
}

/// The text, and what is left of it.
fn parts(case: &str) -> (String, String) {
    let (mut text, mut left) = (String::new(), String::new());
    for (at, part) in filled(case).split(['⟦', '⟧']).enumerate() {
        text.push_str(part);
        left.push_str(if at % 2 == 0 { part } else { MASK });
    }
    (text, left)
}

#[test]
fn every_shape_compiles_and_has_a_case() {
    let texts: Vec<String> = SECRETS.iter().map(|case| parts(case).0).collect();
    for shape in &SHAPES {
        assert!(shape.regex().is_some());
        let shown = format!("{:?}", shape.hints);
        assert!(shape.hints.iter().all(|hint| *hint == hint.to_lowercase()), "{shown}");
        let is_hit = |text: &&String| {
            let mut hit = false;
            Views::new(text.as_bytes()).iter().for_each(|v| shape.find(&v.bytes, |_| hit = true));
            hit
        };
        let hit = texts.iter().find(is_hit);
        assert!(hit.is_some() || shown.contains("private key"), "no case for {shown}");
    }
}

#[test]
fn secrets_are_masked() {
    let mut wrong = Vec::new();
    for case in SECRETS.iter().filter(|case| case.contains('⟦')) {
        let (text, left) = parts(case);
        let found = redact(&text);
        if found != left {
            wrong.push(format!("{text}\n  is  {found}\n  not {left}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_masked_holds_no_secret_any_more() {
    for case in SECRETS {
        let once = redact(&parts(case).0).into_owned();
        assert_eq!(redact(&once), once);
    }
}

#[test]
fn keys_over_several_lines() {
    let body = [S40, S40].concat();
    let (begin, end) = ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----");
    let cases = [
        (format!("a\n{begin}\n{body}\n{body}\n{end}\nb"), format!("a\n{MASK}\nb")),
        (format!("a {begin}\\n{body}\\n{end}\\n b"), format!("a {MASK}\\n b")),
        // Cut off.
        (format!("{begin}\n{body}\nq7Zt"), MASK.to_owned()),
        // With what a logger puts before each line.
        (format!("I {begin}\nI x: {body}\nI x: {body}"), format!("I {MASK}")),
        // Without the beginning.
        (format!("{body}\n{body}\nabc=\n{end}"), format!("{MASK}-----")),
        (format!("{begin}{body}\nERROR it failed\nok"), format!("{MASK}\nERROR it failed\nok")),
        (format!("want {begin}, got: nothing"), format!("want {MASK}, got: nothing")),
        (
            format!(
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{body}\n-----END PGP PRIVATE KEY BLOCK-----"
            ),
            MASK.to_owned(),
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(redact(&text), wanted, "{text}");
    }
}

#[test]
fn plain_text_stays() {
    for text in [
        "task-force",
        "risk-averse people",
        "secret: no",
        "a@b",
        "insufficient_quota",
        "PWD=/home/bob",
        "unexpected token: something",
        "maximum tokens: 4096",
        "Set-Cookie header is missing",
        "Access denied for user 'root'@'localhost' (using password: YES)",
        "FATAL: password authentication failed for user \"bob\"",
        "password: incorrect",
        "{\"password\": null, \"token\": \"\"}",
        "password=null",
        "HTTP Basic Authentication failed",
        "basic authentication is off",
        "Bearer authentication required",
        "WWW-Authenticate: Bearer realm=\"x\"",
        "Error: connect ECONNREFUSED 10.0.0.5:6379",
        "http://host:8080/path@v1",
        "http://[::1]:8080/a@b",
        "cannot pull https://r.example/v2/a@sha256:0123",
        "from git@github.com:org/repo.git",
        "ssh -p 22 host; mkdir -p /var/lib/a; docker run -p 80:80 x",
        "cache key=user:123 missed",
        "GET /a?code=404&page=2",
        "primary key: 17",
        "duplicate key value violates unique constraint",
        "no such key: foo",
        "secretName: my-tls-cert",
        "x_token_type=bearer",
        "sort -u a:b; docker run --user 1000:1000 x",
        "100%ab done",
        "login as bob",
        "Authentication Fails, Your api key: ****fcc2 is invalid",
        "password=${DB_PASSWORD} is not filled in",
        "clone ssh://git@git.example/a.git failed",
        "System.Data, Culture=neutral, PublicKeyToken=b77a5c561934e089",
        "Can't locate revision identified by 'a1b2c3'",
        "not authorized on arn:aws:secretsmanager:eu-west-1:1:secret:DbSecret-AbCd",
        "MountVolume.SetUp failed for volume \"a-secrets\" : secrets \"a-secrets\" not found",
        "may require authorization: server message: insufficient_scope",
        "EnvironmentCredential: EnvironmentCredential authentication unavailable",
        "\"Invalid Credentials\": 80090308: LdapErr",
        "GOOGLE_APPLICATION_CREDENTIALS=/path/key.json",
        "pam_unix(passwd:chauthtok): password change failed",
        "auth login succeeded",
    ] {
        assert_eq!(redact(text), text);
    }
}

#[test]
fn a_secret_over_the_end_is_masked() {
    let text = "dial redis://bob:hunter2@cache failed";
    for most in 14..24 {
        assert_eq!(beginning(text.as_bytes(), most), "dial redis://[redacted]", "{most}");
    }
    assert_eq!(beginning(text.as_bytes(), 4), "dial");
    assert_eq!(beginning(b"a\xffb", 99), "a\u{fffd}b");
}

#[test]
fn spans_are_those_of_the_original() {
    let text = "\u{1b}[36mpassword\u{1b}[0m=\u{1b}[1mhunter2\u{1b}[0m";
    let at = text.find("hunter2").unwrap();
    assert_eq!(secrets(text.as_bytes()).first(), Some(&(at..at + 7)));
}
