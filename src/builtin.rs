//! The built-in pack, embedded by `build.rs`: frozen, and as rule files with their parse trees for
//! catalogues that add layers to it.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::catalog::pack::Pack;
use crate::engine::RegexInfo;
use crate::frozen::{Lazy, Strings};
use crate::yaml::node::{Node, decode_number};

/// Path and text of every built-in file, in the order of their paths.
pub(crate) static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin_files.rs"));

/// The parse trees of the same files.
static TREES: LazyLock<Strings> =
    LazyLock::new(|| thaw(include_bytes!(concat!(env!("OUT_DIR"), "/builtin_trees.bin"))));

/// The regexes in these files, sorted, and what `engine::required` says of each.
static REGEXES: LazyLock<(Strings, Lazy<RegexInfo>)> =
    LazyLock::new(|| thaw(include_bytes!(concat!(env!("OUT_DIR"), "/builtin_regexes.bin"))));

fn thaw<T: Deserialize<'static>>(bytes: &'static [u8]) -> T {
    postcard::from_bytes(bytes).expect("build.rs wrote this")
}

/// The pack as it is after loading and checking.
pub(crate) const PACK: Option<Pack<'static>> = Some(Pack {
    catalog: include_bytes!(concat!(env!("OUT_DIR"), "/builtin_catalog.bin")),
    program: include_bytes!(concat!(env!("OUT_DIR"), "/builtin_program.bin")),
});

/// Hash of the paths and texts of all built-in files.
pub(crate) const HASH: &str = include_str!(concat!(env!("OUT_DIR"), "/builtin_hash.txt"));

/// A built-in file.
pub(crate) struct BuiltinFile {
    pub(crate) path: &'static str,
    pub(crate) text: &'static str,
    pub(crate) documents: Vec<Node>,
}

/// Those built-in files whose paths are `wanted`, with their trees.
pub(crate) fn files(wanted: impl Fn(&str) -> bool) -> Vec<BuiltinFile> {
    let files = FILES.iter().enumerate().filter(|(_, (path, _))| wanted(path));
    files
        .map(|(at, &(path, text))| BuiltinFile {
            path,
            text,
            documents: read(&mut TREES.get(at), text).expect("build.rs wrote this tree"),
        })
        .collect()
}

fn read(input: &mut &'static [u8], text: &'static str) -> Option<Vec<Node>> {
    let count = decode_number(input)?;
    (0..count).map(|_| Node::decode(input, text)).collect()
}

/// What is known of a regex, if one of the built-in files has it.
pub(crate) fn regex(pattern: &str) -> Option<&'static RegexInfo> {
    let (patterns, infos) = &*REGEXES;
    patterns.find(|known| known.cmp(pattern.as_bytes())).map(|at| infos.get(at))
}

/// All regexes of the built-in files.
#[cfg(test)]
pub(crate) fn regexes() -> impl Iterator<Item = &'static str> {
    let patterns = &REGEXES.0;
    (0..patterns.len()).map(|at| std::str::from_utf8(patterns.get(at)).expect("texts of files"))
}

#[cfg(test)]
mod tests {
    use crate::catalog::TABLES;
    use crate::catalog::pack::freeze;
    use crate::{Catalog, Layer};

    /// What a start reads back is what the YAML files say.
    #[test]
    fn the_pack_equals_the_yaml() {
        let mut builder = Catalog::builder();
        builder.with_builtin(false);
        // The tables come with every catalogue.
        for &(path, text) in super::FILES {
            if !TABLES.contains(&path) {
                builder.text(Layer::Builtin, path, text);
            }
        }
        let loaded = builder.build().unwrap();
        let thawed = Catalog::builtin();
        assert_eq!(loaded.rules().len(), thawed.rules().len());
        for (loaded, thawed) in loaded.rules().zip(thawed.rules()) {
            // Places differ: the tables come first here.
            let plain = |rule: &crate::Rule| {
                let mut rule = rule.clone();
                rule.span = Default::default();
                rule.origins.clear();
                rule.examples.iter_mut().chain(&mut rule.counterexamples).for_each(|example| {
                    example.span = Default::default();
                });
                format!("{rule:#?}")
            };
            assert_eq!(plain(loaded), plain(thawed));
        }
        let [_, program] = freeze(&loaded);
        assert!(program == super::PACK.unwrap().program);
    }

    /// What the library loads beside other layers is what stands in the YAML files.
    #[test]
    fn trees_equal_the_yaml() {
        let files = super::files(|_| true);
        assert!(files.len() > 10);
        for file in files {
            assert_eq!(crate::yaml::parse::parse(file.text), Ok(file.documents), "{}", file.path);
        }
        assert!(super::regexes().count() > 100);
        for pattern in super::regexes() {
            assert_eq!(super::regex(pattern), crate::engine::regex_info(pattern).as_ref().ok());
        }
    }
}
