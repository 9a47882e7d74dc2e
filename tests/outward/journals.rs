//! Journals, judged by beancount and hledger themselves.

use std::fs;
use std::process::Command;

use crate::command::{Folder, done};
use crate::readers_are_asked;

/// A book with everything that moves money, and names that would like to be syntax.
fn busy() -> Folder {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "{ payee = \"collaborator\"", "{ pool = \"fans\"");
    folder.edit("divvy.toml", "threshold = \"20.00\"", "threshold = \"1.00\"");
    let pool = "[pool]\nname = \"fans\"\nsupply = \"7\"\nholders = \"holders.csv\"\n[payments]";
    folder.edit("divvy.toml", "[payments]", pool);
    // A rail that charges in a coin of its own, and payees who bear a part of what it quotes.
    let fees = "[fees]\nborne_max = \"0.03\"\n[pool]";
    folder.edit("divvy.toml", "[pool]", fees);
    let rail = "seed = 1\nfee = \"0.000005\"\nfee_asset = \"SOL@9\"\nfee_quoted = \"0.02\"";
    folder.edit("divvy.toml", "seed = 1", rail);
    let holders = "holder,units,destination\nann,3,\nAnn,1,\n\"=1+1; a:b | \"\"x\"\" \\\",1,\n\
        bob,1,refuse:bob\ndi,1,return:di\n";
    folder.write("holders.csv", holders);
    folder.write("old.csv", "payee,earned,paid\nann,10.00,4.00\nnew,3.00,5.00\n");
    let old = folder.path().join("old.csv");
    done(&["import", "balances", old.to_str().unwrap(), "--dir", dir]);
    // The book is of today then, and so is all that follows.
    let payments = folder.path().join("payments.csv");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    done(&["declare", dir]);
    done(&["compound", "Ann", "--amount", "0.50", "--dir", dir]);
    done(&["pay", dir]);
    done(&["refund", "sale-01", "--amount", "9.99", "--id", "re-1", "--dir", dir]);
    done(&["refund", "sale-04", "--amount", "7", "--id", "re-2", "--mirror", "--dir", dir]);
    done(&["refund", "sale-02", "--amount", "5", "--id", "dp-1", "--dispute", "--dir", dir]);
    done(&["restore", "sale-02", "--id", "dp-1", "--dir", dir]);
    folder
}

fn export(folder: &Folder, format: &str) -> Vec<String> {
    let dir = folder.path().to_str().unwrap();
    let value = done(&["export", dir, "--format", format]);
    let files = value["files"].as_array().unwrap();
    files.iter().map(|file| file.as_str().unwrap().to_owned()).collect()
}

/// Whether a program finds nothing wrong, and what it says.
fn judged(program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// The same file with one payment of a cent more: its entry balances all the same.
fn planted(file: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("  49.00 ") && text.contains("  -49.00 "), "{text}");
    let more = text.replacen("  49.00 ", "  49.01 ", 1).replacen("  -49.00 ", "  -49.01 ", 1);
    fs::write(file, more).unwrap();
}

#[test]
fn beancount_finds_every_sum_right_and_one_unit_too_many() {
    if !readers_are_asked() {
        return;
    }
    let folder = busy();
    let file = export(&folder, "beancount").remove(0);
    let (right, said) = judged("bean-check", &[&file]);
    assert!(right, "{said}");
    planted(&file);
    let (right, said) = judged("bean-check", &[&file]);
    assert!(!right, "a unit too many is found: {said}");
}

#[test]
fn hledger_finds_every_sum_right_and_one_unit_too_many() {
    if !readers_are_asked() {
        return;
    }
    let folder = busy();
    let file = export(&folder, "hledger").remove(0);
    let (right, said) = judged("hledger", &["check", "--strict", "-f", &file]);
    assert!(right, "{said}");
    planted(&file);
    let (right, said) = judged("hledger", &["check", "--strict", "-f", &file]);
    assert!(!right, "a unit too many is found: {said}");
}

#[test]
fn tables_hold_every_posting_and_no_formula() {
    let folder = busy();
    let files = export(&folder, "csv");
    let read = |file: &String| csv::Reader::from_path(file).unwrap().into_records();
    let sum = |cents: i64, text: &str| cents + text.replace('.', "").parse::<i64>().unwrap();
    let rows: Vec<_> = read(&files[0]).map(Result::unwrap).collect();
    assert_eq!(rows.iter().fold(0, |all, row| sum(all, &row[3])), 0, "entries balance");
    for account in ["Expenses:Duet:Fees", "Expenses:Duet:Fees:SOL", "Assets:Duet:Coins:SOL"] {
        assert!(rows.iter().any(|row| row[2] == *account), "{account}");
    }
    let names: Vec<String> = read(&files[1]).map(|row| row.unwrap()[0].to_owned()).collect();
    assert!(names.iter().any(|name| name.starts_with("'=1+1")), "{names:?}");
}
