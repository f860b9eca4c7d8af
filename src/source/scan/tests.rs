//! Bodies in, items out, however the bytes are cut or damaged.

use proptest::prelude::*;

use super::*;
use crate::source::wire::{WireUsage, object_at_start};

/// Notes the items as text, however they come.
#[derive(Default)]
struct Noted(Vec<String>);

impl ItemSink for Noted {
    fn at_start(&mut self, bytes: &[u8]) -> Option<usize> {
        let (_, taken) = object_at_start::<WireUsage<'_>>(bytes)?;
        self.whole(&bytes[..taken]);
        Some(taken)
    }

    fn whole(&mut self, item: &[u8]) {
        self.0.push(String::from_utf8_lossy(item).into_owned());
    }

    fn too_large(&mut self, _start: &[u8]) {
        self.0.push("too large".into());
    }
}

fn scanned<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> String {
    let mut noted = Noted::default();
    let mut scanner = Scanner::new();
    let mut end = Ok(());
    for chunk in chunks {
        end = end.and_then(|()| scanner.feed(chunk, &mut noted));
    }
    let end = end.and_then(|()| scanner.finish());
    format!("{:?} {end:?}", noted.0)
}

#[test]
fn a_large_item_goes_by_and_the_next_one_is_found() {
    let body = format!(
        r#"{{"items":[{{"id":"{}"}},{{"id":"b"}}],"totalCount": 2 }}"#,
        "x".repeat(ITEM_CAP)
    );
    let expected = "[\"too large\", \"{\\\"id\\\":\\\"b\\\"}\"] Ok(Outline \
        { total_count: [50, 32], links: [] })";
    assert_eq!(scanned(body.as_bytes().chunks(1000)), expected);
}

#[test]
fn links_too_large_to_keep_are_not_taken_for_the_last_page() {
    let body = format!(r#"{{"items":[],"links":"{}"}}"#, "x".repeat(OUTLINE_CAP));
    assert_eq!(scanned(body.as_bytes().chunks(1000)), "[] Err(Garbled)");
}

fn item() -> impl Strategy<Value = String> {
    prop_oneof![
        r#"\{"id":"[a-z}{\\\\ü]{0,6}","totalCount":-?[0-9]{1,3}(\.[0-9]{1,25})?(e[0-9])?\}"#
            .prop_map(|item| item.replace("\\\"", "\\\\\"")),
        r#"\{ ?"budget" ?: ?\{"amount":[0-9]\} ?,\n {0,9}"a":\[[0-9],"\]"\]\}"#,
        r#"null|\[1,\{\}\]|"[a-z,\]]{0,5}"|[a-z]{1,5} ?|\{"a":\}|\}"#,
    ]
}

proptest! {
    #[test]
    fn any_damage_is_survived_and_reads_the_same_in_any_chunks(
        damage in prop::collection::vec((0_usize..3400, prop_oneof![any::<u8>(), Just(b'"'), Just(b'}'), Just(b'{'), Just(b']'), Just(b'\\')]), 0..5), size in 1_usize..2000,
    ) {
        let mut body = include_bytes!("../../../tests/fixtures/customers_usagerecords.json").to_vec();
        for (at, byte) in damage {
            body[at] = byte;
        }
        prop_assert_eq!(scanned(body.chunks(size)), scanned(std::iter::once(body.as_slice())));
    }

    #[test]
    fn any_chunking_gives_the_same_items(
        items in prop::collection::vec(item(), 0..6), gap in "[ \n]{0,4}", tail in "[ \
            ,\\]}a]{0,3}", cuts in prop::collection::vec(1_usize..40, 1..30),
    ) {
        let body = format!("\u{feff}{gap}{{\"totalCount\":{gap}9,\"items\":{gap}[{}]{gap},\"links\":{{\"next\":{{}}}}{gap}}}{tail}", items.join(&format!("{gap},{gap}")));
        let mut rest = body.as_bytes();
        let mut sizes = cuts.iter().cycle();
        let chunks = std::iter::from_fn(|| {
            let (chunk, after) = rest.split_at((*sizes.next()?).min(rest.len()));
            rest = after;
            Some(chunk).filter(|chunk| !chunk.is_empty())
        });
        prop_assert_eq!(scanned(chunks), scanned(std::iter::once(body.as_bytes())));
    }
}
