//! Goal: what rails charge is known however a try ends, a price stops what would be signed, and
//! what moved in another asset is kept at what it was worth.
//! Method: a till that charges, a sender whom nobody answers, and a rail that swaps.

use std::sync::Arc;

use divvy::core::{
    Amount, Answer, Asset, Bill, Code, Converted, Error, Fee, FeesSet, Heard, Job, Line, Name,
    Pack, Rail, Request, Seen, Signed, Stranger, Time, Timing, Turn,
};
use divvy::sandbox::{Sandbox, Terms, WindowKind};
use divvy::{Divvy, Worker};

use crate::shop::{BOOK, Folder, Losing, Till, at, open, paid, take};

/// A till that charges three cents a line, and quotes so much for each.
fn charging(window: WindowKind, quoted: u64) -> Till {
    let mut till = Till::new(Terms { window, fee: 3, ..Terms::default() }, 10);
    till.settings.fee_asset = Some(usd());
    till.settings.fee_quoted = amount(quoted);
    till
}

fn usd() -> Asset {
    Asset::parse("USD").unwrap()
}

fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

async fn set(divvy: &mut Divvy, ceiling: Option<u64>, borne_max: Option<u64>) {
    let (ceiling, borne_max) = (ceiling.map(amount), borne_max.map(amount));
    let mut book = divvy.book(BOOK).unwrap();
    book.set_fees(&FeesSet { ceiling, borne_max }, at(0)).await.unwrap();
}

const WINDOWS: [WindowKind; 4] =
    [WindowKind::Unlimited, WindowKind::Until, WindowKind::UntilHeight, WindowKind::Once];

#[tokio::test]
async fn what_is_charged_is_known_in_every_window_and_borne_as_it_was_shown() {
    for window in WINDOWS {
        let (folder, till) = (Folder::new(), charging(window, 2));
        let mut divvy = open(&folder.file("shop.db"), 25).await;
        set(&mut divvy, None, Some(1)).await;
        take(&mut divvy, "p1", 25, at(0)).await;
        let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
        worker.tick(&mut divvy, at(1)).await.unwrap();
        worker.tick(&mut divvy, at(400)).await.unwrap();
        let totals = divvy.books().book(BOOK).unwrap().totals().clone();
        assert_eq!((paid(&divvy), till.moved()), (2_500, 2_475), "{window:?}");
        assert_eq!((totals.fees_borne, totals.fees_charged), (amount(25), amount(75)));
        assert_eq!(till.keeper.world().charged(), 75, "{window:?}");
        divvy.verify().await.unwrap();
    }
}

#[tokio::test]
async fn a_try_whose_price_is_above_the_ceiling_waits_until_it_is_not() {
    let (folder, till) = (Folder::new(), charging(WindowKind::Until, 3));
    let mut divvy = open(&folder.file("shop.db"), 25).await;
    // Ten lines at three cents are above it, and the last five are not.
    set(&mut divvy, Some(29), None).await;
    take(&mut divvy, "p1", 25, at(0)).await;
    let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
    let tick = worker.tick(&mut divvy, at(1)).await.unwrap();
    assert_eq!((tick.lines, till.moved()), (5, 500));
    let obstacle = worker.obstacles().pop().unwrap();
    assert_eq!(obstacle.code(), Code::FeeAboveCeiling, "{obstacle}");
    set(&mut divvy, Some(30), None).await;
    let tick = worker.tick(&mut divvy, at(2)).await.unwrap();
    assert_eq!((tick.lines, till.moved()), (20, 2_500), "equal to it is fine");
    assert!(worker.obstacles().is_empty());
}

#[tokio::test]
async fn what_is_signed_anew_is_held_to_the_price_of_then() {
    let (folder, till) = (Folder::new(), charging(WindowKind::Until, 3));
    let mut divvy = open(&folder.file("shop.db"), 5).await;
    set(&mut divvy, Some(15), None).await;
    take(&mut divvy, "p1", 5, at(0)).await;
    // The first try is lost on its way, and void after its deadline and grace.
    let mut losing = Worker::new(till.rails(), Arc::new(Losing(till.keeper.clone()))).unwrap();
    assert_eq!(losing.tick(&mut divvy, at(1)).await.unwrap().lines, 5);
    set(&mut divvy, Some(14), None).await;
    let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
    for secs in [5_000, 10_000] {
        worker.tick(&mut divvy, at(secs)).await.unwrap();
    }
    assert_eq!((till.moved(), worker.obstacles().len()), (0, 1));
    set(&mut divvy, Some(15), None).await;
    worker.tick(&mut divvy, at(15_000)).await.unwrap();
    assert_eq!((till.moved(), worker.obstacles().len()), (500, 0));
}

/// A sandbox that pays in a token: each cent as ten thousand, of which a hundred are worth 99.
#[derive(Debug)]
struct Swapping(Sandbox);

impl Rail for Swapping {
    fn name(&self) -> &Name {
        self.0.name()
    }
    fn wallet(&self) -> &Name {
        self.0.wallet()
    }
    fn timing(&self) -> Timing {
        self.0.timing()
    }
    fn check_address(&self, address: &str) -> Result<(), Error> {
        self.0.check_address(address)
    }
    fn pack(&self, lines: &[Line], heard: &[Heard], now: Time) -> Result<Turn<Vec<Pack>>, Error> {
        self.0.pack(lines, heard, now)
    }
    fn sign(&self, job: &Job, heard: &[Heard], now: Time) -> Result<Turn<Signed>, Error> {
        self.0.sign(job, heard, now)
    }
    fn submit(&self, signed: &Signed, now: Time) -> Request {
        self.0.submit(signed, now)
    }
    fn look(&self, tries: &[Signed], heard: &[Heard], now: Time) -> Result<Turn<Seen>, Error> {
        let Turn::Done(mut seen) = self.0.look(tries, heard, now)? else {
            return self.0.look(tries, heard, now);
        };
        for (signed, answer) in tries.iter().zip(&seen.answers) {
            if *answer == Answer::Final {
                let moved = Converted {
                    asset: Asset::parse("USDT@6").unwrap(),
                    amount: amount(5_000_000),
                    rate_num: 99,
                    rate_den: 1_000_000,
                    source: "the rail".to_owned(),
                    quoted_at: now,
                };
                let fees = vec![Fee { asset: Asset::parse("SOL@9").unwrap(), amount: amount(5) }];
                let (reference, moved) = (signed.reference.clone(), Some(moved));
                seen.bills.push(Bill { reference, fees, moved });
            }
        }
        Ok(Turn::Done(seen))
    }
    fn beyond(
        &self,
        book: &Name,
        run: u64,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Stranger>>, Error> {
        self.0.beyond(book, run, heard, now)
    }
}

#[tokio::test]
async fn what_moved_in_another_asset_is_kept_at_its_worth_and_every_journal_balances() {
    let (folder, till) = (Folder::new(), Till::plain(WindowKind::Until, 10));
    let mut divvy = open(&folder.file("shop.db"), 5).await;
    take(&mut divvy, "p1", 5, at(0)).await;
    let rail = Swapping(Sandbox::new(till.settings.clone()).unwrap());
    let mut worker = Worker::new(vec![Arc::new(rail)], till.sender()).unwrap();
    worker.tick(&mut divvy, at(1)).await.unwrap();
    let totals = divvy.books().book(BOOK).unwrap().totals().clone();
    assert_eq!((paid(&divvy), totals.moved), (500, amount(495)));
    assert_eq!(totals.rate_difference().get(), 5, "five cents stayed in the treasury");
    let entries = divvy.book(BOOK).unwrap().entries(false, true).await.unwrap();
    let told: Vec<_> = entries.iter().map(|e| (e.asset.to_string(), e.amount.get())).collect();
    assert_eq!(told, [("USDT@6".to_owned(), 5_000_000), ("SOL@9".to_owned(), 5)]);
    for format in [divvy::Format::Beancount, divvy::Format::Hledger] {
        let text = divvy.export(BOOK, format).await.unwrap().remove(0).text;
        for line in ["Income:Shop:Rates  -0.05", "Assets:Shop  0.05", "Expenses:Shop:Fees:SOL "] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
