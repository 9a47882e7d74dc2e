//! What a holder can check alone: declarations, their holders and the seals over them, hashed by
//! hand; and every way in which a proof is bent.

use divvy_core::{Body, Seals, Stream, Units, Verify};
use divvy_core::{
    Checked, Code, Covered, Cursor, Error, Fact, Hash, Head, Holdings, Proof, SealedFact,
};

use crate::action::Dice;
use crate::lab::{Same, name, payee_name, pool_name, same, text, units};
use crate::money::bytes::{self, Digest32, bytes, list, number, record, words};
use crate::money::deed::{PEOPLE, PROVEN};
use crate::money::fund::{Declaration, Fund};
use crate::money::lab::{BOOK, Lab};

type Bend = fn(&mut Proof);

/// Every part of a proof, altered by the least that there is.
const BENT: [Bend; 14] = [
    |proof| proof.version += 1,
    |proof| proof.holding.units = units(proof.holding.units.get() + 1),
    |proof| proof.holding.units = units(proof.holding.units.get() - 1),
    |proof| proof.holding.place += 1,
    |proof| proof.holding.holder = name("mallory"),
    |proof| proof.holding.path.push(Hash::of(b"more")),
    |proof| match proof.holding.path.pop() {
        Some(_) => (),
        None => proof.holding.path.push(Hash::of(b"beside")),
    },
    |proof| match proof.holding.path.first_mut() {
        Some(first) => *first = Hash::of(b"another"),
        None => proof.holding.place += 1,
    },
    |proof| proof.declared.n += 1,
    |proof| proof.declared.at = proof.declared.at.plus_secs(1),
    |proof| proof.declared.before = Hash::of(b"another"),
    |proof| proof.declared.stream = Stream::pool(&name(BOOK), &name("another")),
    |proof| {
        let last = proof.declared.bytes.last_mut().unwrap();
        *last ^= 1;
    },
    |proof| proof.declared.kind = "flowing.1".to_owned(),
];

const SEAL_BENT: [Bend; 3] = [
    |proof| way_up(proof).place += 1,
    |proof| way_up(proof).path.push(Hash::of(b"more")),
    |proof| way_up(proof).path.reverse(),
];

fn way_up(proof: &mut Proof) -> &mut SealedFact {
    proof.sealed.as_mut().unwrap()
}

/// What is hashed of one holder.
fn leaf(who: usize, units: i128) -> Vec<u8> {
    let own = list(&[words(payee_name(who).as_str()), number(units)]);
    [b"divvy.holding.1\0".to_vec(), own].concat()
}

/// Everyone who held something, by name.
fn holders(declaration: &Declaration) -> Vec<(usize, i128)> {
    let all = declaration.units.iter().copied().enumerate();
    let mut there: Vec<_> = all.filter(|(_, units)| *units > 0).collect();
    there.sort_by_key(|(who, _)| payee_name(*who).to_string());
    there
}

/// The body of a declaration, as it is published.
fn body_of(fund: &Fund, at: usize, one: &Declaration) -> Vec<u8> {
    let index = |index: i128| bytes(&u128::try_from(index).unwrap().to_be_bytes());
    let some = |amount: i128| (amount > 0).then(|| number(amount));
    let held = holders(one);
    let leaves: Vec<Vec<u8>> = held.iter().map(|(who, units)| leaf(*who, *units)).collect();
    let supply: i128 = held.iter().map(|(_, units)| units).sum();
    let committed = PROVEN[at].then(|| {
        record(&[
            (0, Some(bytes(&bytes::root(&leaves)))),
            (1, Some(number(held.len().try_into().unwrap()))),
            (2, Some(number(supply))),
            (3, Some(index(fund.scale))),
            (4, Some(index(one.indexes[0]))),
        ])
    });
    let payments: Vec<Vec<u8>> = one.payments.iter().map(|payment| words(payment)).collect();
    record(&[
        (0, Some(list(&payments))),
        (1, Some(number(one.gross))),
        (2, Some(index(one.indexes[1]))),
        (3, some(one.netted)),
        (4, some(one.regained)),
        (5, committed),
        (6, some(one.drawn)),
    ])
}

impl Lab {
    /// Each declaration among some facts, byte by byte, and one holder's proof of it.
    pub(crate) fn compare_declared(&self, facts: &[Fact]) -> Same {
        for fact in facts.iter().filter(|fact| fact.kind == "declared.1") {
            let own = |at: &usize| fact.stream == Stream::pool(&name(BOOK), &pool_name(*at));
            let at = (0..PROVEN.len()).find(own).ok_or("a declaration of no pool")?;
            let fund = &self.ledger.funds[at];
            let one = fund.declarations.last().ok_or("nobody declared")?;
            let body = body_of(fund, at, one);
            let hex = |bytes: &[u8]| -> String {
                bytes.iter().map(|byte| format!("{byte:02x}")).collect()
            };
            same("what a declaration says", hex(&fact.bytes), hex(&body))?;
            let before = self.before(fact);
            let place = (fact.stream.as_str(), fact.n, fact.at.millis());
            let digest = bytes::fact(before.as_bytes(), place, ("declared.1", &body));
            same("the hash of a declaration", fact.hash, Hash::new(digest))?;
            let dice = &mut Dice::new(self.now, fact.n);
            let held = holders(one);
            let who = dice.place(PEOPLE as u64);
            let proof = self.proof(fact, at, one, who, None).map_err(|error| error.code());
            let expected = match (PROVEN[at], held.iter().any(|(holder, _)| *holder == who)) {
                (false, _) => Err(Code::ProofMissing),
                (true, false) => Err(Code::PayeeUnknown),
                (true, true) => Ok(()),
            };
            same("whether there is a proof", proof.as_ref().map(|_| ()).map_err(|e| *e), expected)?;
            if let Ok(proof) = proof {
                self.check(&proof, &fact.hash, (fact, fund, one, who), &BENT)?;
            }
        }
        Ok(())
    }

    /// The hash before a fact, from the facts that were written.
    fn before(&self, fact: &Fact) -> Hash {
        let before = |one: &&Fact| one.stream == fact.stream && one.n + 1 == fact.n;
        self.facts.iter().rev().find(before).unwrap().hash
    }

    /// A proof of somebody's part, by the pool's stream up to the declaration.
    fn proof(
        &self,
        fact: &Fact,
        at: usize,
        one: &Declaration,
        who: usize,
        sealed: Option<SealedFact>,
    ) -> Result<Proof, Error> {
        let own = self.of(&Stream::pool(&name(BOOK), &pool_name(at)));
        let held = Holdings::fold(&own[..usize::try_from(fact.n).unwrap()])?;
        let known: Vec<_> = held.entries().map(|(holder, units)| (holder.clone(), units)).collect();
        let wide = |many: i128| units(u64::try_from(many).unwrap());
        let ours = holders(one).into_iter().map(|(who, many)| (payee_name(who), wide(many)));
        assert_eq!(known, ours.collect::<Vec<_>>(), "who held what at a declaration");
        let sorted: Vec<_> = known.iter().map(|(holder, units)| (holder, *units)).collect();
        Proof::of(fact, self.before(fact), &sorted, payee_name(who).as_str(), sealed)
    }

    /// A proof tells what anybody reckons, and holds in no other form and to no other root.
    fn check(
        &self,
        proof: &Proof,
        root: &Hash,
        (fact, fund, one, who): (&Fact, &Fund, &Declaration, usize),
        bends: &[Bend],
    ) -> Same {
        let Checked {
            pool, declaration, at, holder, units, supply, declared, part, fraction, ..
        } = proof.check(root).map_err(text)?;
        same("whose proof", (pool, holder), (fact.stream.clone(), payee_name(who)))?;
        same("which declaration", (declaration, at), (fact.n, fact.at))?;
        let wide = |units: Units| i128::from(units.get());
        let all: i128 = one.units.iter().sum();
        same("of how many units", [wide(units), wide(supply)], [one.units[who], all])?;
        let scaled = one.units[who] * (one.indexes[1] - one.indexes[0]);
        let own = [one.effective, scaled / fund.scale, scaled % fund.scale];
        let fraction = i128::try_from(fraction.get()).unwrap();
        let real = [declared.get().into(), part.get().into(), fraction];
        same("what a proof shows", real, own)?;
        let refused = |proof: &Proof, root: &Hash, how: usize| match proof.check(root) {
            Err(_) => Ok(()),
            Ok(checked) => Err(format!("a proof that was bent by {how} shows {checked:?}")),
        };
        for (how, bend) in bends.iter().enumerate() {
            let mut bent = proof.clone();
            bend(&mut bent);
            if bent != *proof {
                refused(&bent, root, how)?;
            }
        }
        refused(proof, &Hash::of(root.as_bytes()), bends.len())
    }

    /// Seals over all facts, in two parts; whatever is taken away or altered shows.
    pub(crate) fn compare_seals(&self, seed: u64) -> Same {
        let dice = &mut Dice::new(seed, 999_961);
        let all = self.facts.len();
        let cut = 1 + dice.place(all as u64);
        let cursor = Cursor::start("a1".to_owned());
        let sealed = |seals: &Seals| seals.seal(&cursor, self.time()).facts().to_vec();
        let mut seals = Seals::default();
        seals.feed(&self.facts[..cut]).map_err(text)?;
        let first = sealed(&seals);
        let mut whole = [&self.facts[..cut], &first, &self.facts[cut..]].concat();
        let mut seals = Seals::default();
        seals.feed(&whole).map_err(text)?;
        let second = sealed(&seals);
        whole.extend(second.clone());
        Seals::default().feed(&whole).map_err(text)?;
        for (seal, covered) in
            first.iter().zip([&whole[..cut]]).chain(second.iter().zip([&whole[cut..=all]]))
        {
            let Ok(Body::Sealed(sealed)) = seal.body() else { return Err("no seal".to_owned()) };
            same("the root of a seal", sealed.root, root_of(covered))?;
            self.compare_covered(covered, &sealed.root)?;
        }
        // One fact is taken away, another one altered, and two of them change places.
        let at = dice.place(cut as u64);
        let code = |facts: &[Fact]| Seals::default().feed(facts).map_err(|error| error.code());
        let mut bent = whole.clone();
        bent.remove(at);
        same("without a fact", code(&bent), Err(Code::FactTampered))?;
        let mut bent = whole.clone();
        bent[at].hash = Hash::of(b"another");
        same("with another fact", code(&bent), Err(Code::FactTampered))?;
        whole.swap(at, 0);
        same("in another order", code(&whole), Ok(()))
    }

    /// A declaration that commits to anybody else is found by whoever verifies.
    pub(crate) fn refuse_other_holders(&self, seed: u64) -> Same {
        let proven = |fact: &Fact| match fact.body() {
            Ok(Body::Declared(declared)) if declared.holders.is_some() => Some(declared),
            _ => None,
        };
        let newest = self.facts.iter().rposition(|fact| proven(fact).is_some());
        let Some(at) = newest.filter(|_| !self.unsigned) else { return Ok(()) };
        let fact = &self.facts[at];
        let mut declared = proven(fact).unwrap();
        let held = declared.holders.as_mut().unwrap();
        match seed % 3 {
            0 => held.root = Hash::of(b"mallory"),
            1 => held.count += 1,
            _ => held.index = divvy_core::Index::new(held.index.get() + 1),
        }
        let head = Head { stream: fact.stream.clone(), n: fact.n, hash: self.before(fact) };
        let bent = Fact::new(&head, fact.at, &Body::Declared(declared));
        let mut verify = Verify::new();
        verify.feed(&self.facts[..at]).map_err(text)?;
        let fed = verify.feed(&[bent]).and_then(|()| verify.finish().map(|_| ()));
        let code = fed.map_err(|error| error.code());
        same("a declaration of other holders", code, Err(Code::PoolBroken))
    }

    /// The newest declaration that a seal covers is proven up to it.
    fn compare_covered(&self, covered: &[Fact], root: &Hash) -> Same {
        for at in (0..PROVEN.len()).filter(|at| PROVEN[*at]) {
            let stream = Stream::pool(&name(BOOK), &pool_name(at));
            let newest = |fact: &&Fact| fact.stream == stream && fact.kind == "declared.1";
            let Some(fact) = self.facts.iter().rev().find(newest) else { continue };
            let fund = &self.ledger.funds[at];
            let one = fund.declarations.last().unwrap();
            let who = holders(one)[0].0;
            let hashes: Vec<Hash> = covered.iter().map(|fact| fact.hash).collect();
            let way = Covered::new(&hashes).way_up(&fact.hash);
            same("whether it is covered", way.is_some(), hashes.contains(&fact.hash))?;
            let Some(way) = way else { continue };
            let proof = self.proof(fact, at, one, who, Some(way)).map_err(text)?;
            self.check(&proof, root, (fact, fund, one, who), &[&BENT[..], &SEAL_BENT].concat())?;
        }
        Ok(())
    }
}

fn root_of(facts: &[Fact]) -> Hash {
    let mut hashes: Vec<Digest32> = facts.iter().map(|fact| *fact.hash.as_bytes()).collect();
    hashes.sort_unstable();
    let entries: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.to_vec()).collect();
    Hash::new(bytes::root(&entries))
}
