//! The built-in pack, embedded by `build.rs`: frozen, and as rule files with their parse trees for
//! catalogues that add layers to it.

use std::collections::HashMap;

use crate::catalog::pack::Pack;
use crate::engine::RegexInfo;
use crate::yaml::node::{Node, decode_number, decode_text};

/// Path and text of every built-in file, in the order of their paths.
pub(crate) static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin_files.rs"));

/// The parse trees of the same files, as `build.rs` wrote them.
static TREES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/builtin_trees.bin"));

/// What `engine::required` says of the regexes in these files.
static REGEXES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/builtin_regexes.bin"));

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

/// All built-in files with their trees.
pub(crate) fn files() -> Vec<BuiltinFile> {
    let mut input = TREES;
    FILES
        .iter()
        .map(|&(path, text)| BuiltinFile {
            path,
            text,
            documents: read(&mut input).expect("build.rs wrote a tree for each file"),
        })
        .collect()
}

fn read(input: &mut &'static [u8]) -> Option<Vec<Node>> {
    let _path = decode_text(input)?;
    let count = decode_number(input)?;
    (0..count).map(|_| Node::decode(input)).collect()
}

/// What is known of the regexes of the built-in files.
pub(crate) fn regexes() -> HashMap<&'static str, RegexInfo> {
    let list: Vec<(&str, RegexInfo)> =
        postcard::from_bytes(REGEXES).expect("build.rs wrote this list");
    list.into_iter().collect()
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
        let files = super::files();
        assert!(files.len() > 10);
        for file in files {
            assert_eq!(crate::yaml::parse::parse(file.text), Ok(file.documents), "{}", file.path);
        }
        for (pattern, info) in super::regexes() {
            assert_eq!(crate::engine::regex_info(pattern), Ok(info), "{pattern}");
        }
    }
}
