//! Runs the conversion vectors: what payouts cost, and what is locked at receipt.
//!
//! Each payout is the whole life of a book: its facts are folded, and its equations hold.

use divvy_core::{
    Amount, Asset, Body, Book, Books, Converted, Error, Evidence, Fact, FeesSet, Hash, Head, Leg,
    Legs, Line, Name, Opened, Plan, Planned, Policy, Rate, Returned, Settled, Share, Signed, Step,
    Stream, Target, Time, Window,
};
use serde_json::Value;

use crate::areas::Tally;
use crate::fields::Fields;

pub(crate) fn run(file: &Value) -> Tally {
    let mut tally = Tally::default();
    tally.hold_each(file, "payouts", payout);
    tally.hold_each(file, "shares", share);
    tally.hold_each(file, "receipts", receipt);
    tally
}

fn payout(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    case.text("id")?;
    let mut lines = Vec::new();
    for (i, line) in case.list("lines")?.iter().enumerate() {
        let mut line = Fields::of(line)?;
        let (amount, fee) = (number(&line.text("arrives")?)?, number(&line.text("fee")?)?);
        line.done()?;
        let payee = said(Name::new(&format!("payee-{i}")))?;
        let fee = (!fee.is_zero()).then_some(fee);
        lines.push(Line { to: payee.to_string(), payee, amount, to_n: None, fee });
    }
    let moved = Some(case.value("moved")?).filter(|moved| !moved.is_null());
    let moved = moved.map(|moved| Fields::of(&moved).and_then(converted)).transpose()?;
    let mut history = said(History::planned(&lines))?;
    let reference = history.reference.clone();
    let settled = Settled { reference: reference.clone(), evidence: evidence(), moved };
    let mut next = Body::Settled(settled);
    for (i, step) in case.list("steps")?.iter().enumerate() {
        let mut step = Fields::of(step)?;
        let returned = step.value("returned")?;
        if i > 0 {
            let line = returned.as_u64().and_then(|line| u32::try_from(line).ok());
            let (lines, reason) = (vec![line.ok_or("no line")?], "closed".to_owned());
            let (reference, evidence) = (reference.clone(), evidence());
            next = Body::Returned(Returned { reference, lines, reason, evidence });
        }
        said(history.follow(&next))?;
        let totals = said(history.book())?.totals().clone();
        let own = [totals.paid, totals.moved, totals.fees_borne].map(|amount| amount.to_string());
        let told = [step.text("paid")?, step.text("moved")?, step.text("borne")?];
        same("paid, moved, borne", &own, &told)?;
        let difference = totals.rate_difference().get().to_string();
        same("difference", &difference, &step.text("difference")?)?;
        step.done()?;
        tally.checks += 4;
    }
    case.done()
}

fn share(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    case.text("id")?;
    let quoted = number(&case.text("quoted")?)?;
    let borne_max = case.value("borne_max")?;
    let borne_max = borne_max.as_str().map(number).transpose()?;
    let mut books = said(opened())?;
    let set = FeesSet { ceiling: None, borne_max };
    let step = said(books.book("b").and_then(|book| book.set_fees(set, Time::ZERO)))?;
    said(books.feed(step.facts()))?;
    let mut lines = Vec::new();
    for payable in case.list("payable")? {
        let (payee, amount) = (said(Name::new("a"))?, number(payable.as_str().ok_or("no text")?)?);
        lines.push(Line { payee, amount, to: "a".to_owned(), to_n: None, fee: None });
    }
    let borne = said(books.book("b"))?.bear(lines.clone(), quoted);
    for (line, before) in borne.iter().zip(&lines) {
        same("the debit", &said(line.debit())?, &before.amount)?;
    }
    let fees = borne.iter().map(|line| line.fee.unwrap_or(Amount::ZERO).to_string());
    let told: Vec<Value> = case.list("fees")?;
    let told = told.iter().map(|fee| fee.as_str().unwrap_or_default().to_owned());
    same("fees", &fees.collect::<Vec<_>>(), &told.collect::<Vec<_>>())?;
    tally.checks += 1;
    case.done()
}

fn receipt(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    case.text("id")?;
    let asset = said(Asset::parse(&case.text("asset")?))?;
    let amount = said(asset.amount(&case.text("amount")?))?;
    let book = said(Asset::parse(&case.text("book")?))?;
    let rate = said(Rate::of_price(asset.clone(), book, &case.text("price")?, "bank", Time::ZERO))?;
    let (rate_num, rate_den) = (rate.num(), rate.den());
    let (source, quoted_at) = ("bank".to_owned(), Time::ZERO);
    let converted = Converted { asset, amount, rate_num, rate_den, source, quoted_at };
    let locked = number(&case.text("locked")?)?;
    same("locked", &said(converted.locked())?, &locked)?;
    same("converted", &said(rate.convert(amount))?, &locked)?;
    tally.checks += 2;
    case.done()
}

/// A book with one batch, as a host keeps it.
struct History {
    books: Books,
    batch: Head,
    reference: String,
}

impl History {
    /// A book in which everyone has earned their line, and one batch pays all of them.
    fn planned(lines: &[Line]) -> Result<Self, Error> {
        let mut books = opened()?;
        let most = lines.iter().filter_map(|line| line.fee).max();
        let set = FeesSet { ceiling: None, borne_max: most };
        feed(&mut books, |book| book.set_fees(set.clone(), Time::ZERO))?;
        for line in lines {
            let brought = divvy_core::Brought {
                earned: line.debit()?,
                paid: Amount::ZERO,
                evidence: evidence(),
            };
            let entry = [(line.payee.clone(), brought)];
            feed(&mut books, |book| book.bring(&entry, Time::ZERO))?;
        }
        let reference = "try 1".to_owned();
        let signed = Signed {
            reference: reference.clone(),
            bytes: vec![1],
            window: Window::Unlimited,
            deadline: Time::MAX,
            sender: None,
            lines: Line::hash(lines),
            claims: vec!["coin".to_owned()],
        };
        let (rail, wallet) = (Name::new("rail")?, Name::new("till")?);
        let planned = Planned { rail, wallet, lines: lines.to_vec() };
        let step = books.plan("b", &[Plan { planned, signed }], Time::ZERO)?;
        books.feed(step.facts())?;
        let batch = Stream::batch(&Name::new("b")?, books.book("b")?.runs() - 1, 0);
        let own = step.facts().iter().rfind(|fact| fact.stream == batch).map(Head::after);
        Ok(Self { books, batch: own.unwrap_or(Head::start(batch)), reference })
    }

    fn follow(&mut self, body: &Body) -> Result<(), Error> {
        let fact = Fact::new(&self.batch, Time::ZERO, body);
        self.batch = Head::after(&fact);
        self.books.feed(&[fact])?;
        self.books.check()
    }

    fn book(&self) -> Result<&Book, Error> {
        self.books.book("b")
    }
}

fn opened() -> Result<Books, Error> {
    let mut books = Books::default();
    let (asset, floor, named_on) = (Asset::parse("USD")?, Amount::ONE, Some(Name::new("rail")?));
    let opened = Opened { asset, policy: Policy::Instant, floor, cooling_secs: 0, named_on };
    let step = books.open(&Name::new("b")?, opened, Time::ZERO)?;
    books.feed(step.facts())?;
    let all = Leg { to: Target::Payee("rest".to_owned()), share: Share::Remaining };
    feed(&mut books, |book| book.set_rule(Time::ZERO, Legs::new(vec![all.clone()])?, Time::ZERO))?;
    Ok(books)
}

fn feed(books: &mut Books, act: impl Fn(&Book) -> Result<Step, Error>) -> Result<(), Error> {
    let step = act(books.book("b")?)?;
    books.feed(step.facts())
}

fn converted(mut case: Fields) -> Result<Converted, String> {
    let digits = |text: String| text.parse::<u64>().map_err(|error| error.to_string());
    let converted = Converted {
        asset: said(Asset::parse(&case.text("asset")?))?,
        amount: number(&case.text("amount")?)?,
        rate_num: digits(case.text("rate_num")?)?,
        rate_den: digits(case.text("rate_den")?)?,
        source: "rail".to_owned(),
        quoted_at: Time::ZERO,
    };
    case.done().map(|()| converted)
}

fn evidence() -> Evidence {
    Evidence { source: "test".to_owned(), hash: Hash::of(b"it"), said: String::new() }
}

fn number(text: &str) -> Result<Amount, String> {
    let minor = text.parse().map_err(|_| format!("no number: {text}"))?;
    said(Amount::new(minor))
}

fn said<T>(result: Result<T, Error>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, own: &T, told: &T) -> Result<(), String> {
    if own == told { Ok(()) } else { Err(format!("{what}: {own:?}, not {told:?}")) }
}
