//! Everything that both books tell, side by side.

use std::collections::BTreeMap;

use divvy_core::{Amount, Book, Code, Expected, Obstacle, Time};

use crate::book::{END, NaiveBook};
use crate::lab::{
    Lab, Same, address, destination_at, payee_name, pool_name, rail, real_policy, same, text,
};

impl Lab {
    /// Compares the books that may have changed; the others were compared before.
    pub(crate) fn compare(&self, books: &[usize]) -> Same {
        same("facts that wait", self.books.early().len(), 0)?;
        for book in books.iter().copied() {
            let (naive, now) = (&self.naive[book], self.stamp(book));
            // A tick of a copy: whether the book itself was woken must not matter.
            let mut woken = self.books.clone();
            let time = Time::from_millis(now);
            woken.book_mut(&naive.name).unwrap().wake_waited(time).map_err(text)?;
            let real = woken.book(&naive.name).map_err(text)?;
            real.check().map_err(text)?;
            let due = compare_due(naive, real, now)?;
            for payee in 0..naive.payees.len() {
                let is_due = due.contains_key(payee_name(payee).as_str());
                compare_balance(naive, real, payee, now, is_due)
                    .map_err(|what| format!("{}, payee {payee}: {what}", naive.name))?;
            }
            compare_pools(naive, real)?;
            self.compare_totals(book, real)?;
        }
        self.compare_batches()
    }

    fn compare_batches(&self) -> Same {
        for (naive, real) in self.batches.iter().zip(&self.real) {
            let of = &naive.stream;
            let own = self.book(naive.book).batch_state(real.stream());
            same(&format!("state of {of}"), own, Some(naive.state()))?;
            same(&format!("state of {of}, driven"), real.state(), naive.state())?;
            let fates = naive.tries.iter().map(|attempt| attempt.fate);
            let real_fates = real.tries().iter().map(|attempt| attempt.fate);
            same(of, real_fates.collect::<Vec<_>>(), fates.collect())?;
        }
        let open = |batch: &usize| self.batches[*batch].is_reserved();
        let claims = self.claims.iter().filter(|(_, batch)| open(batch));
        let claims: Vec<String> = claims.map(|(coin, _)| format!("coin {coin}")).collect();
        same("claims", self.books.claimed("till", None), claims)
    }

    fn compare_totals(&self, book: usize, real: &Book) -> Same {
        let naive = &self.naive[book];
        let payees = |of: fn(&crate::book::NaivePayee) -> u64| naive.payees.iter().map(of).sum();
        let waiting = naive.pools.iter().flat_map(|pool| &pool.waiting).map(|(_, part)| part);
        let unruled: u64 = naive.unruled.iter().map(|payment| payment.amount).sum();
        let totals = real.totals();
        let own = self.batches.iter().filter(|batch| batch.book == book);
        let settled = own.clone().flat_map(|batch| {
            (0..batch.lines.len()).map(|line| (batch.times_paid(line), batch.lines[line].amount))
        });
        let (count, moved) = settled.fold((0, 0), |(count, moved), (times, amount)| {
            (count + times, moved + times * amount)
        });
        for (what, real, naive) in [
            ("recorded", totals.recorded, naive.recorded),
            ("undeclared", totals.undeclared, waiting.sum::<u64>() + unruled),
            ("one-shot", totals.one_shot, payees(|payee| payee.one_shot)),
            ("declared", totals.declared, naive.pools.iter().map(|pool| pool.declared).sum()),
            ("reserved", totals.reserved, payees(|payee| payee.reserved)),
            ("paid", totals.paid, payees(|payee| payee.paid)),
            ("moved", totals.moved, moved),
        ] {
            same(what, real.get(), naive)?;
        }
        same("lines settled", totals.lines_settled, count)?;
        same("facts", totals.facts, naive.facts)?;
        same("runs", real.runs(), naive.runs)?;
        let known = naive.payees.iter().filter(|payee| payee.known).count();
        same("payees", (real.payees_count(), real.payees().count()), (known, known))?;
        same("newest", real.newest().millis(), naive.newest)?;
        let open: Vec<&str> =
            own.filter(|batch| batch.is_reserved()).map(|batch| batch.stream.as_str()).collect();
        let real_open = real.open_batches();
        same("open batches", real_open.iter().map(|stream| stream.as_str()).collect(), open)
    }
}

/// Who is due and with what, by asking everyone. The answer is the book's own, by payee.
fn compare_due(naive: &NaiveBook, real: &Book, now: u64) -> Same<BTreeMap<String, u64>> {
    let mut due = BTreeMap::new();
    for group in real.due(Time::from_millis(now)).map_err(text)? {
        for line in group.lines {
            let payee: usize = line.payee.as_str()[1..].parse().unwrap();
            let (rail_at, to) =
                naive.place(payee, now).ok_or_else(|| format!("{payee} is paid nowhere"))?;
            let address = to.map_or_else(|| line.payee.to_string(), |(place, _)| address(place));
            let place = (rail(rail_at), address, to.map(|(_, n)| n));
            same("a due line's place", (group.rail.clone(), line.to, line.to_n), place)?;
            same("a due line's amount", line.amount.get(), naive.payable(payee))?;
            if due.insert(line.payee.to_string(), line.amount.get()).is_some() {
                return Err(format!("{payee} is due twice"));
            }
        }
    }
    same("how many are due", real.due_count(), due.len())?;
    for payee in 0..naive.payees.len() {
        let is_due = due.contains_key(payee_name(payee).as_str());
        let (surely, maybe) = naive.is_due(payee, now);
        if surely && !is_due || is_due && !maybe {
            let (payable, since) = (naive.payable(payee), naive.payees[payee].since);
            return Err(format!(
                "{}, payee {payee} with {payable} since {since:?} of {:?} at {now}: due {is_due}",
                naive.name,
                naive.threshold(payee)
            ));
        }
    }
    Ok(due)
}

fn compare_balance(naive: &NaiveBook, real: &Book, payee: usize, now: u64, is_due: bool) -> Same {
    let balance = real.balance(payee_name(payee).as_str(), Time::from_millis(now));
    let own = &naive.payees[payee];
    if !own.known {
        let code = balance.map(|_| ()).map_err(|error| error.code());
        return same("a stranger", code, Err(Code::PayeeUnknown));
    }
    let balance = balance.map_err(text)?;
    let (earned, spoken_for) = (naive.earned(payee), naive.spoken_for(payee));
    let owed_back = spoken_for.saturating_sub(earned);
    let places =
        [balance.earned, balance.payable, balance.reserved, balance.paid, balance.owed_back];
    let naive_places = [earned, naive.payable(payee), own.reserved, own.paid, owed_back];
    same("the five places", places.map(Amount::get), naive_places)?;
    same("policy", balance.policy, real_policy(own.policy.unwrap_or(naive.policy)))?;
    let place = naive.place(payee, now);
    let destination = place.map(|(rail_at, to)| match to {
        Some((place, _)) => destination_at(place),
        None => {
            let address = payee_name(payee).to_string();
            divvy_core::Destination { rail: rail(rail_at), address }
        }
    });
    let somewhere = destination.is_some();
    same("destination", balance.destination, destination)?;
    let obstacle = match balance.obstacle {
        None => "none",
        Some(Obstacle::Held(_)) => "held",
        Some(Obstacle::NoDestination) => "nowhere",
        Some(_) => "another",
    };
    let naive_obstacle = match (own.held, somewhere) {
        (true, _) => "held",
        (false, false) => "nowhere",
        (false, true) => "none",
    };
    same("obstacle", obstacle, naive_obstacle)?;
    match expected(naive, payee, now, is_due) {
        Some(expected) => same("expected", balance.expected_on, expected),
        None => Ok(()),
    }
}

/// When a payee is going to be paid at the rate so far; nothing where it rests on when somebody
/// last looked.
fn expected(naive: &NaiveBook, payee: usize, now: u64, is_due: bool) -> Option<Expected> {
    if !naive.is_free(payee, now) {
        return Some(Expected::Never);
    }
    if is_due {
        return Some(Expected::Now);
    }
    let (min, wait_secs) = naive.threshold(payee);
    let reached = reached(naive, payee, min, now);
    let waited = match (naive.payees[payee].since, wait_secs) {
        (None, _) | (_, None) => None,
        (Some(since), Some(secs)) => {
            if since.noticed != Some(since.first) {
                return None;
            }
            let end = since.first.saturating_add(secs.saturating_mul(1_000)).min(END);
            self::reached(naive, payee, naive.floor(), now).map(|floor| floor.max(end))
        }
    };
    let soonest = reached.into_iter().chain(waited).min();
    Some(soonest.map_or(Expected::Unknown, |at| Expected::On(Time::from_millis(at))))
}

/// When this much is payable, at the average rate since the first payment.
fn reached(naive: &NaiveBook, payee: usize, goal: u64, now: u64) -> Option<u64> {
    let (earned, spoken_for) = (u128::from(naive.earned(payee)), naive.spoken_for(payee));
    let lacking = (u128::from(goal) + u128::from(spoken_for)).saturating_sub(earned);
    if lacking == 0 && goal == naive.floor() {
        return Some(now);
    }
    let elapsed = u128::from(now.saturating_sub(naive.event_first?));
    let wait = (lacking * elapsed).checked_add(earned)?.checked_sub(1)?.checked_div(earned)?;
    let wait = u64::try_from(wait).unwrap_or(u64::MAX);
    Some(now.saturating_add(wait).min(END))
}

fn compare_pools(naive: &NaiveBook, real: &Book) -> Same {
    for pool in &naive.pools {
        let name = pool_name(pool.name);
        let of = |what: &str| format!("{name} of {}: {what}", naive.name);
        let shared = real.pool(name.as_str()).map_err(text)?;
        same(&of("scale"), shared.scale().get(), pool.scale)?;
        same(&of("supply"), shared.supply().get(), pool.supply)?;
        same(&of("index"), shared.index().get(), pool.per_unit)?;
        same(&of("rest"), u128::from(shared.rest()), pool.rest)?;
        same(&of("declared"), shared.declared().get(), pool.declared)?;
        let (waiting, total) = real.undeclared(name.as_str()).map_err(text)?;
        let payments = waiting.iter().map(ToString::to_string).collect::<Vec<_>>();
        same(&of("waiting"), payments, pool.waiting.iter().map(|(of, _)| of.clone()).collect())?;
        same(&of("undeclared"), total.get(), pool.waiting.iter().map(|(_, part)| part).sum())?;
        for (payee, holder) in pool.holders.iter().enumerate() {
            let units = real.units(name.as_str(), payee_name(payee).as_str()).map_err(text)?;
            same(&of("units"), units.get(), holder.units)?;
        }
        let held: u64 = pool.holders.iter().map(|holder| holder.units).sum();
        same(&of("units held"), held, pool.supply)?;
    }
    Ok(())
}
