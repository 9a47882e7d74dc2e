//! What every part works with: a ground, one batch on it, and conversations that end.

use std::sync::Arc;

use crate::amount::Amount;
use crate::batch::{Batch, Next, State};
use crate::contract::{Ground, Mishap};
use crate::error::Error;
use crate::fact::{Body, Fact, Hash, Head, Line, Planned, Sender, Signed, Stream};
use crate::name::Name;
use crate::rail::{Fee, Heard, Job, Rail, Request, Seen, Turn};
use crate::time::Time;

/// What was found instead of what was promised.
#[derive(Debug)]
pub(super) struct Broken(pub(super) String);

pub(super) type Verdict<T = ()> = Result<T, Broken>;

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self(format!("an error where none is due: {error}"))
    }
}

/// A finding, as a verdict.
pub(super) fn broken<T>(found: impl Into<String>) -> Verdict<T> {
    Err(Broken(found.into()))
}

/// A rail, its world, and the batch that is paid.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) ground: Box<dyn Ground>,
    pub(super) rail: Arc<dyn Rail>,
    pub(super) batch: Option<Batch>,
    pub(super) tip: Option<u64>,
    /// What tries were said to have cost.
    pub(super) fees: Vec<Fee>,
    /// Everything that was ever asked, but for submissions.
    pub(super) asked: Vec<Request>,
}

impl Bench {
    pub(super) fn new(ground: Box<dyn Ground>) -> Verdict<Self> {
        let rail = ground.rail();
        let (fees, asked) = (Vec::new(), Vec::new());
        Ok(Self { ground, rail, batch: None, tip: None, fees, asked })
    }

    pub(super) fn line(&self, n: u32, amount: u64) -> Verdict<Line> {
        self.line_to(&format!("payee-{n}"), &self.ground.address(n), amount)
    }

    pub(super) fn line_to(&self, payee: &str, to: &str, amount: u64) -> Verdict<Line> {
        let (payee, amount) = (Name::new(payee)?, Amount::new(amount)?);
        Ok(Line { payee, amount, to: to.to_owned(), to_n: None, fee: None })
    }

    /// Three payees, each of whom is due another amount.
    pub(super) fn lines(&self) -> Verdict<Vec<Line>> {
        [(0, 70), (1, 20), (2, 11)].into_iter().map(|(n, amount)| self.line(n, amount)).collect()
    }

    pub(super) fn plan(&mut self, lines: Vec<Line>) -> Verdict {
        let (rail, wallet) = (self.rail.name().clone(), self.rail.wallet().clone());
        let planned = Body::Planned(Planned { rail, wallet, lines });
        let head = Head::start(Stream::batch(&Name::new(BOOK)?, RUN, 0));
        self.batch = Some(Batch::fold(&[Fact::new(&head, self.ground.now(), &planned)])?);
        Ok(())
    }

    pub(super) fn batch(&self) -> Verdict<&Batch> {
        self.batch.as_ref().ok_or_else(|| Broken("nothing is planned".to_owned()))
    }

    pub(super) fn state(&self) -> Verdict<State> {
        Ok(self.batch()?.state())
    }

    /// A conversation whose every exchange meets the same mishap.
    ///
    /// # Errors
    /// A conversation that asks nothing, or without end; inside, what the rail says.
    pub(super) fn talk<T>(
        &mut self,
        mishap: Mishap,
        mut turn: impl FnMut(&dyn Rail, &[Heard], Time) -> Result<Turn<T>, Error>,
    ) -> Verdict<Result<T, Error>> {
        let (mut heard, rail) = (Vec::new(), Arc::clone(&self.rail));
        for _ in 0..TURNS_MAX {
            let requests = match turn(&*rail, &heard, self.ground.now()) {
                Ok(Turn::Ask(requests)) => requests,
                Ok(Turn::Done(done)) => return Ok(Ok(done)),
                Err(error) => return Ok(Err(error)),
            };
            if requests.is_empty() {
                return broken("a conversation asks nothing, and is not done");
            }
            for request in requests {
                self.asked.push(request.clone());
                let reply = self.ground.serve(&request, mishap);
                heard.push(Heard { request, reply });
            }
        }
        broken(format!("a conversation is not done after {TURNS_MAX} turns"))
    }

    pub(super) fn job(&self) -> Verdict<Job> {
        let batch = self.batch()?;
        Ok(Job {
            batch: batch.stream().clone(),
            lines: batch.lines().to_vec(),
            tries: batch.signed(),
            claimed: Vec::new(),
            sender: Sender { process: "bench".to_owned(), try_id: Hash::of(b"bench") },
        })
    }

    /// Signs a try and writes it down.
    pub(super) fn sign(&mut self) -> Verdict<Signed> {
        let job = self.job()?;
        let signed = self.talk(Mishap::None, |rail, heard, now| rail.sign(&job, heard, now))??;
        self.write(&Body::Signed(signed.clone()))?;
        Ok(signed)
    }

    /// Plans and signs three lines.
    pub(super) fn signed(&mut self) -> Verdict<Signed> {
        let lines = self.lines()?;
        self.plan(lines)?;
        self.sign()
    }

    /// Sends a try, if there is still time for it, and takes what the reply alone teaches.
    pub(super) fn submit(&mut self, signed: &Signed, mishap: Mishap) -> Verdict<Option<Seen>> {
        let now = self.ground.now();
        let request = self.rail.submit(signed, now);
        if now > request.deadline {
            return Ok(None);
        }
        let reply = self.ground.serve(&request, mishap);
        let tries = self.batch()?.signed();
        match self.rail.look(&tries, &[Heard { request, reply }], now) {
            Ok(Turn::Done(seen)) => Ok(Some(seen)),
            Ok(Turn::Ask(_)) | Err(_) => Ok(None),
        }
    }

    /// Asks what became of the tries.
    pub(super) fn look(&mut self, mishap: Mishap) -> Verdict<Result<Seen, Error>> {
        let tries = self.batch()?.signed();
        let seen = self.talk(mishap, |rail, heard, now| rail.look(&tries, heard, now))?;
        match &seen {
            Ok(found) if found.answers.len() != tries.len() => {
                let (answers, tries) = (found.answers.len(), tries.len());
                broken(format!("{answers} answers for {tries} tries"))
            }
            _ => Ok(seen),
        }
    }

    pub(super) fn learn(&mut self, seen: &Seen) -> Verdict {
        self.tip = seen.tip.or(self.tip);
        let bodies = self.batch()?.learn(seen, self.ground.now(), self.rail.timing())?;
        for body in bodies {
            if let Body::Charged(charged) = &body {
                let (asset, amount) = (charged.asset.clone(), charged.amount);
                self.fees.push(Fee { asset, amount });
            }
            self.write(&body)?;
        }
        Ok(())
    }

    fn write(&mut self, body: &Body) -> Verdict {
        let now = self.ground.now();
        let Some(batch) = &mut self.batch else { return broken("nothing is planned") };
        let fact = Fact::new(batch.head(), now, body);
        Ok(batch.apply(&fact)?)
    }

    /// Drives the batch as a worker does, while nothing goes wrong, until it needs nothing more.
    pub(super) fn finish(&mut self) -> Verdict<State> {
        for _ in 0..STEPS_MAX {
            let (now, timing) = (self.ground.now(), self.rail.timing());
            let seen = match self.batch()?.next(now, self.tip, timing) {
                Next::Sign => {
                    let signed = self.sign()?;
                    self.submit(&signed, Mishap::None)?
                }
                Next::Submit { try_n } => match self.batch()?.signed().get(try_n).cloned() {
                    Some(signed) => match self.submit(&signed, Mishap::None)? {
                        Some(seen) => Some(seen),
                        None => self.look(Mishap::None)?.ok(),
                    },
                    None => None,
                },
                Next::Look => self.look(Mishap::None)?.ok(),
                Next::Approve | Next::Watch { .. } | Next::Review | Next::Done => break,
            };
            if let Some(seen) = seen {
                self.learn(&seen)?;
                let lost = self.batch()?.lost(&seen, now);
                let lost = lost.and_then(|at| self.batch.as_ref()?.signed().get(at).cloned());
                if let Some(signed) = lost {
                    drop(self.submit(&signed, Mishap::None)?);
                }
            }
            self.ground.pass(STEP_SECS);
        }
        self.state()
    }

    /// Whether everyone got what their line says, and nobody anything else.
    pub(super) fn all_arrived(&self, lines: &[Line]) -> Verdict {
        for line in lines {
            let (to, wanted) = (&line.to, line.amount.get());
            let arrived = self.ground.arrived(to);
            if arrived != wanted {
                return broken(format!("{arrived} arrived at {to} where {wanted} was due"));
            }
        }
        Ok(())
    }

    pub(super) fn nothing_arrived(&self, lines: &[Line], when: &str) -> Verdict {
        let arrived = lines.iter().find(|line| self.ground.arrived(&line.to) > 0);
        arrived.map_or(Ok(()), |line| broken(format!("{} was paid {when}", line.to)))
    }
}

pub(super) const BOOK: &str = "contract";
pub(super) const RUN: u64 = 3;

/// So long between two looks.
pub(super) const STEP_SECS: u64 = 20;

/// Far longer than any window, deadline or grace.
pub(super) const STEPS_MAX: u32 = 600;

const TURNS_MAX: u32 = 64;
