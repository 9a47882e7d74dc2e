//! Folders with examples in them, and runs of those.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

pub(crate) use crate::shell::{Ended, Folder, divvy, done, ended, run};

impl Folder {
    /// A copy of one of the examples.
    pub(crate) fn example(name: &str) -> Self {
        let folder = Self::new(name);
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let file = entry.file_name().into_string().unwrap();
            if !file.contains(".db") {
                fs::copy(entry.path(), folder.path().join(file)).unwrap();
            }
        }
        folder
    }

    /// Replaces text in one of the files.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path().join(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        self.write(file, text.replace(from, to));
    }
}

/// Starts `divvy run` in a folder.
pub(crate) fn start_run(folder: &Folder) -> Child {
    divvy(&["run", folder.path().to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}
