//! The shapes of secrets: one table.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

/// A shape of secrets.
pub(super) struct Shape {
    /// In lower case: one of these is in every text that holds such a secret.
    pub(super) hints: &'static [&'static str],
    /// The first group that takes part is the secret; where there are none, the whole match. A
    /// match in which none takes part is no secret.
    pattern: &'static [&'static str],
    /// What looks like one and is none.
    unless: fn(&[u8]) -> bool,
    /// Gives way to other shapes where both claim the same bytes.
    pub(super) weak: bool,
    regex: OnceLock<Option<Regex>>,
}

impl Shape {
    pub(super) fn regex(&self) -> Option<&Regex> {
        let pattern = || self.pattern.concat();
        let build = || RegexBuilder::new(&pattern()).unicode(false).build().ok();
        self.regex.get_or_init(build).as_ref()
    }

    /// The secrets in a text.
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(std::ops::Range<usize>)) {
        let Some(regex) = self.regex() else { return };
        for captures in regex.captures_iter(text) {
            let secret = match captures.len() {
                1 => captures.get(0),
                _ => captures.iter().skip(1).flatten().next(),
            };
            let Some(secret) = secret.filter(|it| !it.is_empty()) else { continue };
            if !(self.unless)(secret.as_bytes()) {
                found(secret.range());
            }
        }
    }
}

const fn shape(hints: &'static [&'static str], pattern: &'static [&'static str]) -> Shape {
    Shape { hints, pattern, unless: |_| false, weak: false, regex: OnceLock::new() }
}

impl Shape {
    const fn unless(mut self, unless: fn(&[u8]) -> bool) -> Shape {
        self.unless = unless;
        self
    }

    const fn weak(mut self) -> Shape {
        self.weak = true;
        self
    }
}

/// Where a key with a vendor's prefix may begin: behind an underscore as well.
const BEGIN: &str = r"(?:\b|_)";
/// Between a name and its value: `=`, `: `, `":"`, `]=`, `=>`, `:=`.
const IS: &str = r#"["'\]]?[ \t]*(?:=>|:=|[:=])[ \t]*"#;
/// The same, but for the colon that prose has too.
const EQUALS: &str = r#"["'\]]?[ \t]*(?:=>|:=|=)[ \t]*"#;
/// A value in quotes, whatever stands in it.
const QUOTED: &str = r#"(?:"((?:[^"\\\n]|\\.)+)"|'((?:[^'\\\n]|\\.)+)')"#;
/// A character of a value without quotes. Backslashes are, unless they look like an escape.
const CHAR: &str = r#"(?:[^\s"',;&}<\\]|\\[^nrt"'\s])"#;

/// Names of passwords, and of what only its owner knows. Prose has the second one too.
const PASSWORD: &str = r"(?:passw(?:or)?d|passphrase|passwd|pwd)(?:[_-]?(?:hash|old|new|current|confirm(?:ation)?|[0-9]))?";
const CREDENTIALS: &str = r"(?:passw(?:or)?d|passphrase|passwd|pwd|credentials?)(?:[_-]?(?:hash|old|new|current|confirm(?:ation)?|[0-9]))?";
const SECRET: &str = r"(?:secret|(?:api|app|access|account|auth|client|consumer|deploy|encryption|license|master|private|secret|service|shared|sharedaccess|signing|storage|subscription|webhook)[ _.-]?key)s?";
const TOKEN: &str = r"(?:(?:[a-z0-9]+[_-])+token|(?:access|api|app|auth|bearer|bot|csrf|xsrf|deploy|id|jwt|oauth|refresh|security|session|user)token)";
const PASSWORD_HINTS: &[&str] = &["passw", "passphrase", "pwd", "credential"];
const SECRET_HINTS: &[&str] = &["secret", "key"];

pub(super) static SHAPES: [Shape; 52] = [
    // Keys with a vendor's prefix.
    shape(&["sk-", "rk-", "pk-"], &[BEGIN, r"((?:sk|rk|pk)-[A-Za-z0-9*_-]{8,})"]),
    shape(&["_live_", "_test_"], &[BEGIN, r"((?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{8,})"]),
    shape(&["whsec_"], &[r"whsec_[A-Za-z0-9+/=]{16,}"]),
    shape(&["aiza"], &[r"AIza[0-9A-Za-z_-]{20,}"]),
    shape(&["ya29.", "gocspx-"], &[r"ya29\.[0-9A-Za-z_-]{16,}|GOCSPX-[0-9A-Za-z_-]{16,}"]),
    shape(&["akia", "asia", "abia", "acca"], &[r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{12,}"]),
    shape(&["q~"], &[r"[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{31,}"]),
    shape(
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
        &[r"gh[pousr]_[A-Za-z0-9_.-]{16,}|github_pat_[A-Za-z0-9_]{16,}"],
    ),
    shape(
        &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glagent-"],
        &[r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[A-Za-z0-9_.-]{16,}"],
    ),
    shape(&["xox", "xapp-"], &[r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9.-]{8,}"]),
    shape(
        &["gsk_", "xai-", "hf_", "nvapi-", "pplx-", "r8_", "tgp_", "fw_", "csk-"],
        &[BEGIN, r"((?:gsk_|xai-|hf_|nvapi-|pplx-|r8_|tgp_|fw_|csk-)[A-Za-z0-9_-]{16,})"],
    ),
    shape(
        &[
            "npm_", "pypi-", "dckr_", "dop_v1_", "doo_v1_", "glsa_", "glc_", "sntrys_", "sntryu_",
            "shpat_", "shpca_", "shpss_", "rubygems_", "lin_api_", "figd_", "sbp_", "pul-",
        ],
        &[
            BEGIN,
            r"((?:npm_|pypi-|dckr_(?:pat|oat)_|do[op]_v1_|gl(?:sa|c)_|sntry[su]_|shp(?:at|ca|ss)_|rubygems_|lin_api_|figd_|sbp_|pul-)[A-Za-z0-9_=+/-]{16,})",
        ],
    ),
    shape(&["hvs.", "hvb.", "hvr."], &[BEGIN, r"(hv[sbr]\.[A-Za-z0-9_-]{16,})"]),
    shape(&["dapi"], &[BEGIN, r"(dapi[0-9a-f]{32}(?:-[0-9])?)"]),
    shape(&["tskey-"], &[r"tskey-[A-Za-z0-9-]{8,}"]),
    shape(&["sq0"], &[r"sq0(?:atp|csp)-[A-Za-z0-9_-]{16,}"]),
    shape(&["xkeysib-", "key-"], &[BEGIN, r"((?:xkeysib-|key-)[0-9a-f]{32,}[A-Za-z0-9-]*)"]),
    shape(&["sha256~"], &[r"sha256~[A-Za-z0-9_-]{16,}"]),
    shape(&["age-secret-key-"], &[r"(?i)age-secret-key-[A-Z0-9]{16,}"]),
    shape(&["atatt3", "atctt3"], &[r"AT[AC]TT3[A-Za-z0-9_=-]{16,}"]),
    shape(&[":aa"], &[r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{30,}"]),
    shape(&["sg."], &[BEGIN, r"(SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})"]),
    shape(
        &["hooks.slack.com", "discord", "webhook.office.com"],
        &[
            r"(?i)(?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks|webhook\.office\.com/webhookb2)/([A-Za-z0-9/@_-]{8,})",
        ],
    ),
    // JSON web tokens, encrypted ones too.
    shape(&["eyj"], &[r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3}"]),
    // Headers.
    shape(
        &["bearer"],
        &[r#"(?i)\bbearer(?:["']?[ \t]*[:=])?(?:[ \t]+|\+)["']?([A-Za-z0-9._~+/=-]{8,})"#],
    )
    .unless(is_prose),
    shape(&["basic"], &[r"(?i)\bbasic(?:[ \t]+|\+)([A-Za-z0-9+/_-]{8,}={0,2})"]).unless(is_word),
    shape(
        &["authorization"],
        &[
            r#"(?i)\bauthorization"#,
            IS,
            r#"["']?(?:[a-z][a-z0-9-]*[ \t]+)?((?:[a-z_-]+=(?:"[^"\n]*"|[^\s,"']+)(?:,[ \t]*)?)+|[^\s"',;&]{8,})"#,
        ],
    )
    .unless(is_prose),
    shape(
        &["cookie"],
        &[
            r"(?i)\b(?:set-)?cookies?",
            IS,
            r#"(?:\{([^}\n]+)\}|["']?([^\s"'=;{]+=[^\s"';]*(?:;[ \t]*[^\s"'=;]+(?:=[^\s"';]*)?)*))"#,
        ],
    ),
    shape(
        &["sessid", "sessionid", "session_id", "session-id", "connect.sid"],
        &[
            r"(?i)(?:\b(?:j|php|asp)?sessi?on_?id|\b[a-z]{3,9}sessid|\bsession-id|connect\.sid)",
            IS,
            r#"["']?([^\s"',;&}/][^\s"',;&}]{3,})"#,
        ],
    )
    .unless(is_prose),
    // Addresses: what stands before the host, unless all of it is a port and a path.
    shape(
        &["://"],
        &[
            r#"(?i)[a-z][a-z0-9+.-]*://(?:([^\s/?#"'<>`]+)@|([^\s/:@\["'<>`]*:[0-9]*[^\s/@0-9"'<>`][^\s@"'<>`]*)@)"#,
        ],
    )
    .unless(is_known),
    shape(&["@tcp(", "@unix("], &[r#"(?i)([^\s/:@"'=]*:[^\s@"']+)@(?:tcp|unix)\("#]),
    shape(
        &["sig", "key=", "auth=", "code=", "jwt=", "ticket=", "pass=", "hmac="],
        &[
            r#"(?i)[?&;](?:(?:sig|signature|jwt|ticket|hmac|auth|pass)=([^\s&"'<>#]{4,})|key=([^\s&"'<>#]{8,})|code=([^\s&"'<>#]{16,}))"#,
        ],
    ),
    shape(
        &["x-amz-", "x-goog-"],
        &[
            r"(?i)\bx-(?:amz|goog)-(?:signature|credential|security-token)",
            IS,
            r#"["']?([^\s"',;&}]{4,})"#,
        ],
    ),
    // Names and their values.
    shape(PASSWORD_HINTS, &["(?i)", CREDENTIALS, IS, QUOTED]).unless(is_placeholder),
    shape(PASSWORD_HINTS, &["(?i)", CREDENTIALS, EQUALS, r#"(?:\{([^}\n]+)\}|["']?([^\s"',;&}/<\{]"#, CHAR, "*))"])
        .unless(is_placeholder),
    shape(PASSWORD_HINTS, &["(?i)", PASSWORD, IS, r#"["']?([^\s"',;&}/<\{]"#, CHAR, "{3,})"])
        .unless(is_prose),
    shape(SECRET_HINTS, &["(?i)", SECRET, IS, QUOTED]).unless(is_placeholder),
    // The name of a secret in an ARN is none.
    shape(SECRET_HINTS, &["(?i):secret:|", SECRET, IS, r#"["']?("#, CHAR, "{6,})"]).unless(is_prose),
    shape(&["token"], &["(?i)", TOKEN, IS, r#"["']?("#, CHAR, "{8,})"]).unless(is_prose),
    // A word that prose uses too: as a parameter, or quoted as a field, or with what is no word.
    shape(
        &["token=", "token\"", "token'", "token:"],
        &[
            r#"(?i)publickeytoken=|token(?:=|["'][ \t]*(?:=>|[:=])[ \t]*["']|:[ \t]*["'])([A-Za-z0-9._~+/=%-]{8,})|token:[ \t]*([A-Za-z0-9._~+/=-]{16,})"#,
        ],
    )
    .unless(is_prose),
    shape(&["\"auth\"", "'auth'"], &[r#"(?i)["']auth["']\s*:\s*["']([^"'\n]{8,})["']"#]),
    // What a key is called elsewhere, and where it stands between tags.
    shape(&["<pass", "<pwd", "<secret", "<token", "<apikey", "password>", "secret>", "token>"], &[
        r"(?i)<(?:[a-z0-9_]+:)?[a-z_-]*(?:password|passwd|pwd|secret|token|apikey)(?:\s[^>\n]*)?>([^<\n]+)</",
    ]),
    shape(
        &["identified", "password '", "password \"", "\"auth\"", "\"requirepass", "\"masterauth"],
        &[
            r#"(?i)revision identified by|(?:identified\s+(?:with\s+\S+\s+)?(?:by|as)\s+|\bpassword\s+)(?:'([^'\n]+)'|"([^"\n]+)")|"auth"\s+(?:"[^"\n]+"\s+)?"([^"\n]+)"|"(?:requirepass|masterauth)"\s+"([^"\n]+)"#,
        ],
    ),
    shape(&["auth plain", "auth login", "auth xoauth2"], &[
        r"(?i)\bauth (?:plain|login|xoauth2) ([A-Za-z0-9+/]{8,}={0,2})",
    ])
    .unless(is_word),
    shape(&["login "], &[r"(?i)\blogin[ \t]+\S+[ \t]+password[ \t]+(\S+)"]),
    // Arguments of commands.
    shape(
        &["-pass", "-pwd", "-token", "-secret", "-api", "-storepass", "-keypass"],
        &[
            r#"(?i)(?:^|[\s"'\[,])-{1,2}(?:[a-z]+-)?(?:password|passwd|passphrase|pass|pwd|token|secret|api-?key|storepass|keypass)(?:[ =]+|["'],?[ \t]*["'])(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"'-][^\s"']*))"#,
        ],
    )
    .unless(is_prose),
    shape(
        &["mysql", "mariadb", "mongo", "sshpass", "docker", "podman", "helm", "nerdctl"],
        &[
            r#"(?i)\b(?:(?:mysql|mariadb)[a-z_-]*[ \t](?:[^\n|;]*?[ \t])?-p|sshpass[ \t]+-p[ \t]*|mongo[a-z]*[ \t](?:[^\n|;]*?[ \t])?-p[ \t]+|(?:docker|podman|helm|nerdctl)[ \t][^\n|;]*?login[ \t](?:[^\n|;]*?[ \t])?-p[ \t]+)["']?([^\s"';|&][^\s"']*)"#,
        ],
    ),
    shape(
        &["curl", "redis-cli", "ldap", "smbclient"],
        &[
            r#"(?i)\b(?:curl|smbclient)[ \t](?:[^\n|;]*?[ \t])?(?:-u|--user|--proxy-user)[ =]?["']?[^\s:"'%]*[:%]([^\s"']+)|\bredis-cli[ \t](?:[^\n|;]*?[ \t])?-a[ \t]+["']?([^\s"']+)|\bldap[a-z]+[ \t](?:[^\n|;]*?[ \t])?-w[ \t]+["']?([^\s"']+)"#,
        ],
    ),
    shape(&["pass:"], &[r"(?i)-pass(?:in|out)?[ \t]+pass:(\S+)"]),
    // Keys over several lines; cut off, up to where they end; without their beginning too.
    shape(
        &["private key"],
        &[
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|(?:[A-Za-z0-9+/=]|\\[nr\\])*(?:\n(?:[A-Za-z0-9+/=]*|[^\n]{0,100}?[A-Za-z0-9+/]{40,}={0,2})[ \t\r]*(?m:$))*)",
        ],
    ),
    shape(
        &["private key"],
        &[r"(?:[A-Za-z0-9+/]{16,}={0,2}\s+)+(?:[A-Za-z0-9+/]+={0,2}\s+)?-----END [A-Z0-9 ]*PRIVATE KEY"],
    ),
    // E-mail addresses; a remote of git is none.
    shape(
        &["@"],
        &[
            r"\bgit@[A-Za-z0-9.-]+|(?:\\[nrt]|\b)([A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})\b",
        ],
    )
    .weak(),
];

/// What stands for a value where there is none, or where somebody masked it before.
const PLACEHOLDERS: &[&str] = &[
    "",
    "empty",
    "false",
    "filtered",
    "hidden",
    "masked",
    "missing",
    "nil",
    "no",
    "none",
    "null",
    "redacted",
    "true",
    "undefined",
    "unset",
    "yes",
];
/// What prose says behind a name and a colon, or behind the name of a scheme.
const PROSE: &[&str] = &[
    "access",
    "auth",
    "chauthtok",
    "message",
    "secret",
    "secrets",
    "authentication",
    "authorization",
    "auth-param",
    "cannot",
    "could",
    "credential",
    "credentials",
    "denied",
    "error",
    "expired",
    "failed",
    "failure",
    "header",
    "incorrect",
    "invalid",
    "malformed",
    "mismatch",
    "must",
    "provided",
    "realm",
    "realm=",
    "refused",
    "rejected",
    "required",
    "revoked",
    "scheme",
    "should",
    "token",
    "tokens",
    "unable",
    "unauthorized",
    "unexpected",
    "unknown",
    "unsupported",
    "verification",
    "wrong",
];

fn bare(value: &[u8]) -> String {
    let edge = |c: char| !c.is_alphanumeric() && c != '=';
    String::from_utf8_lossy(value).trim_matches(edge).to_ascii_lowercase()
}

/// Nothing, what somebody fills in later, or the end of what somebody masked before.
fn is_placeholder(value: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [b"${", b"{{", b"***"];
    marks.iter().any(|mark| value.starts_with(mark)) || PLACEHOLDERS.contains(&&*bare(value))
}

fn is_prose(value: &[u8]) -> bool {
    is_placeholder(value) || PROSE.contains(&&*bare(value))
}

/// Masked by somebody before, or the user that all remotes of git have.
fn is_known(value: &[u8]) -> bool {
    value == b"git" || value.iter().all(|byte| b"*:".contains(byte))
}

/// A word as prose has it, capital first or not. Of base64 that is next to impossible.
fn is_word(value: &[u8]) -> bool {
    value.iter().skip(1).all(|byte| byte.is_ascii_lowercase() || b"-_/".contains(byte))
}
