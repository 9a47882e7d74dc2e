//! Every input that fuzzing has kept, once more in the ordinary build.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a target that panics is a red test, which is what it is for"
)]

#[path = "../fuzz/src/targets/mod.rs"]
mod targets;

use std::fs;
use std::path::Path;

#[test]
fn every_input_that_was_ever_kept_still_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let folders = fs::read_dir(&corpus).expect("the corpus is there").flatten();
    let mut folders: Vec<_> = folders.map(|folder| folder.file_name()).collect();
    folders.sort();
    let mut names: Vec<_> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(folders, names, "each target has its folder");
    for (name, target) in targets::TARGETS {
        let files = fs::read_dir(corpus.join(name)).expect("a folder").flatten();
        let inputs: Vec<_> = files.map(|file| file.path()).collect();
        assert!(inputs.len() > 2, "{name} has no corpus to speak of");
        for input in inputs {
            target(&fs::read(&input).expect("an input is readable"));
        }
    }
}
