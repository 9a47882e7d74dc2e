//! Policies as the settings name them.

use crate::command::{Folder, done};

#[test]
fn a_weekly_payee_is_paid_on_monday_everything_and_once() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "threshold = \"20.00\"", "period = \"weekly\"");
    done(&["run", dir]);
    done(&["run", dir]);
    let told = done(&["explain", "collaborator", "--dir", dir, "--all"]);
    let chapters = told["chapters"].as_array().unwrap();
    let told = |chapter: &serde_json::Value| {
        let change = chapter["change"].as_str().unwrap_or_default().to_owned();
        (change, chapter["at"].as_str().unwrap_or_default().to_owned())
    };
    let reserved: Vec<_> =
        chapters.iter().map(told).filter(|(change, _)| change.starts_with("reserved +")).collect();
    let mondays = ["2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"];
    assert_eq!(reserved.iter().map(|(_, at)| at.as_str()).collect::<Vec<_>>(), mondays);
    done(&["verify", dir]);
}
