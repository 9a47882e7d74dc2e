//! Paying, heard and decided: what both books are asked about batches.

use divvy_core::{
    Answer, Batch, Body, Code, Fact, Line, Plan, Planned, Refused, Reopened, Review, Seen, Settled,
    Signed, Time, Voided, Window as RealWindow,
};

use crate::action::{Claim, Heard, Off, Verdict, Window};
use crate::batch::{NaiveBatch, NaiveLine, Said};
use crate::lab::{Lab, Same, TIMING, address, amount, evidence, name, rail, text};

const DEADLINE_SECS: u64 = 300;

impl Lab {
    /// Plans who is due, or something that may not be planned.
    pub(crate) fn pay(
        &mut self,
        book: usize,
        lines_max: usize,
        off: Off,
        claims: &[Claim; 2],
    ) -> Same {
        let (book_name, now) = (self.naive[book].name.clone(), self.time());
        self.books.book_mut(&book_name).unwrap().wake_waited(now).map_err(text)?;
        let due = self.book(book).due(now).map_err(text)?;
        let mut groups: Vec<(usize, Vec<NaiveLine>)> = Vec::new();
        for due in &due {
            let rail_at = usize::from(due.rail != rail(0));
            let lines: Vec<NaiveLine> =
                due.lines.iter().map(|line| self.line(book, line)).collect();
            groups.extend(lines.chunks(lines_max).map(|lines| (rail_at, lines.to_vec())));
        }
        groups.truncate(claims.len());
        match groups.first_mut() {
            None if off != Off::Nobody => return Ok(()),
            None => {}
            Some((_, lines)) => turn(lines, off),
        }
        if off == Off::Nobody {
            groups.clear();
        }
        let planned: Vec<Planned> =
            groups.iter().map(|(rail_at, lines)| Self::planned(*rail_at, lines)).collect();
        let mut plans = Vec::new();
        for (planned, claim) in planned.into_iter().zip(claims) {
            self.serial += 1;
            let signed = self.signed(&planned.lines, *claim, self.serial);
            plans.push(Plan { planned, signed });
        }
        let expected = self.may_plan(book, &groups, claims);
        let step = self.books.plan(&book_name, &plans, now);
        let facts = step.as_ref().map(|step| step.facts().to_vec()).unwrap_or_default();
        if self.agreed(step, expected)? {
            self.planned_both(book, groups, claims, &facts);
        }
        Ok(())
    }

    fn planned_both(
        &mut self,
        book: usize,
        groups: Vec<(usize, Vec<NaiveLine>)>,
        claims: &[Claim; 2],
        facts: &[Fact],
    ) {
        let at = self.stamp(book);
        let deadline = self.now + DEADLINE_SECS * 1_000;
        self.naive[book].note(at);
        for (i, ((rail_at, lines), claim)) in groups.into_iter().zip(claims).enumerate() {
            let stream = format!("batch/{}/{}/{i}", self.naive[book].name, self.naive[book].runs);
            let own = facts.iter().filter(|fact| fact.stream.as_str() == stream);
            self.real.push(Batch::fold(&own.cloned().collect::<Vec<_>>()).unwrap());
            let mut batch = NaiveBatch::new(book, stream, rail_at, lines);
            batch.sign(*claim, deadline);
            self.claimed(*claim, self.batches.len());
            self.batches.push(batch);
            self.naive[book].note(at);
            self.naive[book].note(at);
            self.recount(self.batches.len() - 1, at, true);
        }
        self.naive[book].runs += 1;
    }

    /// Whether a run may be planned, by asking everyone in it.
    fn may_plan(
        &self,
        book: usize,
        groups: &[(usize, Vec<NaiveLine>)],
        claims: &[Claim; 2],
    ) -> Result<(), Code> {
        let naive = &self.naive[book];
        if groups.is_empty() {
            return Err(Code::BatchState);
        }
        let mut sums = vec![0; naive.payees.len()];
        for line in groups.iter().flat_map(|(_, lines)| lines) {
            sums[line.payee] += line.amount;
            if line.amount == 0 || sums[line.payee] > naive.payable(line.payee) {
                return Err(Code::BatchStale);
            }
        }
        for (rail_at, lines) in groups {
            self.may_pay(book, *rail_at, lines, self.stamp(book))?;
        }
        let coins: Vec<u64> =
            claims[..groups.len()].iter().filter_map(|claim| claim.coin).collect();
        let twice = coins.len() == 2 && coins[0] == coins[1];
        if twice || coins.iter().any(|coin| self.taken(*coin, None)) {
            return Err(Code::RailRefused);
        }
        Ok(())
    }

    /// Whether lines may be signed: nobody is held, and everyone is paid where they are paid now.
    fn may_pay(&self, book: usize, rail: usize, lines: &[NaiveLine], at: u64) -> Result<(), Code> {
        let naive = &self.naive[book];
        let stale = |line: &NaiveLine| {
            naive.payees[line.payee].held || naive.place(line.payee, at) != Some((rail, line.to))
        };
        if lines.iter().any(stale) { Err(Code::BatchStale) } else { Ok(()) }
    }

    /// Whether another batch that is still on its way has a coin.
    fn taken(&self, coin: u64, except: Option<usize>) -> bool {
        let by = self.claims.get(&coin);
        by.is_some_and(|batch| Some(*batch) != except && self.batches[*batch].is_reserved())
    }

    fn claimed(&mut self, claim: Claim, batch: usize) {
        if let Some(coin) = claim.coin {
            self.claims.insert(coin, batch);
        }
    }

    /// What a rail's answer about one try teaches both.
    pub(crate) fn hear(
        &mut self,
        batch: usize,
        attempt: usize,
        answer: Heard,
        tip: Option<u64>,
    ) -> Same {
        let Some((batch, attempt)) = self.chosen(batch, attempt) else { return Ok(()) };
        let naive = &self.batches[batch];
        let book = naive.book;
        let said = naive.hear(attempt, answer, self.now, tip);
        let mut answers = vec![Answer::Unknown; naive.tries.len()];
        answers[attempt] = real_answer(answer);
        let seen = Seen { answers, tip, evidence: evidence(), bills: Vec::new() };
        let step = self.books.learn(&self.real[batch], &seen, self.time(), TIMING);
        // Whoever is held is held as of before this was written.
        let held_at = self.stamp(book);
        let at = self.now.max(self.newest);
        let facts = step.as_ref().map(|step| step.facts().to_vec()).unwrap_or_default();
        if !self.agreed(step, said.clone().map(|_| ()))? {
            return Ok(());
        }
        let said = said.unwrap();
        let blamed = self.batches[batch].blamed(&said);
        self.follow(batch, &facts)?;
        for said in &said {
            self.take(batch, attempt, said, at)?;
        }
        for payee in blamed {
            self.naive[book].hold(payee, true, held_at);
        }
        Ok(())
    }

    pub(crate) fn sign(&mut self, batch: usize, claim: Claim, again: bool) -> Same {
        let Some((batch, _)) = self.chosen(batch, 0) else { return Ok(()) };
        let at = self.now.max(self.newest);
        let naive = &self.batches[batch];
        let current = self.may_pay(naive.book, naive.rail, &naive.lines, at);
        let expected = current.and_then(|()| {
            if again || !naive.may_sign(claim) {
                return Err(Code::BatchState);
            }
            let taken = claim.coin.is_some_and(|coin| self.taken(coin, Some(batch)));
            if taken { Err(Code::RailRefused) } else { Ok(()) }
        });
        self.serial += 1;
        let mut signed = self.signed(self.real[batch].lines(), claim, self.serial);
        if again {
            signed.reference = self.real[batch].tries()[0].signed.reference.clone();
        }
        let step = self.books.sign(&self.real[batch], signed, self.time());
        let facts = step.as_ref().map(|step| step.facts().to_vec()).unwrap_or_default();
        if self.agreed(step, expected)? {
            self.follow(batch, &facts)?;
            let deadline = self.now + DEADLINE_SECS * 1_000;
            self.batches[batch].sign(claim, deadline);
            self.claimed(claim, batch);
            self.naive[self.batches[batch].book].note(at);
        }
        Ok(())
    }

    pub(crate) fn cancel(&mut self, batch: usize) -> Same {
        let Some((batch, _)) = self.chosen(batch, 0) else { return Ok(()) };
        let at = self.now.max(self.newest);
        let expected = self.batches[batch].clone().cancel();
        let step = self.books.cancel(&self.real[batch], "given up", self.time());
        let facts = step.as_ref().map(|step| step.facts().to_vec()).unwrap_or_default();
        if self.agreed(step, expected)? {
            self.follow(batch, &facts)?;
            self.batches[batch].cancel().unwrap();
            self.naive[self.batches[batch].book].note(at);
            self.recount(batch, at, true);
        }
        Ok(())
    }

    pub(crate) fn decide(&mut self, batch: usize, attempt: usize, verdict: Verdict) -> Same {
        let Some((batch, attempt)) = self.chosen(batch, attempt) else { return Ok(()) };
        let at = self.now.max(self.newest);
        let said = NaiveBatch::verdict(verdict);
        let expected = self.batches[batch].clone().take(attempt, &said);
        let reference = self.real[batch].tries()[attempt].signed.reference.clone();
        let (reason, evidence) = ("looked".to_owned(), evidence());
        let body = match verdict {
            Verdict::Settled => Body::Settled(Settled { reference, evidence, moved: None }),
            Verdict::Voided => Body::Voided(Voided { reference, evidence }),
            Verdict::Refused => Body::Refused(Refused { reference, reason, line: None, evidence }),
            Verdict::Reopened => Body::Reopened(Reopened { reference, evidence }),
            Verdict::Review => Body::Review(Review { reason }),
        };
        let step = self.books.follow(&self.real[batch], &[body], self.time());
        let facts = step.as_ref().map(|step| step.facts().to_vec()).unwrap_or_default();
        if self.agreed(step, expected)? {
            self.follow(batch, &facts)?;
            self.take(batch, attempt, &said, at)?;
        }
        Ok(())
    }

    /// A batch and one of its tries, if there are any yet.
    fn chosen(&self, batch: usize, attempt: usize) -> Option<(usize, usize)> {
        let batch = batch.checked_rem(self.batches.len())?;
        Some((batch, attempt % self.batches[batch].tries.len()))
    }

    /// Folds a batch's own new facts, as whoever drives it does.
    fn follow(&mut self, batch: usize, facts: &[Fact]) -> Same {
        let stream = self.real[batch].stream().clone();
        for fact in facts.iter().filter(|fact| fact.stream == stream) {
            self.real[batch].apply(fact).map_err(text)?;
        }
        Ok(())
    }

    fn take(&mut self, batch: usize, attempt: usize, said: &Said, at: u64) -> Same {
        let effects = |batch: &NaiveBatch| {
            let paid = (0..batch.lines.len()).map(|line| batch.times_paid(line));
            (batch.is_reserved(), paid.collect::<Vec<_>>())
        };
        let before = effects(&self.batches[batch]);
        let taken = self.batches[batch].take(attempt, said);
        taken.map_err(|code| format!("the naive batch refuses {said:?}: {code:?}"))?;
        let moved = before != effects(&self.batches[batch]);
        self.naive[self.batches[batch].book].note(at);
        self.recount(batch, at, moved);
        Ok(())
    }

    /// Counts what is reserved and paid of everybody in a batch's book, over all batches.
    fn recount(&mut self, batch: usize, at: u64, moved: bool) {
        let book = self.batches[batch].book;
        let naive = &mut self.naive[book];
        for payee in &mut naive.payees {
            (payee.reserved, payee.paid) = (0, 0);
        }
        for batch in self.batches.iter().filter(|batch| batch.book == book) {
            for (at, line) in batch.lines.iter().enumerate() {
                let payee = &mut naive.payees[line.payee];
                payee.reserved += if batch.is_reserved() { line.amount } else { 0 };
                payee.paid += line.amount * batch.times_paid(at);
            }
        }
        let seen = self.batches[batch].lines.iter().map(|line| line.payee);
        let seen: Vec<usize> = seen.filter(|_| moved).collect();
        naive.refresh(at, &seen);
    }

    /// A line as it is due, in the naive book's words.
    fn line(&self, book: usize, line: &Line) -> NaiveLine {
        let payee: usize = line.payee.as_str()[1..].parse().unwrap();
        let (_, to) = self.naive[book].place(payee, self.stamp(book)).unwrap();
        NaiveLine { payee, amount: line.amount.get(), to }
    }

    fn planned(rail_at: usize, lines: &[NaiveLine]) -> Planned {
        let line = |line: &NaiveLine| {
            let payee = name(&format!("p{}", line.payee));
            let to = line.to.map_or_else(|| payee.to_string(), |(place, _)| address(place));
            Line {
                payee,
                amount: amount(line.amount),
                to,
                to_n: line.to.map(|(_, n)| n),
                fee: None,
            }
        };
        let lines = lines.iter().map(line).collect();
        Planned { rail: rail(rail_at), wallet: name("till"), lines }
    }

    fn signed(&self, lines: &[Line], claim: Claim, serial: u64) -> Signed {
        let deadline = Time::from_millis(self.now + DEADLINE_SECS * 1_000);
        Signed {
            reference: format!("try {serial}"),
            bytes: vec![1],
            window: match claim.window {
                Window::Unlimited => RealWindow::Unlimited,
                Window::Until => RealWindow::Until(deadline),
                Window::UntilHeight(height) => RealWindow::UntilHeight(height),
                Window::Once => RealWindow::Once,
            },
            deadline,
            sender: None,
            lines: Line::hash(lines),
            claims: claim.coin.iter().map(|coin| format!("coin {coin}")).collect(),
        }
    }
}

/// Spoils the lines of a plan, as a planner with a mistake would.
fn turn(lines: &mut Vec<NaiveLine>, off: Off) {
    match off {
        Off::Nothing | Off::Nobody => {}
        Off::More => lines[0].amount += 1,
        Off::Less => lines[0].amount -= 1,
        Off::Twice => lines.push(lines[0].clone()),
        Off::Elsewhere => {
            lines[0].to = match lines[0].to {
                Some((mut place, n)) => {
                    place.address += 1;
                    Some((place, n))
                }
                None => Some((crate::action::Place { rail: 0, address: 0 }, 0)),
            }
        }
    }
}

pub(crate) fn real_answer(heard: Heard) -> Answer {
    let reason = "closed".to_owned();
    match heard {
        Heard::Unknown => Answer::Unknown,
        Heard::Accepted => Answer::Accepted,
        Heard::Final => Answer::Final,
        Heard::Void => Answer::Void,
        Heard::Undone => Answer::Undone,
        Heard::Refused { line } => Answer::Refused { reason, line },
        Heard::Returned { lines } => {
            let lines = (0..32).filter(|line| lines >> line & 1 == 1).collect();
            Answer::Returned { reason, lines }
        }
    }
}
