//! The built-in pack: loads, is clean, and every rule holds what its examples say.

use whyerr::{Category, Classifier, Layer, Scratch, Status};

#[test]
fn every_example_of_every_rule_holds_against_all_rules() {
    let report = Classifier::builtin().test(|_| true);
    let failures: Vec<String> = report
        .failures
        .iter()
        .map(|failure| {
            format!("{}: {:?}: {}", failure.rule, failure.text, failure.reasons.join("; "))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(report.examples > 1000);
}

#[test]
fn the_pack_has_no_warnings() {
    let problems = Classifier::builtin().catalog().lint(Layer::ALL);
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn the_fact_table_reads_its_cases() {
    assert_eq!(Classifier::builtin().test_facts(), Vec::<String>::new());
}

#[test]
fn every_category_and_every_error_status_has_a_rule() {
    let catalog = Classifier::builtin().catalog();
    for &category in Category::ALL {
        let usable =
            |rule: &&whyerr::Rule| rule.category == category && rule.status == Status::Stable;
        assert!(catalog.rules().any(|rule| usable(&rule)), "{category}");
        assert!(catalog.category(category).definition.len() > 20, "{category}");
    }
    for status in (400..=426).chain([428, 429, 431, 451, 499]).chain(500..=511).chain(520..=527) {
        // Unassigned numbers have the class alone.
        if matches!(status, 419 | 420 | 427 | 430 | 509) {
            continue;
        }
        assert!(catalog.rule(&format!("http.{status}")).is_some(), "{status}");
    }
}

/// No retry is ever advised where it costs money or locks an account.
#[test]
fn retries_do_no_harm() {
    for rule in Classifier::builtin().catalog().rules() {
        let harmful = matches!(
            rule.category,
            Category::AuthenticationFailed | Category::PermissionDenied | Category::InvalidRequest
        );
        let retries = matches!(rule.retry.verdict.as_str(), "backoff" | "after");
        assert!(!(harmful && retries), "{}", rule.id);
    }
}

#[test]
fn classifiers_are_shared_between_threads() {
    fn check<T: Send + Sync + Clone + std::panic::UnwindSafe>() {}
    check::<whyerr::Catalog>();
    check::<whyerr::Classifier>();
    check::<whyerr::Verdict>();
    fn send<T: Send>() {}
    send::<Scratch>();
}
