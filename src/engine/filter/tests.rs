use super::*;

/// A generator of random numbers: xorshift.
fn random(state: &mut u64, below: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) as usize % below
}

fn word(state: &mut u64, length: usize) -> Vec<u8> {
    // Few letters make many overlaps; `@` and a backquote are one when folded, and no letter.
    (0..length).map(|_| b"abAB@`\xc3\xa4"[random(state, 8)]).collect()
}

#[test]
fn every_occurrence_is_seen() {
    let mut state = 0x5EED;
    for round in 0..60 {
        // One class or several, few literals or enough for the largest table.
        let lengths = [(3, 5), (5, 8), (8, 11), (11, 30), (3, 30), (8, 30)][round % 6];
        let count = [1, 7, 90, 400, 1200][round % 5];
        let mut literals: Vec<Vec<u8>> = (0..count)
            .map(|_| {
                let length = lengths.0 + random(&mut state, lengths.1 - lengths.0);
                word(&mut state, length).to_ascii_lowercase()
            })
            .collect();
        // Beginnings that many have in common.
        literals.extend((0..20).map(|at| format!("abababababababab{at:04}").into_bytes()));
        literals.sort();
        literals.dedup();
        let index = Index::new(&literals);
        let length = BLOCK - 60 + random(&mut state, 120);
        let mut text = word(&mut state, length);
        for _ in 0..60 {
            text.extend_from_slice(&literals[random(&mut state, literals.len())]);
            let length = random(&mut state, 6);
            text.extend(word(&mut state, length));
        }
        let lower = text.to_ascii_lowercase();
        let mut wanted = Vec::new();
        index.find(&lower, |literal, start, _| wanted.push((literal, start)));
        let profile = Profile::new(&text[..text.len() * (round % 2)]);
        let filter = Filter::new(&index, |_| true, &profile);
        let mut found = Vec::new();
        filter.search(&index, &text, 0..text.len(), 0, |literal, start| {
            found.push((literal, start));
            0
        });
        // The same in two parts.
        let mut parts = Vec::new();
        for range in [0..BLOCK, BLOCK..text.len()] {
            filter.search(&index, &text, range, 0, |literal, start| {
                parts.push((literal, start));
                0
            });
        }
        for list in [&mut wanted, &mut found, &mut parts] {
            list.sort_unstable();
            list.dedup();
        }
        assert!(!wanted.is_empty());
        assert_eq!(found, wanted, "round {round}");
        assert_eq!(parts, wanted, "round {round}");
    }
}

#[test]
fn nothing_is_heard_of_before_the_place_asked_for() {
    let index = Index::new(&[b"connection refused".as_slice(), b"refused"]);
    let filter = Filter::new(&index, |_| true, &Profile::new(b""));
    let text = b"connection refused, connection refused";
    let mut places = Vec::new();
    filter.search(&index, text, 0..text.len(), 0, |_, start| {
        places.push(start);
        // The first line is done with.
        20
    });
    assert!(places[0] < 20 && places[1..].iter().all(|&place| place >= 20), "{places:?}");
    places.sort_unstable();
    places.dedup();
    assert_eq!(places[1..], [20, 31]);
}
