//! Signing a try: its reference, its window, its coin and its bytes.

use std::collections::BTreeSet;

use divvy_core::{Code, Error, Hash, Heard, Job, Line, Request, Signed, Time, Turn, Window};
use serde::Serialize;

use crate::sandbox::rail::Sandbox;
use crate::sandbox::rail::read::{coin_spent, coins_unspent, height};
use crate::sandbox::world::WindowKind;

impl Sandbox {
    pub(super) fn sign_try(
        &self,
        job: &Job,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Signed>, Error> {
        let deadline = now.plus_secs(self.settings.deadline_secs);
        let mut coins = Vec::new();
        let window = match self.settings.window {
            WindowKind::Once => Window::Once,
            WindowKind::Until => {
                // The key outlives the deadline by more than anything takes to land.
                let grace = self.settings.timing.grace_secs;
                Window::Until(deadline.plus_secs(grace.saturating_mul(2)))
            }
            WindowKind::UntilHeight => match self.tip(heard, now)? {
                Turn::Ask(asked) => return Ok(Turn::Ask(asked)),
                Turn::Done(tip) => Window::UntilHeight(tip.saturating_add(self.heights())),
            },
            WindowKind::Unlimited => match self.coin(job, heard, now)? {
                Turn::Ask(asked) => return Ok(Turn::Ask(asked)),
                Turn::Done(coin) => {
                    coins.push(coin);
                    Window::Unlimited
                }
            },
        };
        let lines = Line::hash(&job.lines);
        let reference = reference(job, lines);
        let bytes = bytes(job, &reference, window, &coins);
        let sender = (window == Window::Once).then(|| job.sender.clone());
        let signed = Signed { reference, bytes, window, deadline, sender, lines, claims: coins };
        Ok(Turn::Done(signed))
    }

    fn tip(&self, heard: &[Heard], now: Time) -> Result<Turn<u64>, Error> {
        let asked = self.ask(&["height"], &[], now);
        let Some(found) = Self::heard(&asked, heard) else { return Ok(Turn::Ask(vec![asked])) };
        height(found).map(Turn::Done).ok_or_else(|| unreadable(&asked, "a height"))
    }

    /// How many heights a try lives: as long as its deadline.
    fn heights(&self) -> u64 {
        self.settings.deadline_secs.checked_div(HEIGHT_SECS).unwrap_or(0).max(1)
    }

    /// A coin for the try. Every try of a batch spends the same one, so that two can never both
    /// move; only when a stranger's try has spent it for good is there another.
    fn coin(&self, job: &Job, heard: &[Heard], now: Time) -> Result<Turn<String>, Error> {
        let ours = job.tries.iter().rev().find_map(|signed| signed.claims.first());
        if let Some(coin) = ours {
            let asked = self.ask(&["coins", coin], &[], now);
            let Some(found) = Self::heard(&asked, heard) else { return Ok(Turn::Ask(vec![asked])) };
            let spent = coin_spent(found).ok_or_else(|| unreadable(&asked, "a coin"))?;
            let by_us = |by: &str| job.tries.iter().any(|signed| signed.reference == by);
            if !spent.is_some_and(|spent| spent.is_final && !by_us(&spent.by)) {
                return Ok(Turn::Done(coin.clone()));
            }
        }
        self.coin_fresh(job, heard, now)
    }

    /// The first unspent coin that no batch has claimed: page by page, as there is no last one.
    fn coin_fresh(&self, job: &Job, heard: &[Heard], now: Time) -> Result<Turn<String>, Error> {
        let mut after: Option<String> = None;
        loop {
            let asked = match &after {
                None => self.ask(&["coins"], &[("limit", COINS_LIMIT)], now),
                Some(after) => {
                    self.ask(&["coins"], &[("after", after), ("limit", COINS_LIMIT)], now)
                }
            };
            let Some(found) = Self::heard(&asked, heard) else { return Ok(Turn::Ask(vec![asked])) };
            let coins = coins_unspent(found).ok_or_else(|| unreadable(&asked, "coins"))?;
            // There may be far more claims than coins on a page, so they are read once.
            let mut free: BTreeSet<&str> = coins.iter().map(String::as_str).collect();
            let own = job.tries.iter().flat_map(|signed| &signed.claims);
            for coin in job.claimed.iter().chain(own) {
                free.remove(coin.as_str());
            }
            if let Some(free) = coins.iter().find(|coin| free.contains(coin.as_str())) {
                return Ok(Turn::Done(free.clone()));
            }
            let last = coins.last().and_then(|coin| coin.strip_prefix("coin-"));
            let Some(last) = last.filter(|last| after.as_deref() != Some(*last)) else {
                let detail = "the wallet has no coin that is not claimed: pay it some";
                return Err(Error::new(Code::RailRefused, detail));
            };
            after = Some(last.to_owned());
        }
    }
}

/// The rail's name for the try: the same for whoever signs it, and for no other.
fn reference(job: &Job, lines: Hash) -> String {
    let batch = job.batch.as_str();
    let text = format!("divvy.sandbox.1\0{batch}\0{}\0{lines}", job.tries.len());
    Hash::of(text.as_bytes()).to_string().chars().take(REFERENCE_CHARS).collect()
}

fn bytes(job: &Job, reference: &str, window: Window, coins: &[String]) -> Vec<u8> {
    let line = |line: &Line| TryLine { to: line.to.clone(), amount: line.amount.get().to_string() };
    let lines = job.lines.iter().map(line).collect();
    let window = match window {
        Window::Unlimited => TryWindow::Unlimited,
        Window::Until(end) => TryWindow::Until(end.millis()),
        Window::UntilHeight(height) => TryWindow::UntilHeight(height),
        Window::Once | _ => TryWindow::Once,
    };
    let posted = PostedTry { reference, batch: job.batch.as_str(), lines, window, coins };
    serde_json::to_vec(&posted).unwrap_or_default()
}

pub(super) fn unreadable(asked: &Request, what: &str) -> Error {
    let detail = format!("{} did not say {what}: ask again", asked.url);
    Error::new(Code::RailReply, detail)
}

/// A try as the sandbox takes it.
#[derive(Serialize)]
struct PostedTry<'a> {
    reference: &'a str,
    batch: &'a str,
    lines: Vec<TryLine>,
    window: TryWindow,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    coins: &'a [String],
}

#[derive(Serialize)]
struct TryLine {
    to: String,
    amount: String,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum TryWindow {
    Unlimited,
    Until(u64),
    UntilHeight(u64),
    Once,
}

const HEIGHT_SECS: u64 = 10;
const REFERENCE_CHARS: usize = 32;
const COINS_LIMIT: &str = "200";
