//! The page of `divvy report`, while somebody has to look at something.

use std::fs;

use crate::approvals::{SETTINGS, key};
use crate::command::{Folder, done, run};

/// The rows of the table below a heading, as the text of their cells.
fn rows(folder: &Folder, heading: &str) -> Vec<Vec<String>> {
    let page = page(folder);
    let section = page.split("<section>").find(|part| part.contains(&format!("<h2>{heading}")));
    let body = section.and_then(|part| part.split("<tbody>").nth(1));
    let body = body.and_then(|part| part.split("</tbody>").next()).unwrap_or_default();
    let cell = |part: &str| {
        let text = part.split('<').enumerate().map(|(at, piece)| match at {
            0 => piece,
            _ => piece.split_once('>').map_or("", |(_, text)| text),
        });
        text.collect::<String>().split_once('>').map_or(String::new(), |(_, text)| text.to_owned())
    };
    let cells = |row: &str| -> Vec<String> {
        let row = row.replace("<th ", "<td ").replace("<td>", "<td >").replace("</th>", "</td>");
        row.split("<td ").skip(1).map(|part| cell(part.split("</td>").next().unwrap())).collect()
    };
    body.split("<tr>").skip(1).map(cells).collect()
}

fn page(folder: &Folder) -> String {
    let file = folder.path().join("page.html");
    done(&["report", folder.path().to_str().unwrap(), "--out", file.to_str().unwrap()]);
    fs::read_to_string(file).unwrap()
}

#[test]
fn open_breaks_are_on_the_page_until_they_are_closed() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    done(&["run", dir]);
    assert!(!page(&folder).contains("Differences with statements"), "there is none");
    let text = "reference,amount,at\nghost,12.00,2026-02-27T00:00:00Z\n";
    let file = folder.write("statement.csv", text);
    let until = "2026-02-28T00:00:00Z";
    let found = run(&["reconcile", dir, "--statement", file.to_str().unwrap(), "--until", until]);
    let page_now = page(&folder);
    assert!(page_now.contains("1 is open, 0 were closed."), "counted");
    assert!(page_now.contains("difference with a statement is"), "and told at the top");
    let seen = rows(&folder, "Differences with statements");
    assert_eq!(seen.len(), 1);
    assert_eq!((&*seen[0][0], &*seen[0][1]), ("ghost", "missing ours"));
    assert_eq!(seen[0][2], "0", "found a moment ago");
    assert_eq!((&*seen[0][3], &*seen[0][4]), ("nothing", "12.00"), "we say, they say");

    let id = found.value["breaks"][0]["id"].as_str().unwrap();
    done(&["break", "close", id, "--reason", "it was ours", "--dir", dir]);
    assert!(page(&folder).contains("0 are open, 1 was closed."));
    assert_eq!(rows(&folder, "Differences with statements"), Vec::<Vec<String>>::new());
}

#[test]
fn what_waits_for_people_is_on_the_page_until_they_have_agreed() {
    let folder = Folder::new("page");
    let dir = folder.path().to_str().unwrap();
    let ((ann, ann_key), (bob, bob_key)) = (key(&folder, "ann"), key(&folder, "bob"));
    let people = format!("ann = \"{ann_key}\"\nbob = \"{bob_key}\"");
    let approvals = "\n[approvals]\nlimit = \"20.00\"\nneeded = 2\n[approvals.people]\n";
    folder.write("divvy.toml", format!("{SETTINGS}{approvals}{people}\n"));
    let payments = folder.write("p.csv", "id,paid_at,amount\n1,2026-03-01T00:00:00Z,50.00\n");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    assert!(!page(&folder).contains("Waits until people agree"), "nothing is planned");
    done(&["pay", dir]);
    let batch = run(&["approvals", dir]).value["waiting"][0]["batch"].as_str().unwrap().to_owned();
    for (who, agreed) in [(None, "0 of 2"), (Some(&ann), "1 of 2"), (Some(&ann), "1 of 2")] {
        who.map(|who| done(&["approve", dir, &batch, "--key", who]));
        let seen = rows(&folder, "Waits until people agree");
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert_eq!((&*seen[0][0], &*seen[0][2]), (&*batch, agreed));
        assert_eq!((&*seen[0][3], &*seen[0][4]), ("1", "50.00"), "payees, and how much");
        assert!(page(&folder).contains("batch waits"), "and told at the top");
    }
    done(&["approve", dir, &batch, "--key", &bob]);
    done(&["pay", dir]);
    assert!(!page(&folder).contains("Waits until people agree"));
}

#[test]
fn a_page_adds_up_where_a_pool_passes_on_and_where_money_becomes_units() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "{ payee = \"collaborator\"", "{ pool = \"fans\"");
    let pools = "[pool]\nname = \"fans\"\nsupply = \"10\"\nholders = \"fans.csv\"\n\
                 [[pools]]\nname = \"crew\"\nsupply = \"3\"\nholders = \"crew.csv\"\n\
                 payee = \"fund\"\n[payments]";
    folder.edit("divvy.toml", "[payments]", pools);
    folder.edit(
        "divvy.toml",
        "tick_secs",
        "holds = [{ payee = \"ann\", reason = \"x\" }]\ntick_secs",
    );
    folder.write("fans.csv", "holder,units\nann,5\nfund,5\n");
    folder.write("crew.csv", "holder,units\nbob,1\ncyd,2\n");
    done(&["run", dir]);
    // 5 % of 657.50 is 32.87, of which the fund passes its half on: only that leaves nowhere.
    done(&["compound", "ann", "--amount", "0.43", "--dir", dir]);
    let status = done(&["status", dir]);
    assert_eq!((&status["passed_on"], &status["refunded"]), (&"16.43".into(), &"0.00".into()));
    let seen = rows(&folder, "Every unit has its place");
    assert_eq!(seen, [["Payments", "657.50"]]);
    let page = page(&folder);
    let paid = page.split("Paid out</th><td>").nth(1).unwrap().split('<').next().unwrap();
    let cents = |text: &str| text.replace('.', "").parse::<u64>().unwrap();
    let all = cents(status["paid"].as_str().unwrap());
    assert_eq!(cents(paid) + 43, all, "what left, and nothing else");
    assert!(page.contains("Turned into units</th><td>0.43"), "and what was staked is apart");
}
