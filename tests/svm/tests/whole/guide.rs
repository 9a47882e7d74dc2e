//! Every command of the guide, as it stands there.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::crew::program;
use crate::drill::Folder;

/// Goal: who follows the guide gets where it says. Method: its lines are run by a shell, in a copy
/// of the example, against a chain on this machine.
#[test]
fn the_guide_leads_from_a_wallet_to_a_thousand_people_paid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = fs::read_to_string(root.join("docs/solana-guide.md")).unwrap();
    let folder = Folder::new("guide");
    for file in fs::read_dir(root.join("examples/solana")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.0.join(file.file_name())).unwrap();
    }
    let (mut chain, at) = chain(&folder.0);
    let settings = fs::read_to_string(folder.0.join("divvy.toml")).unwrap();
    let [one, two] = at;
    let settings = settings.replace("127.0.0.1:8899", &one).replace("127.0.0.1:8900", &two);
    folder.write("divvy.toml", &settings);
    let commands = commands(&guide);
    assert!(commands.len() >= 10, "{commands:?}");
    let said: Vec<String> = commands.iter().map(|command| run(&folder.0, command)).collect();
    let _ = (chain.kill(), chain.wait());
    for (command, expected) in [
        ("divvy pay --dry-run", "payees would get"),
        ("divvy work --until-idle", "802 lines planned"),
        ("divvy pay # again", "nobody is due"),
        ("divvy run", "802 lines matched, fees among them, 0 ours only, 0 theirs only"),
        ("divvy reconcile", "theirs in USDC@6, of 802 entries: 802 matched"),
        ("divvy adopt --dry-run", "0 tries that no fact knows"),
        ("divvy check-proof", "1 proof holds"),
    ] {
        let place = commands
            .iter()
            .position(|one| one == command || one.starts_with(&format!("{command} ")))
            .expect(command);
        assert!(said[place].contains(expected), "{command}: {}", said[place]);
    }
}

/// The lines of all blocks for a shell.
fn commands(guide: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in guide.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => commands.push(line.to_owned()),
            _ => {}
        }
    }
    commands
}

fn run(folder: &Path, command: &str) -> String {
    let program = program();
    let (path, own) = (std::env::var("PATH").unwrap(), program.parent().unwrap().display());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).env("PATH", format!("{own}:{path}"));
    let out = shell.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let errors = String::from_utf8_lossy(&out.stderr);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(6)..].join("\n");
    println!("$ {command}\n{last}\n");
    assert!(out.status.success(), "{command}: {}\n{said}{errors}", out.status);
    said
}

/// Starts the chain, and says where it is.
fn chain(folder: &Path) -> (Child, [String; 2]) {
    let mut chain = Command::new(env!("CARGO_BIN_EXE_divvy-svm-facade"));
    let chain = chain.arg(folder).args(["--port", "0"]).stdin(Stdio::piped());
    let mut chain = chain.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(chain.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut at = line.split("http://").skip(1).map(|part| part.split_whitespace().next().unwrap());
    let at = [0, 1].map(|_| at.next().expect("two addresses").to_owned());
    (chain, at)
}
