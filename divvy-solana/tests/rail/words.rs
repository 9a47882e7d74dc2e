//! What replies mean, one by one.

use divvy_core::{Amount, Answer, Code, Heard, Name, Rail, State, Time, Turn, Window};

use crate::bank::{RENT, TILL};
use crate::cluster::{Fault, Node};
use crate::drive::{Drive, cluster, line, rail, settings, wallet};

#[test]
fn a_payout_in_peace_is_signed_sent_and_final_and_its_cost_is_known() {
    let rail = rail(settings(2));
    let mut drive = Drive::new(cluster(1), &rail, vec![line(10, 70), line(11, 20)]);
    assert_eq!(drive.finish(), State::Settled);
    assert_eq!(drive.bills, [5_000 + RENT], "a signature, and one account that was made");
    assert_eq!(drive.cluster.bank.held(&wallet(TILL)), 1_000_000 - 90);
}

#[test]
fn what_is_confirmed_is_not_final() {
    let rail = rail(settings(2));
    let mut drive = Drive::new(cluster(1), &rail, vec![line(10, 70)]);
    let signed = drive.sign().unwrap();
    assert_eq!(drive.submit(&signed, Fault::None).unwrap().answers, [Answer::Accepted]);
    drive.pass(2);
    assert_eq!(drive.look().unwrap().answers, [Answer::Accepted]);
    drive.pass(10);
    let seen = drive.look().unwrap();
    assert_eq!(seen.answers, [Answer::Final]);
    assert!(seen.evidence.source.contains("getSignatureStatuses at p1"), "{:?}", seen.evidence);
}

#[test]
fn a_failing_leg_is_named_by_its_line_and_nothing_has_moved() {
    let rail = rail(settings(2));
    let lines = vec![line(10, 70), line(11, 20), line(12, 10)];
    let mut drive = Drive::new(cluster(1), &rail, lines);
    let signed = drive.sign().unwrap();
    // Frozen between the try-out and the landing.
    let frozen = drive.cluster.bank.account(&wallet(12));
    drive.cluster.bank.frozen.insert(frozen);
    drive.submit(&signed, Fault::None);
    drive.pass(20);
    let seen = drive.look().unwrap();
    assert!(
        matches!(&seen.answers[..], [Answer::Refused { line: Some(2), .. }]),
        "{:?}",
        seen.answers
    );
    drive.learn(&seen);
    assert_eq!((drive.batch.state(), drive.bills.as_slice()), (State::Refused, &[5_000][..]));
    assert_eq!(drive.cluster.bank.held(&wallet(10)), 0);
}

#[test]
fn an_empty_wallet_blames_no_payee() {
    let rail = rail(settings(1));
    let mut drive = Drive::new(cluster(1), &rail, vec![line(10, 70)]);
    let signed = drive.sign().unwrap();
    drive.cluster.bank.give(&wallet(TILL), 69);
    drive.submit(&signed, Fault::None);
    drive.pass(20);
    assert!(matches!(drive.look().unwrap().answers[..], [Answer::Declined { .. }]));
    drive.pass(200);
    // And none is signed that the wallet could not pay.
    let error = Drive::new(drive.cluster, &rail, vec![line(10, 70)]).sign().unwrap_err();
    assert_eq!(error.code(), Code::RailRefused);
    assert!(error.to_string().contains("holds 69 and must pay 70"), "{error}");
}

/// Goal: not landed is proven by everything together, and by nothing less. Method: what was sent is
/// dropped, all is well but for one thing, and then that is mended.
#[test]
fn void_takes_every_provider_its_history_and_a_final_block_behind_the_window() {
    let rail = rail(settings(2));
    let spoilers: [fn(&mut Node); 5] = [
        |_| {},
        |node| node.keeps_from = 5_600,
        |node| node.lag = 300,
        |node| node.stale = 200,
        |node| node.genesis = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxkZr111",
    ];
    for (at, spoil) in spoilers.into_iter().enumerate() {
        let mut drive = Drive::new(cluster(1), &rail, vec![line(10, 70)]);
        let signed = drive.sign().unwrap();
        drive.submit(&signed, Fault::Dropped);
        let Window::UntilHeight(last) = signed.window else { panic!("{signed:?}") };
        while drive.cluster.height() <= last {
            assert_eq!(drive.look().unwrap().answers, [Answer::Unknown]);
            drive.pass(5);
        }
        drive.pass(30);
        spoil(&mut drive.cluster.nodes[1]);
        let answer = drive.look().unwrap().answers.remove(0);
        assert_eq!(answer == Answer::Void, at == 0, "{at}: {answer:?}");
        drive.cluster.nodes[1] = Node::GOOD;
        assert_eq!(drive.look().unwrap().answers, [Answer::Void]);
    }
}

#[test]
fn a_provider_of_another_chain_stops_everything_and_a_lagging_one_is_not_asked() {
    let rail = rail(settings(2));
    let mut drive = Drive::new(cluster(1), &rail, vec![line(10, 70)]);
    drive.cluster.nodes[1].genesis = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxkZr111";
    let error = drive.sign().unwrap_err();
    assert_eq!(error.code(), Code::RailRefused);
    assert!(error.to_string().contains("p1 is of another chain"), "{error}");
    drive.cluster.nodes = vec![Node { lag: 101, ..Node::GOOD }, Node::GOOD];
    let signed = drive.sign().unwrap();
    let height = drive.cluster.height();
    let Window::UntilHeight(last) = signed.window else { panic!("{signed:?}") };
    assert!(last + 4 > height + 150, "{last} is of the node that lags, at {height}");
}

#[test]
fn what_is_no_address_is_left_out_and_everyone_else_is_packed() {
    let rail = rail(settings(1));
    let mut odd = line(11, 20);
    odd.to = "platform".to_owned();
    let lines = vec![odd.clone(), line(10, 70), line(12, 10)];
    let mut drive = Drive::new(cluster(1), &rail, lines.clone());
    let packs = drive.pack(&lines).unwrap();
    assert_eq!(packs.iter().flat_map(|pack| pack.lines.clone()).collect::<Vec<_>>(), [1, 2]);
    let error = drive.pack(&[odd]).unwrap_err();
    assert!(error.code() == Code::RailRefused && error.to_string().contains("platform"), "{error}");
}

#[test]
fn lines_are_packed_by_what_is_there_and_rent_is_quoted() {
    let mut plain = settings(1);
    plain.sol_worth = Amount::new(100_000_000).unwrap();
    let rail = rail(plain.clone());
    let mut drive = Drive::new(cluster(1), &rail, vec![line(10, 1)]);
    let lines: Vec<_> = (10..30).map(|n| line(n, 5)).collect();
    let packs = drive.pack(&lines).unwrap();
    let mut all: Vec<usize> = packs.iter().flat_map(|pack| pack.lines.clone()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..20).collect::<Vec<_>>());
    assert_eq!(packs.len(), 2);
    // Ten accounts at 1,488,440 lamports, at 100 a SOL, are 1.49; the rest is for priority.
    let fee: u64 = packs.iter().map(|pack| pack.fee.get()).sum();
    assert!(fee > 1_488_440, "{fee}");
    for pack in packs {
        let lines = pack.lines.iter().map(|at| lines[*at].clone()).collect();
        let mut drive = Drive::new(cluster(1), &rail, lines);
        assert_eq!(drive.finish(), State::Settled);
    }

    plain.makes_accounts = false;
    let strict = crate::drive::rail(plain);
    let mut drive = Drive::new(cluster(1), &strict, vec![line(10, 1)]);
    let places: Vec<usize> = drive.pack(&lines).unwrap().remove(0).lines;
    assert_eq!(places, (0..20).step_by(2).collect::<Vec<_>>());
    let error = drive.pack(&[line(11, 5)]).unwrap_err();
    assert!(error.to_string().contains("none may be made"), "{error}");
}

#[test]
fn what_the_wallet_paid_and_no_fact_knows_is_shown_with_its_lines() {
    let rail = rail(settings(2));
    let mut drive = Drive::new(cluster(1), &rail, vec![line(10, 70), line(11, 20)]);
    drive.finish();
    let (now, shop) = (drive.now, Name::new("shop").unwrap());
    let mut beyond = |book: &Name, run| drive.talk(|heard| rail.beyond(book, run, heard, now));
    let strangers = beyond(&shop, 3).unwrap();
    let [stranger] = strangers.as_slice() else { panic!("{strangers:?}") };
    assert_eq!(stranger.batch.as_str(), "batch/shop/3/0");
    let lines: Vec<_> = stranger.lines.iter().map(|line| (&*line.to, line.amount.get())).collect();
    let (ann, bob) = (wallet(10).to_string(), wallet(11).to_string());
    assert_eq!(lines, [(&*ann, 70), (&*bob, 20)]);
    assert_eq!(stranger.answer, Answer::Final);
    assert_eq!(beyond(&shop, 4).unwrap(), []);
    assert_eq!(beyond(&Name::new("sho").unwrap(), 0).unwrap(), []);
}

/// Goal: asking whether older facts were put back stays cheap however long a wallet has paid.
/// Method: many payouts of one run; nobody asks for them one by one, nor at all for a later run.
#[test]
fn however_much_a_wallet_has_paid_it_is_told_in_a_few_turns() {
    let rail = rail(settings(2));
    let mut world = cluster(1);
    for n in 0..20 {
        let mut drive = Drive::new(world, &rail, vec![line(10, 1 + n)]);
        assert_eq!(drive.finish(), State::Settled);
        world = drive.cluster;
    }
    let mut drive = Drive::new(world, &rail, vec![line(10, 1)]);
    let (now, shop) = (drive.now, Name::new("shop").unwrap());
    drive.cluster.asked.clear();
    assert_eq!(drive.talk(|heard| rail.beyond(&shop, 4, heard, now)).unwrap(), []);
    assert!(!drive.cluster.asked.contains("getTransaction"), "{:?}", drive.cluster.asked);
    // Sixteen turns are what anybody has.
    let strangers = drive.talk(|heard| rail.beyond(&shop, 3, heard, now)).unwrap();
    let mut amounts: Vec<u64> = strangers.iter().map(|one| one.lines[0].amount.get()).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, (1..=20).collect::<Vec<_>>());
}

/// Goal: of many pages one that nobody answers costs that page another try, not all of them.
/// Method: each provider leaves another page unanswered.
#[test]
fn each_page_of_accounts_is_told_by_whoever_answers_it() {
    let rail = rail(settings(2));
    let mut world = cluster(1);
    let others = (0..=255).filter(|n| ![TILL, 200].contains(n));
    let lines: Vec<_> = others.take(250).map(|n| line(n, 1)).collect();
    let account = |n: u8| cluster(1).bank.account(&wallet(n)).to_string();
    let (of_first, of_second) = (account(0), account(130));
    let mut heard = Vec::new();
    let packs = loop {
        match rail.pack(&lines, &heard, Time::ZERO).unwrap() {
            Turn::Done(packs) => break packs,
            Turn::Ask(requests) => heard.extend(requests.into_iter().map(|request| {
                let asked = String::from_utf8_lossy(&request.body);
                let lost = if request.url.ends_with('0') { &of_second } else { &of_first };
                let fault = if asked.contains(lost) { Fault::Deaf } else { Fault::None };
                let reply = world.serve(&request, fault);
                Heard { request, reply }
            })),
        }
    };
    assert_eq!(packs.iter().map(|pack| pack.lines.len()).sum::<usize>(), 250);
    let pages = heard.iter().filter(|one| one.request.body.len() > 1_000).count();
    assert_eq!(pages, 4, "three pages, and the second once more");
}

#[test]
fn no_request_shows_a_secret_and_addresses_are_looked_at() {
    let rail = rail(settings(1));
    for (address, fits) in [
        (wallet(10).to_string(), true),
        (wallet(TILL).to_string(), false),
        (rail.source().to_string(), false),
        (divvy_solana::token::PROGRAM.to_string(), false),
        // A token account of somebody else: no key exists for it.
        (cluster(1).bank.account(&wallet(10)).to_string(), false),
        ("ann".to_owned(), false),
    ] {
        let checked = rail.check_address(&address);
        assert_eq!(checked.is_ok(), fits, "{address}");
        if let Err(error) = checked {
            assert_eq!(error.code(), Code::RailRefused);
        }
    }
    assert!(!format!("{rail:?}").contains("node-0"));
}
