//! Reads the tree once and holds it against one rule at a time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A rule looks at one file and says what is wrong with it, one sentence per finding.
pub(crate) type Rule = fn(path: &str, text: &str) -> Vec<String>;

/// A text file of the repository.
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) text: String,
}

static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| tracked().unwrap_or_else(walked));

static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| {
    let read = |path: &String| {
        let text = fs::read_to_string(root().join(path)).ok()?;
        Some(Page { path: path.clone(), text })
    };
    PATHS.iter().filter_map(read).collect()
});

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that is tracked or about to be, relative to the root, with forward slashes.
pub(crate) fn paths() -> &'static [String] {
    &PATHS
}

/// Every one of them that is text.
pub(crate) fn pages() -> &'static [Page] {
    &PAGES
}

/// Proves that a rule catches each planted mistake and passes each good sample, then holds the
/// whole tree against it.
pub(crate) fn hold(rule: Rule, bad: &[(&str, &str)], good: &[(&str, &str)]) {
    for (path, text) in bad {
        assert!(!rule(path, text).is_empty(), "missed a planted mistake in {path}:\n{text}");
    }
    for (path, text) in good {
        assert_eq!(rule(path, text), Vec::<String>::new(), "refused a good sample in {path}");
    }
    none(pages().iter().flat_map(|page| rule(&page.path, &page.text)));
}

/// Fails with all findings, one per line.
pub(crate) fn none(findings: impl IntoIterator<Item = String>) {
    let findings: Vec<_> = findings.into_iter().collect();
    assert!(findings.is_empty(), "the house rules are broken:\n{}", findings.join("\n"));
}

/// What git knows, new files included; nothing when this is no checkout.
fn tracked() -> Option<Vec<String>> {
    let ask = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let out = Command::new("git").args(ask).current_dir(root()).output().ok()?;
    let list = String::from_utf8(out.stdout).ok()?;
    let mut paths: Vec<String> = list.split_terminator('\0').map(str::to_owned).collect();
    paths.retain(|path| root().join(path).is_file());
    (out.status.success() && !paths.is_empty()).then_some(paths)
}

/// Every file but those that builds leave behind, for a tree unpacked from an archive.
fn walked() -> Vec<String> {
    let mut paths = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the tree is readable").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let left_behind = ["target", ".git", ".venv", "node_modules"].contains(&name.as_str());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !left_behind => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => paths.push(relative(&entry.path())),
                _ => {}
            }
        }
    }
    paths.sort();
    paths
}

fn relative(path: &Path) -> String {
    let inside = path.strip_prefix(root()).expect("the walk starts at the root");
    inside.to_string_lossy().replace('\\', "/")
}
