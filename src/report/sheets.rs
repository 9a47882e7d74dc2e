//! The parts of the page beside payees' money: treasury, fees, what went back, what people decide.

use divvy_core::{Alert, Difference, Runway, TreasuryStatus};
use maud::{Markup, html};

use crate::report::calendar::date;
use crate::report::page::counted;
use crate::report::state::Standing;
use crate::report::{Report, grouped};

/// So many differences, and so many batches, are named.
const NAMED_MAX: usize = 12;

/// How much is there, what it is for, and how long it lasts.
pub(super) fn treasury(report: &Report) -> Markup {
    let Some(status) = &report.standing.treasury else { return html! {} };
    let rows = [
        ("fronted: paid before the money of its payments arrived", status.fronted),
        ("on its way here", status.in_transit),
        ("of that, overdue", status.overdue),
        ("reserved or due to payees", status.due),
        ("must stay", status.reserve),
        ("may still be borrowed", status.credit_headroom),
        ("earned by the platform, ever", status.earned),
        ("to be put in by the owner", status.to_replenish),
    ];
    let shown = rows.iter().filter(|(_, amount)| !amount.is_zero());
    html! {
        section {
            h2 { "The treasury" }
            ul.groups {
                li.came { b { (signed(report, status.balance)) } span { "there" } }
                li.came { b { (signed(report, status.liquidity)) } span { "free to spend" } }
                li.came {
                    b { (days(status)) }
                    span { (Standing::runway(status)) }
                }
            }
            @for alert in &status.alerts { p.alert { (alert_text(*alert)) } }
            table {
                tbody {
                    @for (what, amount) in shown {
                        tr { th scope="row" { (what) } td { (report.text(*amount)) } }
                    }
                    @if status.burn_per_day.get() != 0 {
                        tr {
                            th scope="row" { "goes out beyond what comes in, a day" }
                            td { (signed(report, status.burn_per_day)) }
                        }
                    }
                }
            }
            p.fine {
                (counted(status.lines_settled, "payout line", "payout lines")) " of "
                (grouped(&status.lines_tried.to_string())) " succeeded; "
                (counted(size(report.standing.weeks_closed), "week is", "weeks are")) " closed."
            }
        }
    }
}

fn days(status: &TreasuryStatus) -> String {
    match status.runway {
        Runway::Days(days) => counted(days, "day", "days"),
        Runway::Exhausted => "0 days".to_owned(),
        Runway::Unbounded => "∞".to_owned(),
        Runway::NoHistory | _ => "–".to_owned(),
    }
}

fn alert_text(alert: Alert) -> String {
    match alert {
        Alert::Exhausted => "Nothing can be spent any more.".to_owned(),
        Alert::BalanceLow => "The balance is below the level that was set.".to_owned(),
        Alert::RunwayShort => "It lasts for fewer days than the level that was set.".to_owned(),
        Alert::ShortOn(day) => format!("If things go on like this it is short on {day}."),
        Alert::SettlementOverdue => "A settlement should have arrived by now.".to_owned(),
        Alert::SuccessLow => "Too many payouts fail.".to_owned(),
        _ => alert.to_string(),
    }
}

/// What rails charged, and who bore it.
pub(super) fn costs(report: &Report) -> Markup {
    let standing = &report.standing;
    if standing.charged.is_empty() && standing.rates.get() == 0 {
        return html! {};
    }
    html! {
        section {
            h2 { "What paying cost" }
            table {
                tbody {
                    @for (wallet, fee) in &standing.charged {
                        tr {
                            th scope="row" { "charged to wallet " (wallet) }
                            td { (grouped(&fee.asset.text(fee.amount))) " " (fee.asset.code()) }
                        }
                    }
                    tr {
                        th scope="row" { "borne by payees, who were shown it first" }
                        td { (report.text(standing.borne)) " " (report.asset.code()) }
                    }
                    @if standing.rates.get() != 0 {
                        tr {
                            th scope="row" { "lost to rates between assets" }
                            td { (signed(report, standing.rates)) " " (report.asset.code()) }
                        }
                    }
                }
            }
        }
    }
}

/// What went back to payers, and what became of it.
pub(super) fn went_back(report: &Report) -> Markup {
    let (totals, gone) = (&report.totals, &report.standing.went_back);
    if gone.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { "What went back" }
            table {
                thead {
                    tr {
                        th scope="col" { "payments" } th scope="col" { "times" }
                        th scope="col" { (report.asset.code()) }
                    }
                }
                tbody {
                    @for (word, (count, sum)) in gone {
                        tr {
                            th scope="row" { (word) }
                            td { (grouped(&count.to_string())) } td { (report.text(*sum)) }
                        }
                    }
                }
                tfoot {
                    tr {
                        th scope="row" { "Away now" } td {} td { (report.text(totals.refunded)) }
                    }
                }
            }
            @if !totals.deficit.is_zero() {
                p.fine {
                    (report.text(totals.deficit)) " " (report.asset.code())
                    " of it was declared before, and comes off the next declarations."
                }
            }
        }
    }
}

/// What waits until people have agreed.
pub(super) fn asks(report: &Report) -> Markup {
    let asks = &report.standing.asks;
    let left = asks.len().saturating_sub(NAMED_MAX);
    html! {
        @if !asks.is_empty() {
            section {
                h2 { "Waits until people agree" }
                table {
                    thead {
                        tr {
                            th scope="col" { "batch" } th.text scope="col" { "since" }
                            th scope="col" { "agreed" } th scope="col" { "payees" }
                            th scope="col" { (report.asset.code()) }
                        }
                    }
                    tbody {
                        @for ask in asks.iter().take(NAMED_MAX) {
                            tr {
                                th scope="row" { (ask.batch) }
                                td.text {
                                    time datetime=(ask.asked.since) { (date(ask.asked.since)) }
                                }
                                td { (ask.asked.by.len()) " of " (ask.asked.needed) }
                                td { (ask.lines) } td { (report.text(ask.total)) }
                            }
                        }
                    }
                }
                @if left > 0 { p.note { "and " (grouped(&left.to_string())) " more." } }
            }
        }
    }
}

/// Differences with what rails and providers say.
pub(super) fn breaks(report: &Report) -> Markup {
    let (breaks, closed) = (&report.standing.breaks, report.standing.breaks_closed);
    let amount = |amount| match amount {
        Some(amount) => report.text(amount),
        None => "nothing".to_owned(),
    };
    html! {
        @if !breaks.is_empty() || closed > 0 {
            section {
                h2 { "Differences with statements" }
                p.note {
                    (counted(size(breaks.len()), "is", "are")) " open, "
                    (counted(size(closed), "was", "were")) " closed."
                }
                @if !breaks.is_empty() {
                    table {
                        thead {
                            tr {
                                th scope="col" { "reference" } th.text scope="col" { "why" }
                                th scope="col" { "days" } th scope="col" { "we say" }
                                th scope="col" { "they say" }
                            }
                        }
                        tbody {
                            @for one in breaks.iter().take(NAMED_MAX) {
                                tr {
                                    th scope="row" { (one.reference) }
                                    td.text { (one.cause.name().replace('_', " ")) }
                                    td { (one.age_days(report.now)) }
                                    td { (amount(one.ours)) } td { (amount(one.theirs)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn signed(report: &Report, difference: Difference) -> String {
    let sign = if difference.is_negative() { "−" } else { "" };
    format!("{sign}{}", report.text(difference.magnitude()))
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
