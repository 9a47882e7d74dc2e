//! One way for everything that people decide: who and why, signed, right before what follows.

use std::collections::HashMap;

use crate::batch::Step;
use crate::book::Judge;
use crate::books::Books;
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Hash, Head, Place, Stream};

impl Books {
    /// The same step as one that a person decided: before the acts in each of its streams stands
    /// who decided them and why, signed where the book knows people. What is no act of a person
    /// stays as it is.
    ///
    /// # Errors
    /// [`Code::SignatureWrong`] without the key of one whom the book knows, where it knows any;
    /// [`Code::InputMalformed`] without a reason.
    ///
    /// ```
    /// # use divvy_core::{Amount, Asset, Books, Judge, Name, Opened, Policy, Time};
    /// # let opened = Opened {
    /// #     asset: Asset::parse("USD")?,
    /// #     policy: Policy::Instant,
    /// #     floor: Amount::ONE,
    /// #     cooling_secs: 0,
    /// #     named_on: None,
    /// # };
    /// # let mut books = Books::default();
    /// # books.feed(books.open(&Name::new("b")?, opened, Time::ZERO)?.facts())?;
    /// let hold = books.book("b")?.hold(&Name::new("eve")?, "asked to wait", None, Time::ZERO);
    /// let judge = Judge { by: Name::new("ann")?, reason: "she rang".into(), key: None };
    /// let step = books.decide(hold, &judge)?;
    /// let kinds: Vec<_> = step.facts().iter().map(|fact| &*fact.kind).collect();
    /// assert_eq!(kinds, ["decided.1", "held.1"]);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn decide(&self, step: Step, judge: &Judge<'_>) -> Result<Step, Error> {
        let mut chains: HashMap<&Stream, Vec<&Fact>> = HashMap::new();
        for fact in step.facts() {
            chains.entry(&fact.stream).or_default().push(fact);
        }
        let mut facts = Vec::with_capacity(step.facts().len());
        for fact in step.facts() {
            // Each stream goes on as a whole where the first of its facts stood.
            let Some(chain) = chains.remove(&fact.stream) else { continue };
            facts.extend(self.decided(&chain, judge)?);
        }
        Ok(step.with_facts(facts))
    }

    /// Whether a step may be committed: in a book that knows people, what a person does is signed
    /// by one of them.
    ///
    /// # Errors
    /// [`Code::ActUnsigned`] for the first act that is not: see [`Books::decide`].
    pub fn check_step(&self, step: &Step) -> Result<(), Error> {
        let mut covered: Option<(&Stream, u32)> = None;
        for fact in step.facts() {
            if let Some((stream, left)) = &mut covered
                && *left > 0
                && **stream == fact.stream
            {
                *left = left.saturating_sub(1);
                continue;
            }
            let is_decided = fact.kind == "decided.1";
            if !(is_decided || Body::may_be_act(&fact.kind)) || !self.knows_people(&fact.stream) {
                continue;
            }
            let body = fact.body()?;
            if let Body::Decided(decided) = &body
                && decided.proof.is_some()
            {
                covered = Some((&fact.stream, decided.acts));
            } else if is_decided || body.is_act(&fact.stream) {
                let detail = "the book knows people: one of them signs this with their key";
                return Err(fact.named(&Error::new(Code::ActUnsigned, detail)));
            }
        }
        Ok(())
    }

    /// The next facts of one stream, with the decision before the first act among them.
    fn decided(&self, chain: &[&Fact], judge: &Judge<'_>) -> Result<Vec<Fact>, Error> {
        let bodies = chain.iter().map(|fact| fact.body()).collect::<Result<Vec<_>, Error>>()?;
        let is_act = |(body, fact): (&Body, &&Fact)| body.is_act(&fact.stream);
        let at = bodies.iter().zip(chain).position(is_act).unwrap_or(bodies.len());
        let (before, acts) = (chain.get(..at).unwrap_or_default(), bodies.get(at..));
        let mut facts: Vec<Fact> = before.iter().map(|fact| (*fact).clone()).collect();
        let Some((acts, first)) = acts.zip(chain.get(at)) else { return Ok(facts) };
        let book = book_of(&first.stream).ok_or_else(|| crate::book::misplaced(first))?;
        let head = facts.last().map_or_else(|| self.head_at(&first.stream), Head::after);
        let decided = self.book(book)?.decided(&head, acts, judge)?;
        let all: Vec<Body> = std::iter::once(decided).chain(acts.iter().cloned()).collect();
        facts.extend(Fact::chain(&head, first.at, &all));
        Ok(facts)
    }

    fn head_at(&self, stream: &Stream) -> Head {
        let known: Option<(u64, Hash)> = self.head_of(stream);
        known.map_or_else(
            || Head::start(stream.clone()),
            |(n, hash)| Head { stream: stream.clone(), n, hash },
        )
    }

    fn knows_people(&self, stream: &Stream) -> bool {
        let book = book_of(stream).and_then(|book| self.book(book).ok());
        book.is_some_and(|book| book.guarded().is_some())
    }

    /// As [`crate::Book::check_key_of`], in the book of the fact's stream.
    pub(crate) fn check_key_of(&self, fact: &Fact, guard: u64) -> Result<(), Error> {
        let Some(book) = book_of(&fact.stream) else { return Ok(()) };
        self.book(book)?.check_key_of(fact, guard)
    }
}

/// The book of a stream in which people act.
fn book_of(stream: &Stream) -> Option<&str> {
    match stream.place() {
        Place::Rule { book }
        | Place::Payee { book, .. }
        | Place::Batch { book, .. }
        | Place::Run { book }
        | Place::Treasury { book }
        | Place::Break { book, .. } => Some(book),
        Place::Division { .. } | Place::Pool { .. } => None,
        Place::Payment { .. } | Place::Coins { .. } | Place::Seal | Place::Webhook { .. } => None,
    }
}
