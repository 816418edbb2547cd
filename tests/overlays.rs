//! Layers, patches, `extends` and code tables: what docs/rules.md says under *Overlays*,
//! *A service* and *Who wins*, case by case.

use whyerr::{Catalog, Classifier, DecidedBy, Event, Layer, ProblemCode, Problems, Rule};

/// Builds a catalogue of texts; `schema: 1` is written before each.
fn load(texts: &[(Layer, &str)]) -> Result<Catalog, Problems> {
    let mut builder = Catalog::builder();
    builder.with_builtin(false);
    for (at, (layer, text)) in texts.iter().enumerate() {
        builder.text(*layer, &format!("{at}.yaml"), &format!("schema: 1\n{text}"));
    }
    builder.build()
}

#[track_caller]
fn ok(texts: &[(Layer, &str)]) -> Catalog {
    load(texts).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The ids of what is wrong.
#[track_caller]
fn wrong(texts: &[(Layer, &str)]) -> Vec<&'static str> {
    let problems = load(texts).expect_err("should not load");
    problems.iter().map(|problem| problem.code().id()).collect()
}

/// One experimental rule; `more` are further fields, `, key: value`.
fn rule(id: &str, text: &str, more: &str) -> String {
    format!(
        "rules:\n  - {{ id: {id}, title: t, category: overloaded, status: experimental, \
         match: [ {{ any: [ {{ text: \"{text}\" }} ] }} ], summary: s, causes: [one, two], \
         remedies: [ {{ do: wait }} ], examples: [ {{ text: \"so {text}\" }} ]{more} }}\n"
    )
}

fn base() -> String {
    rule("acme.full", "acme queue is full", ", supersedes: [acme.full2], who: provider")
        + &rule("acme.full2", "queue is full", "").replace("rules:\n", "")
}

#[track_caller]
fn patched(patch: &str) -> Catalog {
    ok(&[(Layer::Vendor, &base()), (Layer::User, &format!("patch:\n  - {patch}\n"))])
}

fn texts(list: &[Box<str>]) -> Vec<&str> {
    list.iter().map(|text| &**text).collect()
}

#[track_caller]
fn get<'c>(catalog: &'c Catalog, id: &str) -> &'c Rule {
    catalog.rule(id).unwrap_or_else(|| panic!("no rule {id}"))
}

/// Id of the winner, or `none`.
fn wins(catalog: &Catalog, event: &Event<'_>) -> String {
    let verdict = Classifier::new(catalog).classify(event.clone());
    verdict.rule().map_or_else(|| "none".to_owned(), |rule| rule.id.to_string())
}

#[test]
fn a_patch_sets_adds_and_removes() {
    let catalog = patched(
        "{ target: acme.full, reason: ours, set: { who: operator, severity: critical }, \
         add: { causes: [three], remedies: [ { do: page, who: operator } ], \
         match: [ { any: [ { text: \"acme pool exhausted\" } ] } ] }, \
         remove: { supersedes: [acme.full2] } }",
    );
    let rule = get(&catalog, "acme.full");
    assert_eq!((rule.who.as_str(), rule.severity.as_str()), ("operator", "critical"));
    assert_eq!(texts(&rule.causes), ["one", "two", "three"]);
    assert_eq!(rule.remedies.len(), 2);
    assert!(rule.supersedes.is_empty());
    assert_eq!(rule.layer, Layer::Vendor, "a patch does not move a rule to another layer");
    for text in ["acme queue is full", "acme pool exhausted"] {
        assert_eq!(wins(&catalog, &Event::new(text)), "acme.full");
    }
}

#[test]
fn a_patch_adds_a_block_to_a_match_that_is_one_block() {
    let single = base().replacen(
        "match: [ { any: [ { text: \"acme queue is full\" } ] } ]",
        "match: { any: [ { text: \"acme queue is full\" } ] }",
        1,
    );
    let patch = "patch: { target: acme.full, add: { match: { any: [ { text: \"pool dry\" } ] } } }";
    let catalog = ok(&[(Layer::Vendor, &single), (Layer::User, patch)]);
    for text in ["acme queue is full", "the pool dry now"] {
        assert_eq!(wins(&catalog, &Event::new(text)), "acme.full", "{text}");
    }
}

#[test]
fn a_patch_removes_a_whole_block_by_equality() {
    let catalog = patched(
        "{ target: acme.full, add: { match: [ { any: [ { text: \"pool dry\" } ] } ] }, \
         remove: { match: [ { any: [ { text: \"acme queue is full\" } ] } ] } }",
    );
    assert_eq!(wins(&catalog, &Event::new("acme queue is full")), "acme.full2");
    assert_eq!(wins(&catalog, &Event::new("the pool dry now")), "acme.full");
}

#[test]
fn a_disabled_rule_is_gone_but_may_be_named() {
    let catalog = patched("{ target: acme.full2, disable: true, reason: noise }");
    assert!(catalog.rule("acme.full2").is_none());
    assert_eq!(wins(&catalog, &Event::new("our queue is full")), "none");
    assert_eq!(wins(&catalog, &Event::new("acme queue is full")), "acme.full");
}

#[test]
fn patches_that_do_not_fit_are_refused() {
    for (patch, code) in [
        ("{ target: acme.nope, disable: true }", "dangling-reference"),
        ("{ target: acme.full, set: { id: acme.b } }", "patch-field"),
        ("{ target: acme.full, set: { extends: acme.full2 } }", "patch-field"),
        ("{ target: acme.full, remove: { causes: [three] } }", "patch-field"),
        ("{ target: acme.full, remove: { related: [acme.full2] } }", "patch-field"),
        ("{ target: acme.full, set: { severty: info } }", "unknown-key"),
        ("{ target: acme.full, add: { causes: three } }", "wrong-type"),
        ("{ target: acme.full, set: { severity: loud } }", "unknown-value"),
        ("{ target: acme.full }", "missing-key"),
        ("{ disable: true }", "missing-key"),
        ("{ target: acme.full, disable: 1, set: { who: caller } }", "wrong-type"),
        ("{ target: acme.full, remove: { causes: [one, two] } }", "missing-key"),
    ] {
        let patch = format!("patch: {patch}\n");
        let codes = wrong(&[(Layer::Vendor, &base()), (Layer::User, &patch)]);
        assert_eq!(codes, [code], "{patch}");
    }
}

#[test]
fn a_missing_target_is_fine_when_optional() {
    patched("{ target: acme.nope, disable: true, optional: true }");
}

#[test]
fn two_patches_of_one_layer_conflict_and_of_two_layers_do_not() {
    let base = base();
    let patch = |word: &str| format!("patch: {{ target: acme.full, set: {{ severity: {word} }} }}");
    let (info, critical) = (patch("info"), patch("critical"));
    let user = [(Layer::Vendor, &*base), (Layer::User, &*info), (Layer::User, &*critical)];
    assert_eq!(wrong(&user), [ProblemCode::PatchConflict.id()]);
    // The higher layer has the last word, in whatever order the texts come.
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let texts =
            [(Layer::Vendor, &*base), (Layer::Organisation, &*info), (Layer::User, &*critical)];
        let catalog = ok(&order.map(|at| texts[at]));
        assert_eq!(get(&catalog, "acme.full").severity.as_str(), "critical", "{order:?}");
    }
    // Different fields do not conflict.
    let who = "patch: { target: acme.full, set: { who: caller } }";
    let catalog = ok(&[(Layer::Vendor, &base), (Layer::User, &info), (Layer::User, who)]);
    let rule = get(&catalog, "acme.full");
    assert_eq!((rule.who.as_str(), rule.severity.as_str()), ("caller", "info"));
}

#[test]
fn extends_inherits_all_but_what_is_the_rules_own() {
    let child = "rules:\n  - { id: acme.child, extends: acme.full, category: timeout, \
                 match: { any: [ { text: \"child broke\" } ] }, examples: [ { text: \"a child broke\" } ], \
                 add: { causes: [three] } }\n";
    let catalog = ok(&[(Layer::User, child), (Layer::Vendor, &base())]);
    let rule = get(&catalog, "acme.child");
    assert_eq!(rule.category.as_str(), "timeout");
    assert_eq!(rule.who.as_str(), "provider");
    assert_eq!(rule.status.as_str(), "experimental");
    assert_eq!(texts(&rule.causes), ["one", "two", "three"]);
    assert_eq!(texts(&get(&catalog, "acme.full").causes), ["one", "two"]);
    assert!(rule.supersedes.is_empty());
    assert_eq!(rule.examples.len(), 1);
    assert_eq!(wins(&catalog, &Event::new("the child broke")), "acme.child");
    assert_eq!(wins(&catalog, &Event::new("acme queue is full")), "acme.full");
}

#[test]
fn what_extends_a_patched_rule_inherits_the_patch() {
    let child = "rules:\n  - { id: acme.child, extends: acme.full, \
                 match: { any: [ { text: \"child broke\" } ] } }\n";
    for patch in [
        "patch: { target: acme.full, set: { who: caller } }",
        "patch:\n  - { target: acme.full, set: { who: caller } }\n  - { target: acme.full, disable: true }",
    ] {
        let catalog = ok(&[(Layer::Vendor, &base()), (Layer::Vendor, child), (Layer::User, patch)]);
        assert_eq!(get(&catalog, "acme.child").who.as_str(), "caller", "{patch}");
    }
}

#[test]
fn extends_in_a_circle_or_of_nothing_is_refused() {
    let pair = |a: &str, b: &str| {
        rule("acme.a", "a broke", &format!(", extends: {a}"))
            + &rule("acme.b", "b broke", &format!(", extends: {b}")).replace("rules:\n", "")
    };
    assert_eq!(wrong(&[(Layer::User, &pair("acme.b", "acme.a"))]), ["reference-cycle"]);
    assert_eq!(wrong(&[(Layer::User, &pair("acme.a", "acme.a"))]), ["reference-cycle"]);
    assert_eq!(wrong(&[(Layer::User, &pair("acme.nope", "acme.a"))]), ["dangling-reference"]);
}

#[test]
fn an_id_stands_for_one_thing_over_all_layers() {
    let one = rule("acme.full", "acme queue is full", "");
    assert_eq!(wrong(&[(Layer::Vendor, &one), (Layer::User, &one)]), ["duplicate-id"]);
    let renamed = rule("acme.new", "new broke", ", renames: [acme.full]");
    assert_eq!(wrong(&[(Layer::Vendor, &one), (Layer::User, &renamed)]), ["duplicate-id"]);
    let again = rule("acme.other", "other broke", ", renames: [acme.old]");
    let old = rule("acme.new", "new broke", ", renames: [acme.old]");
    assert_eq!(wrong(&[(Layer::Vendor, &old), (Layer::User, &again)]), ["duplicate-id"]);
}

#[test]
fn a_former_id_resolves_wherever_an_id_is_named() {
    let new = rule("acme.new", "queue is full", ", renames: [acme.old]");
    let namer = rule("acme.top", "big queue is full", ", supersedes: [acme.old], priority: -1");
    let child = "rules:\n  - { id: acme.child, extends: acme.old, match: { any: [ { text: \"child broke\" } ] } }\n";
    let patch = "patch: { target: acme.old, set: { severity: critical } }";
    let catalog = ok(&[
        (Layer::User, &new),
        (Layer::User, &namer),
        (Layer::User, child),
        (Layer::User, patch),
    ]);
    assert_eq!(&*get(&catalog, "acme.old").id, "acme.new");
    assert_eq!(get(&catalog, "acme.new").severity.as_str(), "critical");
    assert_eq!(get(&catalog, "acme.child").severity.as_str(), "critical");
    assert_eq!(wins(&catalog, &Event::new("big queue is full")), "acme.top");
}

#[test]
fn patches_of_an_id_and_of_its_former_id_conflict() {
    let new = rule("acme.new", "queue is full", ", renames: [acme.old]");
    let patch = "patch:\n  - { target: acme.old, set: { severity: critical } }\n  - { target: acme.new, set: { severity: info } }\n";
    assert_eq!(wrong(&[(Layer::User, &new), (Layer::User, patch)]), ["patch-conflict"]);
}

#[test]
fn the_higher_layer_wins_a_tie() {
    let order = [Layer::Vendor, Layer::Organisation, Layer::User];
    for (i, low) in order.iter().enumerate() {
        for high in &order[i + 1..] {
            // The id would favour the lower layer.
            let (a, z) = (rule("acme.a", "it broke", ""), rule("acme.z", "it broke", ""));
            for texts in [[(*low, &*a), (*high, &*z)], [(*high, &*z), (*low, &*a)]] {
                let catalog = ok(&texts);
                let verdict = Classifier::new(&catalog).classify("now it broke");
                assert_eq!(&*verdict.rule().unwrap().id, "acme.z", "{low} {high}");
                assert_eq!(verdict.decided_by(), Some(DecidedBy::Layer));
            }
        }
    }
}

#[test]
fn better_evidence_counts_more_than_the_layer() {
    let (vendor, user) = (rule("acme.a", "it broke down", ""), rule("acme.z", "it broke", ""));
    let catalog = ok(&[(Layer::Vendor, &vendor), (Layer::User, &user)]);
    assert_eq!(wins(&catalog, &Event::new("it broke down")), "acme.a");
}

const SERVICE: &str = r#"services:
  - id: acme
    name: Acme
    aliases: [akme]
    hosts: [api.acme.dev]
    products: [ { id: chat, default: true }, { id: voice, hosts: [voice.acme.dev] } ]
    codes:
      - product: chat
        rows: [ { code: 11200, extends: acme.full, title: Chat, texts: ["chat is off"] } ]
      - product: voice
        rows: [ { code: 11200, extends: acme.full, title: Voice, match: { any: [ { text: "microphone gone" } ] } } ]
      - rows: [ { code: Bad_Thing, extends: acme.full, title: Any } ]
"#;

#[test]
fn rows_are_gated_to_service_and_product() {
    let catalog = ok(&[(Layer::User, SERVICE), (Layer::User, &base())]);
    let text = r#"{"code": 11200, "message": "no"}"#;
    for (name, event, id) in [
        ("no service", Event::new(text), "none"),
        ("another service", Event::new(text).service("other"), "none"),
        ("default product", Event::new(text).service("acme"), "acme.11200"),
        ("alias", Event::new(text).service("Akme"), "acme.11200"),
        ("named product", Event::new(text).service("acme").product("chat"), "acme.11200"),
        ("other product", Event::new(text).service("acme").product("voice"), "acme.voice.11200"),
        ("given code", Event::new("").code("11200").service("acme"), "acme.11200"),
        ("bare number", Event::new("took 11200 ms").service("acme"), "none"),
        ("row's text", Event::new("chat is off").service("acme"), "acme.11200"),
        ("row's text elsewhere", Event::new("chat is off"), "none"),
        ("row's text, product", Event::new("chat is off").service("acme").product("voice"), "none"),
        ("ungated block", Event::new("microphone gone"), "acme.voice.11200"),
        ("no product", Event::new("").code("bad_thing").service("acme"), "acme.bad-thing"),
        (
            "all products",
            Event::new("").code("bad_thing").service("acme").product("voice"),
            "acme.bad-thing",
        ),
    ] {
        assert_eq!(wins(&catalog, &event), id, "{name}");
    }
    for (host, id) in [("api.acme.dev", "acme.11200"), ("voice.acme.dev", "acme.voice.11200")] {
        let text = format!("POST https://{host}/v1: {text}");
        // The second host is of a product; whether it makes the service known too is asked here.
        assert_eq!(wins(&catalog, &Event::new(text)), id, "{host}");
    }
}

#[test]
fn rows_inherit_are_patched_and_pass_their_own_examples() {
    let patch =
        "patch: { target: acme.voice.11200, set: { who: caller }, add: { causes: [three] } }";
    let catalog = ok(&[(Layer::Vendor, &base()), (Layer::Vendor, SERVICE), (Layer::User, patch)]);
    let (chat, voice) = (get(&catalog, "acme.11200"), get(&catalog, "acme.voice.11200"));
    assert_eq!((chat.who.as_str(), voice.who.as_str()), ("provider", "caller"));
    assert_eq!((chat.causes.len(), voice.causes.len()), (2, 3));
    assert_eq!(chat.service.as_deref(), Some("acme"));
    let report = Classifier::new(&catalog).test(|rule| rule.service.is_some());
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert!(report.examples >= 3);
}

#[test]
fn rows_may_not_set_their_gate() {
    for key in ["id: acme.x", "when: { service: [acme] }", "service: acme"] {
        let text = SERVICE.replace("title: Voice", &format!("title: Voice, {key}"));
        assert_eq!(
            wrong(&[(Layer::User, &text), (Layer::User, &base())]),
            ["unknown-key"],
            "{key}"
        );
    }
    let text = SERVICE.replace("- product: voice", "- product: video");
    // Once at the table; the gate that it expands to is not reported again.
    let codes = wrong(&[(Layer::User, &text), (Layer::User, &base())]);
    assert!(codes.iter().all(|code| *code == "unknown-product"), "{codes:?}");
}

#[test]
fn the_order_of_texts_changes_nothing() {
    let base = base();
    let other = rule("acme.z", "queue is full", "");
    let patches = [
        "patch: { target: acme.full, set: { severity: info } }",
        "patch: { target: acme.11200, set: { who: account } }",
    ];
    let texts = [
        (Layer::Vendor, &*base),
        (Layer::User, SERVICE),
        (Layer::User, &*other),
        (Layer::User, patches[0]),
        (Layer::Organisation, patches[1]),
    ];
    let picture = |catalog: &Catalog| {
        let rules: Vec<String> = catalog
            .rules()
            .map(|r| format!("{} {} {} {:?}", r.id, r.who, r.severity, r.causes))
            .collect();
        let events = ["acme queue is full", "queue is full", "chat is off"];
        (rules, events.map(|text| wins(catalog, &Event::new(text).service("acme"))))
    };
    let first = picture(&ok(&texts));
    for turn in 0..texts.len() {
        let mut turned = texts;
        turned.rotate_left(turn);
        assert_eq!(picture(&ok(&turned)), first);
        turned.reverse();
        assert_eq!(picture(&ok(&turned)), first);
    }
}

/// "File and load order never count": also where one patch sets a list and another adds to it.
#[test]

fn the_order_of_patches_of_one_layer_changes_nothing() {
    let base = base();
    for (a, b) in [
        ("set: { causes: [three] }", "add: { causes: [four] }"),
        ("remove: { causes: [one] }", "add: { causes: [one] }"),
        ("add: { causes: [three] }", "add: { causes: [four] }"),
        ("set: { causes: [three] }", "disable: true"),
    ] {
        let patch = |change: &str| format!("patch: {{ target: acme.full, {change} }}");
        let (a, b) = (patch(a), patch(b));
        let picture = |x: &str, y: &str| {
            let texts = [(Layer::Vendor, &*base), (Layer::User, x), (Layer::User, y)];
            load(&texts)
                .map(|catalog| {
                    let rule = catalog.rule("acme.full");
                    rule.map(|rule| format!("{:?}", rule.causes))
                })
                .map_err(|problems| problems.iter().map(|p| p.code()).collect::<Vec<_>>())
        };
        assert_eq!(picture(&a, &b), picture(&b, &a), "{a}\n{b}");
    }
}

#[test]
fn provenance_names_the_place_that_set_each_field() {
    let child = "rules:\n  - { id: acme.child, extends: acme.full,\n      match: { any: [ { text: \"child broke\" } ] } }\n";
    let patch = "patch:\n  - { target: acme.child, set: { severity: critical } }\n";
    let catalog = ok(&[(Layer::Vendor, &base()), (Layer::Vendor, child), (Layer::User, patch)]);
    let rule = get(&catalog, "acme.child");
    let places = catalog.provenance(rule);
    let of = |field: &str| {
        let (_, place) = places.iter().find(|(name, _)| name == field).unwrap();
        format!("{}:{}", place.path, place.line)
    };
    assert_eq!(of("summary"), "0.yaml:3");
    assert_eq!(of("match"), "1.yaml:4");
    assert_eq!(of("severity"), "2.yaml:3");
    assert_eq!(catalog.place(rule).unwrap().path, "1.yaml");
}

/// Two texts of one name: each problem is drawn with its own text.
#[test]

fn texts_of_one_name_are_not_mixed_up() {
    let mut builder = Catalog::builder();
    builder
        .with_builtin(false)
        .text(Layer::Vendor, "rules.yaml", "schema: 1\n# ääääääääääääää ääääääääääääää\n\n")
        .text(Layer::User, "rules.yaml", "schema: 1\nrulez: []\n");
    let problems = builder.build().unwrap_err().to_string();
    assert!(problems.contains("rulez: []"), "{problems}");
}

/// A rule whose `match` is one block, `block`.
fn matching(id: &str, block: &str) -> String {
    rule(id, "x", "").replace("{ any: [ { text: \"x\" } ] }", block)
}

const QUIET: &str = "lists:\n  quiet: [ { text: \"dry run\" }, { regex: '^# ' } ]\n";

#[test]
fn a_list_stands_for_its_signatures() {
    let block = "{ any: [ { list: full } ], none: [ { list: quiet }, { text: \"again\" } ] }";
    let full = "  full: [ { text: \"queue is full\" }, { text: \"pool is dry\" } ]\n";
    // Defined in another file and layer than the rule that names it.
    let lists = format!("{QUIET}{full}");
    let catalog = ok(&[(Layer::User, &matching("acme.full", block)), (Layer::Vendor, &lists)]);
    for (text, winner) in [
        ("the queue is full", "acme.full"),
        ("the pool is dry", "acme.full"),
        ("dry run: the queue is full", "none"),
        ("# the queue is full", "none"),
        ("the queue is full again", "none"),
        ("the queue is fine", "none"),
    ] {
        assert_eq!(wins(&catalog, &Event::new(text)), winner, "{text}");
    }
}

#[test]
fn corroboration_and_rows_of_code_tables_may_name_lists() {
    let dry = "lists: { dry: [ { text: \"dry run\" } ] }";
    let block = "{ any: [ { text: \"queue is full\" } ], weak: true }";
    let rules = matching("acme.full", block)
        .replace(", summary:", ", corroborate: { any: [ { list: dry } ] }, summary:");
    let service = "services:\n  - { id: acme, name: Acme, codes: [ { rows: [ { code: 7, \
        title: t, category: overloaded, status: experimental, summary: s, causes: [c], \
        remedies: [ { do: wait } ], match: [ { any: [ { text: \"pool is dry\" } ], \
        none: [ { list: dry } ] } ] } ] } ] }\n";
    let catalog = ok(&[(Layer::Vendor, dry), (Layer::User, &rules), (Layer::User, service)]);
    for (text, winner) in [
        ("the queue is full", "none"),
        ("dry run: the queue is full", "acme.full"),
        ("the pool is dry", "acme.7"),
        ("dry run: the pool is dry", "none"),
    ] {
        assert_eq!(wins(&catalog, &Event::new(text)), winner, "{text}");
    }
}

#[test]
fn a_patch_adds_to_a_list_and_takes_from_it() {
    let block = "{ any: [ { text: \"queue is full\" } ], none: [ { list: quiet } ] }";
    let rules = format!("{QUIET}{}", matching("acme.full", block));
    let patch = "patch:\n  - { list: quiet, add: [ { word: TEST } ], remove: [ { text: \"dry run\" } ], reason: ours }\n  \
        - { list: nope, add: [ { word: TEST } ], optional: true }\n";
    let catalog = ok(&[(Layer::User, patch), (Layer::Vendor, &rules)]);
    for (text, winner) in [
        ("dry run: the queue is full", "acme.full"),
        ("# the queue is full", "none"),
        ("TEST the queue is full", "none"),
    ] {
        assert_eq!(wins(&catalog, &Event::new(text)), winner, "{text}");
    }
}

#[test]
fn patches_of_lists_do_not_depend_on_the_order_of_files() {
    let block = "{ any: [ { text: \"queue is full\" } ], none: [ { list: quiet } ] }";
    let rules = format!("{QUIET}{}", matching("acme.full", block));
    let take = "patch: { list: quiet, remove: [ { text: \"dry run\" } ] }";
    let give = "patch: { list: quiet, add: [ { text: \"dry run\" } ] }";
    for order in [[take, give], [give, take]] {
        let [first, second] = order.map(|text| (Layer::User, text));
        let catalog = ok(&[(Layer::Vendor, &rules), first, second]);
        assert_eq!(wins(&catalog, &Event::new("dry run: the queue is full")), "none");
    }
}

#[test]
fn lists_that_do_not_fit_are_refused() {
    let using = |what: &str| {
        matching("acme.full", &format!("{{ any: [ {{ text: \"queue is full\" }} ], {what} }}"))
    };
    let none = using("none: [ { list: quiet } ]");
    for (text, code) in [
        (using("none: [ { list: quite } ]"), "unknown-list"),
        (using("all: [ { list: quiet } ]"), "wrong-type"),
        (format!("{none}patch: {{ list: nope, add: [ {{ word: A }} ] }}\n"), "unknown-list"),
        (format!("{none}patch: {{ list: quiet }}\n"), "missing-key"),
        (format!("{none}patch: {{ list: quiet, set: [ {{ word: A }} ] }}\n"), "unknown-key"),
        (
            format!("{none}patch: {{ list: quiet, remove: [ {{ text: \"nope\" }} ] }}\n"),
            "patch-field",
        ),
        (
            format!(
                "{none}patch: {{ list: quiet, remove: [ {{ text: \"dry run\" }}, {{ regex: '^# ' }} ] }}\n"
            ),
            "patch-field",
        ),
        // What `none` takes need not have a literal; what nominates must.
        (matching("acme.full", "{ any: [ { list: quiet } ] }"), "regex-without-literal"),
    ] {
        let codes = wrong(&[(Layer::Vendor, QUIET), (Layer::User, &text)]);
        assert!(codes.contains(&code), "{text}: {codes:?}");
    }
    let twice = wrong(&[(Layer::Vendor, QUIET), (Layer::User, QUIET), (Layer::User, &none)]);
    assert_eq!(twice, ["duplicate-id"]);
}

#[test]
fn what_is_doubtful_in_a_list_is_told() {
    let lints = |texts: &[(Layer, &str)]| -> Vec<String> {
        let problems = ok(texts).lint(&[]);
        problems.iter().map(|p| format!("{}: {}", p.code().id(), p.message())).collect()
    };
    let unused = rule("acme.full", "queue is full", "");
    assert_eq!(
        lints(&[(Layer::User, QUIET), (Layer::User, &unused)]),
        ["unused-list: no rule uses the list `quiet`"]
    );
    let block = "{ any: [ { text: \"queue is full\" } ], \
         none: [ { text: \"dry run\" }, { list: quiet } ] }";
    let twice = matching("acme.full", block);
    let add = "patch: { list: quiet, add: [ { regex: '^# ' } ] }";
    assert_eq!(
        lints(&[(Layer::User, QUIET), (Layer::User, &twice), (Layer::User, add)]),
        [
            "duplicate-signature: `dry run` stands twice in this list",
            "duplicate-signature: `^# ` stands twice in this list"
        ]
    );
}

#[test]
fn priority_ranks_a_rule_and_is_not_inherited() {
    let low = rule("acme.full", "queue is full", ", priority: -3, who: provider");
    let child = rule("acme.pool", "pool is dry", ", extends: acme.full").replace("rules:\n", "");
    let catalog = ok(&[(Layer::User, &(low + &child))]);
    let (low, child) = (get(&catalog, "acme.full"), get(&catalog, "acme.pool"));
    assert_eq!((low.priority, child.priority), (-3, 0));
    assert_eq!(child.who, low.who);
}

#[test]
fn contexts_add_up_but_for_a_table_that_stands_alone() {
    let rules = rule("acme.gone", "x", "")
        .replace("{ any: [ { text: \"x\" } ] }", "{ http_status: [410] }");
    let more = "facts: { http_status: [ { regex: 'acme answered (\\d\\d\\d)' } ] }\n";
    let alone = more.replace("{ http", "{ alone: true, http");
    for (facts, winner) in [(more, "acme.gone"), (&*alone, "none")] {
        // In either order of files.
        for texts in [[&*rules, facts], [facts, &*rules]] {
            let catalog = ok(&texts.map(|text| (Layer::User, text)));
            assert_eq!(wins(&catalog, &Event::new("acme answered 410")), "acme.gone");
            assert_eq!(wins(&catalog, &Event::new("HTTP/1.1 410 Gone")), winner, "{facts}");
        }
    }
}
