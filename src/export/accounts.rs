//! What accounts are called, in words that every program takes.

use std::collections::{BTreeMap, HashSet};

use divvy_core::{Asset, Hash};

use crate::export::{Account, Ledger};

/// The name of each account. No two have one.
pub(super) struct Chart {
    names: BTreeMap<Account, String>,
    /// What the asset is called.
    pub(super) commodity: String,
    /// What the others are called.
    coins: BTreeMap<String, String>,
}

impl Chart {
    pub(super) fn of(ledger: &Ledger) -> Self {
        let book = word(ledger.book.as_str());
        let fixed = [
            (Account::Cash, format!("Assets:{book}")),
            (Account::Undivided, format!("Liabilities:{book}:Undivided")),
            (Account::Before, format!("Equity:{book}:Before")),
            (Account::Staked, format!("Equity:{book}:Staked")),
        ];
        let mut names: BTreeMap<Account, String> = fixed.into_iter().collect();
        let mut taken: HashSet<String> = HashSet::new();
        // In the order in which they were first named, so that a name never changes later.
        for (payee, _) in &ledger.payees {
            let plain = word(payee.as_str());
            let own = if taken.contains(&plain) { marked(&plain, payee.as_str()) } else { plain };
            taken.insert(own.clone());
            let account = format!("Liabilities:{book}:Payees:{own}");
            names.insert(Account::Payee(payee.clone()), account);
        }
        let own = commodity(ledger.asset.code());
        let coins = symbols(ledger, &own);
        let symbol = |coin: &String| coins.get(coin).map_or("X", String::as_str);
        for account in ledger.balances.keys() {
            let name = match account {
                Account::Fees => format!("Expenses:{book}:Fees"),
                Account::Rates => format!("Income:{book}:Rates"),
                Account::Coins(coin) => format!("Assets:{book}:Coins:{}", symbol(coin)),
                Account::CoinFees(coin) => format!("Expenses:{book}:Fees:{}", symbol(coin)),
                Account::Cash | Account::Undivided | Account::Payee(_) => continue,
                Account::Before | Account::Staked => continue,
            };
            names.insert(account.clone(), name);
        }
        Self { names, commodity: own, coins }
    }

    /// What an account holds is called so.
    pub(super) fn unit(&self, account: &Account) -> &str {
        account.coin().and_then(|coin| self.coins.get(coin)).unwrap_or(&self.commodity)
    }

    /// What the other assets are called, by their names.
    pub(super) const fn coins(&self) -> &BTreeMap<String, String> {
        &self.coins
    }

    pub(super) fn name(&self, account: &Account) -> &str {
        self.names.get(account).map_or("Equity:Unknown", String::as_str)
    }

    /// Every account and what it is called.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Account, &str)> {
        self.names.iter().map(|(account, name)| (account, name.as_str()))
    }
}

/// A name as one word: a capital or a digit, then letters, digits and dashes. A name that loses
/// something but the case of its first letter is marked with its hash.
fn word(name: &str) -> String {
    let fit = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let mut letters = name.chars();
    let first = letters.next().filter(char::is_ascii_alphanumeric);
    let kept: String = name.chars().map(|letter| if fit(letter) { letter } else { '-' }).collect();
    match first {
        Some(first) if name.chars().all(fit) => {
            format!("{}{}", first.to_ascii_uppercase(), letters.as_str())
        }
        Some(first) => {
            let rest: String = kept.chars().skip(1).collect();
            marked(&format!("{}{rest}", first.to_ascii_uppercase()), name)
        }
        None => marked(&format!("X{kept}"), name),
    }
}

/// What the other assets of a ledger are called; no two have one name.
fn symbols(ledger: &Ledger, own: &str) -> BTreeMap<String, String> {
    let mut taken: HashSet<String> = HashSet::from([own.to_owned()]);
    let named = |(coin, asset): (&String, &Asset)| {
        let plain = commodity(asset.code());
        let fresh = taken.insert(plain.clone());
        let symbol = if fresh { plain } else { marked("X", coin).to_ascii_uppercase() };
        (coin.clone(), symbol)
    };
    ledger.coins.iter().map(named).collect()
}

fn marked(word: &str, name: &str) -> String {
    let mark: String = Hash::of(name.as_bytes()).to_string().chars().take(12).collect();
    format!("{word}-{mark}")
}

/// An asset's code as beancount takes one: 2 to 24 capitals and digits.
fn commodity(code: &str) -> String {
    let fit = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let upper: String = code.to_ascii_uppercase().chars().map(fit).take(20).collect();
    let upper = upper.trim_matches('-');
    match upper.chars().next() {
        Some(first) if first.is_ascii_uppercase() && upper.len() > 1 => upper.to_owned(),
        _ => format!("X{upper}X"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_one_word_and_no_two_the_same() {
        assert_eq!(word("alice"), "Alice");
        assert_eq!(word("7-up"), "7-up");
        let odd = ["a b", "a:b", "a\"b", "-x", "é", "x;y", "a_b", "=1+1"];
        let words: HashSet<String> = odd.iter().map(|name| word(name)).collect();
        assert_eq!(words.len(), odd.len());
        for word in words {
            let first = word.chars().next().unwrap();
            assert!(first.is_ascii_uppercase() || first.is_ascii_digit(), "{word}");
            assert!(word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{word}");
        }
        assert_eq!([commodity("USDC"), commodity("y"), commodity("1")], ["USDC", "XYX", "X1X"]);
    }
}
