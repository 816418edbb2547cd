//! Any text as a rule file: no panic, problems that can be drawn, and what loads classifies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whyerr::{Catalog, Classifier, Event, Layer};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut builder = Catalog::builder();
    builder.with_builtin(false).text(Layer::User, "fuzz.yaml", text);
    match builder.build() {
        Ok(catalog) => {
            let _ = catalog.lint(&[Layer::User]).to_string();
            let classifier = Classifier::new(&catalog);
            let event = Event::new(text);
            assert_eq!(classifier.classify(event.clone()), classifier.classify_naive(&event));
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            assert!(!problems.to_string().is_empty());
        }
    }
});
