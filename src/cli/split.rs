//! `divvy split`: the arithmetic alone.

use clap::Args;
use divvy::core::{Amount, Asset, Code, Error, Rule, split};

use crate::cli::Verdict;
use crate::cli::out::Out;

/// Split an amount by weights, without a book.
#[derive(Args, Debug)]
pub(crate) struct Split {
    /// Whole minor units, or decimal text where an asset is named.
    #[arg(long)]
    amount: String,
    /// Whole weights, separated by commas.
    #[arg(long, value_delimiter = ',', required = true)]
    weights: Vec<String>,
    /// How the odd units are given out.
    #[arg(long, default_value = "largest_remainder")]
    rule: String,
    /// An ISO 4217 code, or CODE@decimals.
    #[arg(long)]
    asset: Option<String>,
}

impl Split {
    pub(crate) fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let asset = self.asset.as_deref().map(Asset::parse).transpose()?;
        let plain = Asset::parse("UNIT@0")?;
        let asset = asset.as_ref().unwrap_or(&plain);
        let rule = Rule::parse(&self.rule)?;
        let weights: Vec<u64> = self.weights.iter().map(weight).collect::<Result<_, _>>()?;
        let shares = split(rule, asset.amount(&self.amount)?, &weights)?;
        let text = |amount: &Amount| asset.text(*amount);
        let parts: Vec<String> = shares.shares.iter().map(text).collect();
        let left = text(&shares.left);
        for (weight, part) in self.weights.iter().zip(&parts) {
            out.say(&format!("{part}  by weight {weight}"));
        }
        out.say(&format!("{left}  left"));
        out.value(&Printed { rule: rule.name(), shares: parts, left });
        Ok(Verdict::Done)
    }
}

/// The promised order of the fields.
#[derive(serde::Serialize)]
struct Printed<'a> {
    rule: &'a str,
    shares: Vec<String>,
    left: String,
}

fn weight(text: &String) -> Result<u64, Error> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let weight = if digits { text.parse().ok() } else { None };
    weight.ok_or_else(|| {
        let detail = format!("weight {text:?} is no whole number below 2⁶⁴: write digits alone");
        Error::new(Code::SplitMalformed, detail)
    })
}
