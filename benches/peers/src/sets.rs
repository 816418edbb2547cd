//! Signatures to search for.

use whyerr::Classifier;

use crate::corpus::Random;

/// Bytes of a signature.
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=60;

/// Literals of the built-in rules in an order made from a seed, so that smaller sets are parts of larger ones. Left
/// out is what stands in `healthy`, which is in lower case, and what an engine would read as
/// something else than itself: quotes and slashes, of which whyerr looks for several forms.
pub fn signatures(healthy: &str) -> Vec<String> {
    let mut list: Vec<String> = Classifier::builtin()
        .nominating_literals()
        .filter_map(|(_, literal)| String::from_utf8(literal.to_vec()).ok())
        .filter(|text| LENGTHS.contains(&text.len()) && text.trim() == text)
        .filter(|text| !text.contains(['"', '\'', '/', '\\']) && !text.contains(char::is_control))
        .collect();
    list.sort();
    list.dedup();
    let present = aho_corasick::AhoCorasick::new(&list).expect("literals of bounded size");
    let mut is_healthy = vec![false; list.len()];
    for hit in present.find_overlapping_iter(healthy) {
        is_healthy[hit.pattern().as_usize()] = true;
    }
    let mut at = 0;
    list.retain(|_| {
        at += 1;
        !is_healthy[at - 1]
    });
    let mut random = Random(0x5EED);
    for at in (1..list.len()).rev() {
        list.swap(at, random.next(at + 1));
    }
    list
}

/// All of them, as they are.
pub fn builtin() -> Vec<String> {
    let literals = Classifier::builtin().nominating_literals();
    literals.map(|(_, literal)| String::from_utf8_lossy(literal).into_owned()).collect()
}
