//! The rails' side: a world for each window, the network before it, and what goes wrong there.

use divvy_core::{Error, Reply, Request, Time};

use crate::sandbox::{Effect, Fault, Faults, NOW_HEADER, Terms, WindowKind, World};
use crate::simulation::dice::Dice;
use crate::simulation::knobs::Knobs;
use crate::simulation::planted::Planted;
use crate::simulation::scene::Scene;
use crate::simulation::town::{LAG_SECS, RAILS, Town};

/// A world for each rail, in the rails' order.
#[derive(Debug)]
pub(super) struct Worlds(Vec<Side>);

#[derive(Debug)]
struct Side {
    world: World,
    faults: Faults,
    served: u64,
}

impl Worlds {
    pub(super) fn new(knobs: &Knobs, town: &Town, dice: &mut Dice) -> Result<Self, Error> {
        let mut sides = Vec::with_capacity(RAILS.len());
        for ((_, window), price) in RAILS.into_iter().zip(&town.prices) {
            let finality_secs = dice.pick(&[0, 0, 30, 120]).copied().unwrap_or(0);
            let fee = price.charged;
            let terms = Terms { window, finality_secs, lag_secs: LAG_SECS, funds: None, fee };
            let faults = Faults::parse(dice.draw(), &rates(knobs, town, window))?;
            sides.push(Side { world: World::new(terms), faults, served: 0 });
        }
        Ok(Self(sides))
    }

    /// Time passes for all of them; what each did by itself.
    pub(super) fn advance(&mut self, now: Time) -> Vec<(usize, Vec<Effect>)> {
        let request = Request {
            method: "POST",
            url: "http://any/clock".to_owned(),
            headers: vec![(NOW_HEADER, now.millis().to_string())],
            body: Vec::new(),
            deadline: Time::MAX,
        };
        let sides = self.0.iter_mut().enumerate();
        sides.map(|(rail, side)| (rail, side.world.serve(&request, Fault::None).effects)).collect()
    }

    fn side(&mut self, url: &str) -> Option<(usize, &mut Side)> {
        let host = url.strip_prefix("http://")?.split('/').next()?;
        let rail = RAILS.iter().position(|(name, _)| *name == host)?;
        Some((rail, self.0.get_mut(rail)?))
    }
}

/// How often what goes wrong, in the text of [`Faults`]; what a rail cannot be asked about is not
/// sent back, since nobody could ever know.
fn rates(knobs: &Knobs, town: &Town, window: WindowKind) -> String {
    let returns = window != WindowKind::Once && !town.watches_soon;
    let scaled = |(name, permille): (&str, u64)| {
        let often = match name {
            "returned" if !returns => 0,
            // Seldom seen, since somebody must look in the very minutes between.
            "reorganised" if town.watches_soon => 80,
            _ => permille,
        };
        let often = often.saturating_mul(knobs.faults).checked_div(100).unwrap_or(0);
        format!("{name}={}", often.min(RATE_MAX))
    };
    RATES.into_iter().map(scaled).collect::<Vec<_>>().join(",")
}

/// All rates together stay within a thousand.
const RATE_MAX: u64 = 90;

const RATES: [(&str, u64); 11] = [
    ("late", 50),
    ("lost", 50),
    ("dropped", 30),
    ("duplicated", 30),
    ("out_of_order", 20),
    ("refused", 40),
    ("server_error", 30),
    ("returned", 20),
    ("reorganised", 30),
    ("slow", 20),
    ("killed", 20),
];

impl Scene {
    /// One exchange: never started after its deadline, by the clock of who starts it.
    pub(super) fn send(&mut self, process: usize, request: &Request) -> Option<Reply> {
        if self.clock(process) > request.deadline && !self.is_planted(Planted::SendsLate) {
            self.trace.count("requests past their deadline");
            self.tell(|| format!("{process}: does not send {} any more", request.url));
            return None;
        }
        let is_try = request.method == "POST";
        if is_try {
            let found = self.witness.sent((process, self.life(process)), &request.body);
            self.found(found);
            if self.is_planted(Planted::AnswersItself) && self.dice.permille(100) {
                return answered(&request.body);
            }
        }
        let reply = self.exchange(process, request);
        if is_try && self.is_planted(Planted::SendsTwice) && self.dice.permille(300) {
            let found = self.witness.sent((process, self.life(process)), &request.body);
            self.found(found);
            return self.exchange(process, request);
        }
        if !is_try && self.is_planted(Planted::ListsNothing) {
            return reply.map(|reply| emptied(request, reply));
        }
        if self.is_planted(Planted::HidesFees) {
            return reply.map(without_fee);
        }
        reply
    }

    fn exchange(&mut self, process: usize, request: &Request) -> Option<Reply> {
        let (now, healed) = (self.now, !self.faulty);
        let forgets = self.is_planted(Planted::PaysCarelessly) && self.dice.permille(50);
        let (rail, side) = self.worlds.side(&request.url)?;
        if forgets {
            side.world = World::new(side.world.terms());
        }
        side.served = side.served.saturating_add(1);
        let lag_secs = side.world.terms().lag_secs;
        let fault = if healed { Fault::None } else { side.faults.pick(0, side.served, lag_secs) };
        // The world has a clock of its own, whatever those who ask believe.
        let mut stamped = request.clone();
        stamped.headers = vec![(NOW_HEADER, now.millis().to_string())];
        let outcome = side.world.serve(&stamped, fault);
        self.trace.mark(&(process, &request.url, &request.body, fault));
        let status = outcome.reply.as_ref().map(|reply| reply.status);
        self.trace.mark(&status);
        self.trace.count(fault_counted(fault, request.method));
        self.tell(|| {
            let (method, url) = (request.method, &request.url);
            let body = String::from_utf8_lossy(&request.body);
            let heard = outcome.reply.as_ref().map(|reply| String::from_utf8_lossy(&reply.body));
            format!("{process}: {method} {url} {body} ({fault:?}): {status:?} {heard:?}")
        });
        self.seen(rail, &outcome.effects);
        outcome.reply
    }
}

/// A planted mistake: a reply that nobody gave.
fn answered(body: &[u8]) -> Option<Reply> {
    let mut said: serde_json::Value = serde_json::from_slice(body).ok()?;
    said.as_object_mut()?.insert("state".to_owned(), "final".into());
    Some(Reply { status: 200, body: serde_json::to_vec(&said).ok()? })
}

/// A planted mistake: what was charged is left out.
fn without_fee(reply: Reply) -> Reply {
    let Ok(mut said) = serde_json::from_slice::<serde_json::Value>(&reply.body) else {
        return reply;
    };
    if let Some(said) = said.as_object_mut() {
        said.remove("fee");
    }
    if let Some(tries) = said.get_mut("tries").and_then(serde_json::Value::as_array_mut) {
        tries.iter_mut().filter_map(|try_| try_.as_object_mut()).for_each(|try_| {
            try_.remove("fee");
        });
    }
    Reply { body: serde_json::to_vec(&said).unwrap_or_default(), ..reply }
}

/// A planted mistake: what was asked for is not there, at the end of all time.
fn emptied(request: &Request, reply: Reply) -> Reply {
    if !request.url.contains("/tries") {
        return reply;
    }
    let status = if request.url.contains('?') { 200 } else { 404 };
    let body =
        br#"{"tries":[],"is_last":true,"height":900000000000,"now":9000000000000000}"#.to_vec();
    Reply { status, body }
}

fn fault_counted(fault: Fault, method: &str) -> &'static str {
    match fault {
        _ if method != "POST" => "lookups",
        Fault::None => "tries sent",
        Fault::Late { .. } => "tries late",
        Fault::LostReply => "tries, reply lost",
        Fault::AcceptedAndDropped => "tries accepted and dropped",
        Fault::Duplicated => "tries duplicated",
        Fault::OutOfOrder => "tries out of order",
        Fault::Refused => "tries refused by a busy rail",
        Fault::ServerError => "tries, server error",
        Fault::Returned => "tries to be returned",
        Fault::Reorganised => "tries to be reorganised",
        Fault::Slow => "tries slow",
        Fault::Killed => "tries, rail killed",
    }
}
