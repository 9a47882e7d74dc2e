//! The page itself. Whatever comes from data is escaped by the templates.

use divvy_core::{Amount, Name, Units};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::calendar::{Moved, Stretches, date};
use crate::report::chart::{Subject, chart};
use crate::report::places::Place;
use crate::report::waiting::{Until, Wait};
use crate::report::{PoolPart, Report, grouped, sheets};

pub(super) fn page(report: &Report) -> Markup {
    let title = format!("{}: where the money is", report.book);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={"divvy " (env!("CARGO_PKG_VERSION"))};
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                main {
                    (opening(report))
                    (places(report))
                    @if let Some(stretches) = report.days.stretches() {
                        (over_time(report, &stretches))
                    }
                    (looks(report))
                    (sheets::asks(report))
                    (waiting(report))
                    (sheets::treasury(report))
                    (sheets::went_back(report))
                    (payouts(report))
                    (sheets::costs(report))
                    (sheets::breaks(report))
                    @for pool in &report.pools { (holders(report, pool)) }
                    (proofs(report))
                }
                footer {
                    "Made by Divvy on " time datetime=(report.now) { (date(report.now)) }
                    ". One file, no network, nothing that watches you."
                }
            }
        }
    }
}

fn opening(report: &Report) -> Markup {
    let code = report.asset.code();
    let totals = &report.totals;
    html! {
        header {
            p.kicker { "Where the money is" }
            h1 { (report.book) }
            p.lead {
                @match report.days.ends() {
                    None => {
                        "Nothing has come in yet: the first payment shows up on this page."
                    }
                    Some((first, last)) => {
                        @if first == last { "On " (date(first)) ", " }
                        @else { "From " (date(first)) " to " (date(last)) ", " }
                        strong.came { (report.text(totals.recorded)) " " (code) }
                        " came in and "
                        strong.paid { (report.text(report.went_out)) " " (code) }
                        " went out to those who earned it, in "
                        (counted(totals.lines_settled, "payout", "payouts")) "."
                    }
                }
            }
        }
    }
}

fn places(report: &Report) -> Markup {
    let column = |title: &str, places: &[Place]| {
        html! {
            table {
                caption { (title) }
                tbody {
                    @for place in places {
                        tr {
                            th scope="row" { i class={"dot " (place.class)} {} (place.what) }
                            td { (report.text(place.amount)) }
                        }
                    }
                }
                tfoot {
                    tr { th scope="row" { "Together" } td { (report.text(report.places.sum)) } }
                }
            }
        }
    };
    html! {
        @if !report.places.sum.is_zero() {
            section {
                h2 { "Every unit has its place" }
                p.note { "Both columns have the same sum, in " (report.asset.code()) ". Always." }
                div.bar aria-hidden="true" {
                    @for place in &report.places.is {
                        i class=(place.class)
                            style={"flex-grow:" (permille(place.amount, report.places.sum))} {}
                    }
                }
                div.pair {
                    (column("It came from", &report.places.came))
                    (column("It is", &report.places.is))
                }
            }
        }
    }
}

fn over_time(report: &Report, stretches: &Stretches) -> Markup {
    let word = stretches.step.word();
    let code = report.asset.code();
    let totals = &report.totals;
    let went_back = !totals.refunded.is_zero();
    let about = format!(
        "Bars, one for each {word}: what came in above the line, what went out below it. {} {code} \
         in, {} {code} out together; the figures follow below.",
        report.text(totals.recorded),
        report.text(report.went_out)
    );
    let about_sums = format!(
        "Two rising lines: everything that came in and stayed, now {} {code}, and everything paid \
         out, now {} {code}. The gap between them is what waits.",
        report.text(totals.recorded.less(totals.refunded)),
        report.text(report.went_out)
    );
    html! {
        section {
            h2 { "In and out, " (word) " by " (word) }
            p.legend {
                span { i.dot.came {} "came in" }
                span { i.dot.paid {} "paid out" }
                @if went_back { span { i.dot.back {} "went back" } }
            }
            (chart(Subject::Flows, stretches, &report.asset, &about))
            h2 { "Until now" }
            p.legend {
                span { i.dot.came {} "came in and stayed" }
                span { i.dot.paid {} "paid out" }
            }
            (chart(Subject::Sums, stretches, &report.asset, &about_sums))
            details {
                summary { "The figures" }
                (figures(report, stretches))
            }
        }
    }
}

fn figures(report: &Report, stretches: &Stretches) -> Markup {
    let signed = |minor: i64| {
        let text = Amount::new(minor.unsigned_abs()).map(|amount| report.text(amount));
        let text = text.unwrap_or_default();
        if minor < 0 { format!("−{text}") } else { text }
    };
    html! {
        table {
            thead {
                tr {
                    th scope="col" { (stretches.step.word()) " of" }
                    th scope="col" { "in" } th scope="col" { "out" } th scope="col" { "back" }
                }
            }
            tbody {
                @for (begin, Moved { came, back, out }) in &stretches.bars {
                    tr {
                        th scope="row" { (date(*begin)) }
                        td { (signed(*came)) } td { (signed(*out)) } td { (signed(*back)) }
                    }
                }
            }
        }
    }
}

/// What a person should look at, if anything.
fn looks(report: &Report) -> Markup {
    let waiting = &report.waiting;
    let standing = &report.standing;
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let looks = [
        (count(standing.asks.len()), "batch waits", "batches wait", "until people agree"),
        (
            count(standing.breaks.len()),
            "difference with a statement is",
            "differences with statements are",
            "open",
        ),
        (
            count(standing.treasury.as_ref().map_or(0, |treasury| treasury.alerts.len())),
            "alert",
            "alerts",
            "of the treasury",
        ),
        (
            report.in_review(),
            "batch waits",
            "batches wait",
            "for a person: nobody knows whether it was paid",
        ),
        (waiting.held, "payee is", "payees are", "held"),
        (
            waiting.owing,
            "payee owes",
            "payees owe",
            "something back: it comes off the next payouts",
        ),
    ];
    html! {
        section {
            h2 { "Wants a look" }
            @if looks.iter().all(|(count, ..)| *count == 0) {
                p.fine { "Nothing. Every batch is known, nobody is held or owes, nothing differs." }
            } @else {
                ul.looks {
                    @for (count, one, many, what) in looks {
                        @if count > 0 {
                            li { strong { (counted(count, one, many)) } " " (what) "." }
                        }
                    }
                }
            }
        }
    }
}

fn waiting(report: &Report) -> Markup {
    let waiting = &report.waiting;
    let left = waiting.count.saturating_sub(waiting.largest.len());
    html! {
        section {
            h2 { "Who waits, and for what" }
            @if waiting.count == 0 {
                p.fine { "Nobody: everything that was earned is paid, or in a batch." }
            } @else {
                ul.groups {
                    @for (why, (count, sum)) in &waiting.groups {
                        li {
                            b { (report.text(*sum)) }
                            span { (counted(*count, "payee", "payees")) ", " (why.text()) }
                        }
                    }
                }
                table.named {
                    caption { "The largest" }
                    thead {
                        tr {
                            th scope="col" { "payee" } th.text scope="col" { "until" }
                            th scope="col" { (report.asset.code()) }
                        }
                    }
                    tbody { @for wait in &waiting.largest { (waits(report, wait)) } }
                }
                @if left > 0 { p.note { "and " (grouped(&left.to_string())) " more." } }
            }
        }
    }
}

fn waits(report: &Report, wait: &Wait) -> Markup {
    html! {
        tr {
            th scope="row" { (report.name(wait.place, &wait.payee)) }
            td.text {
                @match &wait.until {
                    Until::Now => "the next payout",
                    Until::On(time) => { time datetime=(time) { (date(*time)) } },
                    Until::Reaches(min) => { "it reaches " (report.text(*min)) },
                    Until::Fee(most) => { "the fee is " (report.text(*most)) " or less" },
                    Until::Told(reason) => { (wait.why.text()) ": " (reason) },
                }
            }
            td { (report.text(wait.payable)) }
        }
    }
}

fn holders(report: &Report, pool: &PoolPart) -> Markup {
    let held = pool.largest.iter().map(|(_, units)| u128::from(units.get())).sum::<u128>();
    let supply = u128::from(pool.supply.get());
    let most = pool.largest.first().map_or(Units::ZERO, |(_, units)| *units);
    let row = |(place, (name, units)): (usize, &(Name, Units))| {
        html! {
            tr {
                th scope="row" { (report.name(place, name)) }
                td.share {
                    i style={"width:" (percent(units.get().into(), most.get().into()))} {}
                }
                td { (grouped(&units.to_string())) }
                td { (percent(units.get().into(), supply)) }
            }
        }
    };
    html! {
        section {
            h2 { "Who holds " (pool.name) }
            p.note {
                (counted(u64::try_from(pool.holders).unwrap_or(u64::MAX), "holder", "holders"))
                " of " (grouped(&pool.supply.to_string())) " units; "
                (report.text(pool.declared)) " " (report.asset.code()) " declared to them."
                @if pool.holders > pool.largest.len() {
                    " The largest " (pool.largest.len()) " hold " (percent(held, supply)) "."
                }
            }
            @if !pool.largest.is_empty() {
                table.holders.named {
                    thead {
                        tr {
                            th scope="col" { "holder" }
                            td.share {}
                            th scope="col" { "units" }
                            th scope="col" { "share" }
                        }
                    }
                    tbody { @for one in pool.largest.iter().enumerate() { (row(one)) } }
                }
            }
        }
    }
}

fn payouts(report: &Report) -> Markup {
    html! {
        @if !report.batches.is_empty() {
            section {
                h2 { "Payouts by batch" }
                table {
                    thead {
                        tr {
                            th scope="col" { "state" } th scope="col" { "batches" }
                            th scope="col" { (report.asset.code()) }
                        }
                    }
                    tbody {
                        @for (state, (count, total)) in &report.batches {
                            tr {
                                th scope="row" { (state) }
                                td { (grouped(&count.to_string())) } td { (report.text(*total)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn proofs(report: &Report) -> Markup {
    let proof = &report.proof;
    html! {
        section {
            h2 { "Check it yourself" }
            p {
                "For this page " (counted(proof.facts, "fact was", "facts were"))
                " read from the first on, and every hash, part and sum was computed again. "
                "Whoever has the database gets the same digest from " code { "divvy verify" } "."
            }
            dl {
                dt { "Digest of all facts" }
                dd { code { (proof.digest) } }
                @if let Some((at, root)) = &proof.seal {
                    dt {
                        "Latest seal, " (date(*at)) ", with those before it over "
                        (counted(proof.sealed, "fact", "facts"))
                    }
                    dd { code { (root) } }
                }
                @for (pool, (at, root)) in &proof.roots {
                    dt { "Who held " (pool) " at the latest declaration, " (date(*at)) }
                    dd { code { (root) } }
                }
            }
        }
    }
}

pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(&count.to_string()), if count == 1 { one } else { many })
}

/// A part in thousandths, never none of what is there.
fn permille(part: Amount, whole: Amount) -> u128 {
    let wide = u128::from(part.get()).saturating_mul(1_000);
    wide.checked_div(whole.get().into()).unwrap_or(0).max(4)
}

/// A part in percent, with one digit behind the point.
fn percent(part: u128, whole: u128) -> String {
    let tenths = part.saturating_mul(1_000).checked_div(whole).unwrap_or(0);
    let (whole, rest) = (tenths.checked_div(10).unwrap_or(0), tenths.checked_rem(10).unwrap_or(0));
    format!("{whole}.{rest}%")
}
