//! The table of problem codes: one row a code, never reused.

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// The rules load; something in them is likely a mistake.
    Warning,
    /// The rules do not load.
    Error,
}

macro_rules! codes {
    ($($variant:ident $id:literal $level:ident $text:literal)*) => {
        /// What kind of problem it is. The ids are stable: tools may match on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $text] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable id, as printed in brackets: `unknown-key`.
            pub fn id(self) -> &'static str {
                match self { $(Code::$variant => $id),* }
            }

            /// Whether it keeps the rules from loading.
            pub fn level(self) -> Level {
                match self { $(Code::$variant => Level::$level),* }
            }

            /// What it means and how to mend it.
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$variant => $text),* }
            }
        }
    };
}

codes! {
    // Reading
    Unreadable "unreadable" Error "The file or folder of rules cannot be read, or is not UTF-8. Check its path, permissions and encoding."
    YamlSyntax "yaml-syntax" Error "The text is not YAML, or uses what rule files may not: anchors, aliases, merge keys, duplicate keys, deep nesting, very large files."
    SchemaVersion "schema-version" Error "Every document starts with `schema: 1`. A higher number needs a newer whyerr."
    // Shape
    UnknownKey "unknown-key" Error "The key is not part of the rule language at this place. Mostly a misspelling or wrong indentation."
    MissingKey "missing-key" Error "A required key is missing: `docs/rules.md` lists what each part of a file needs."
    WrongType "wrong-type" Error "The value has another type than the key takes, for example a text where a list is needed."
    EmptyValue "empty-value" Error "The value is empty and may not be: leave the key out instead, or fill it in."
    UnknownValue "unknown-value" Error "The key takes one of a fixed list of words, and this is none of them."
    BadNumber "bad-number" Error "The number is outside of the range that this key takes."
    BadId "bad-id" Error "An id is lower-case letters, digits, `-` and `.`, starts and ends with a letter or a digit, and has a group: `group.name` (services: no dot)."
    // Names
    DuplicateId "duplicate-id" Error "An id stands for one thing over all layers. To change a rule of another layer, write a patch; to add your own, give it an id of its own."
    UnknownCategory "unknown-category" Error "The category is not one of the closed list. `whyerr explain` knows each of them."
    UnknownService "unknown-service" Error "No service of the catalogue has this id, name or alias. Add a `services:` entry, or mend the name."
    UnknownProduct "unknown-product" Error "The service has no product of this id."
    DanglingReference "dangling-reference" Error "The id names no rule (also no former id under `renames`). A rule that was disabled may still be named."
    UnknownList "unknown-list" Error "No file defines a list of this name under `lists:`."
    ReferenceCycle "reference-cycle" Error "Rules that supersede or extend one another in a circle have no meaning."
    // Match
    NoPositiveCondition "no-positive-condition" Error "A block needs at least one condition that makes it match: `any`, `all`, `code`, `http_status`, `grpc_status`, `exit_code` or `signal`. `none` and `when` only narrow."
    BadSignature "bad-signature" Error "A signature has no line breaks or control characters, and holds at least 3 bytes in a row that JSON escaping leaves alone (not `\"`, `\\`, `/`)."
    BareNumber "bare-number" Error "A bare number never matches prose: `403` is inside `retry in 18.403470473s`. Use `http_status`, `code` or `exit_code`, which are read from safe contexts."
    BadRegex "bad-regex" Error "The regular expression does not compile (Rust syntax, over bytes, ASCII classes), or is too large."
    RegexWithoutLiteral "regex-without-literal" Error "Every match of a regex must contain a literal of at least 3 bytes, or every line of a log would have to be searched with it. Anchor it to words that are always there."
    NumericCodeWithoutService "numeric-code-without-service" Error "A numeric code means different things to different services: scope it with `when: { service: [...] }`."
    BadExtract "bad-extract" Error "An extractor has a type and a regex with exactly one capture group (or several regexes, each with one)."
    BadDuration "bad-duration" Error "A duration is a number and a unit: `500ms`, `1s`, `2m`, `1h`."
    BadTime "bad-time" Error "A time reads `YYYY-MM-DD` here, and `resets` reads `daily@ZONE`, `weekly@ZONE` or `monthly@ZONE`."
    // Texts
    UnknownPlaceholder "unknown-placeholder" Error "The placeholder is neither an extracted value, a built-in value, `{service}` nor a link of the service."
    // Overlays
    PatchConflict "patch-conflict" Error "Two patches of one layer change the same field of the same rule. Which one should count cannot depend on the order of files."
    PatchField "patch-field" Error "The patch does not fit the rule: the field may not be patched, is not a list, or does not hold what is to be removed."
    // Lints
    WeakWithoutCorroboration "weak-without-corroboration" Warning "A `weak` block never matches without a `corroborate` to be confirmed by."
    MissingReference "missing-reference" Warning "A stable rule names a source that was checked (`references`), or is `status: experimental`."
    UnsourcedExample "unsourced-example" Warning "A stable rule shows a text that was really printed somewhere: give one of its examples a `source`, or make the rule `status: experimental`."
    MissingExample "missing-example" Warning "A rule proves itself by examples: one at least, two of different shapes when stable."
    MissingCounterexample "missing-counterexample" Warning "A stable rule shows the closest text on which it must not win."
    ExampleIsSignature "example-is-signature" Warning "An example that is only the signature proves nothing. Use the text as it was really printed."
    UnassertedValue "unasserted-value" Warning "No example asserts this extracted value, so nobody would notice if it broke."
    HarmfulRetry "harmful-retry" Warning "An automatic retry on bad credentials, missing permission, billing or an invalid request costs money or locks an account. Use `never` or `once_fixed`."
    ShortSignature "short-signature" Warning "A text signature below 5 bytes is inside many harmless words. Use `word`, or a longer phrase."
    VagueSignature "vague-signature" Warning "The signature is a phrase that errors of every kind print. Mark the rule `fallback: true` or the block `weak: true`, or add a condition."
    CostlySignature "costly-signature" Warning "The rarest literal that every match contains stands in the lines of healthy logs, and each such line would be classified. Use a longer phrase, or require a status or a code beside it."
    NoPlainVariant "no-plain-variant" Warning "Every variant of this text needs a value or a link that may be missing: end the list with one that needs none."
    ExpiredPatch "expired-patch" Warning "The patch is past its `expires` date. It still applies: verdicts do not depend on the clock. Remove or renew it."
    UnusedList "unused-list" Warning "No rule names this list: its signatures are never looked for. Name it (`none: [ { list: name } ]`) or remove it."
    DuplicateSignature "duplicate-signature" Warning "The same signature stands twice in one list."
}
