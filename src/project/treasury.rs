//! The treasury of a settings file: what is told of it, and when it warns.

use divvy_core::{Asset, Error, Name, TreasuryTerms};
use serde::Deserialize;

/// When a treasury warns; what is absent is as usual.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTreasury {
    pub(super) funds: Option<String>,
    owner: Option<String>,
    low_balance: Option<String>,
    low_days: Option<u64>,
    window_days: Option<u32>,
    horizon_days: Option<u32>,
    success_bp_min: Option<u64>,
}

impl RawTreasury {
    pub(super) fn terms(&self, asset: &Asset) -> Result<TreasuryTerms, Error> {
        let low_balance = asset.amount(self.low_balance.as_deref().unwrap_or(LOW_BALANCE))?;
        let usual = TreasuryTerms::new(low_balance);
        Ok(TreasuryTerms {
            owner: self.owner.as_deref().map(Name::new).transpose()?,
            low_days: self.low_days.unwrap_or(usual.low_days),
            window_days: self.window_days.unwrap_or(usual.window_days).max(1),
            horizon_days: self.horizon_days.unwrap_or(usual.horizon_days).min(HORIZON_DAYS_MAX),
            success_bp_min: self.success_bp_min.unwrap_or(usual.success_bp_min),
            ..usual
        })
    }
}

/// Warn below this much of the book's asset.
const LOW_BALANCE: &str = "2000";

/// No projection goes further ahead than a year.
const HORIZON_DAYS_MAX: u32 = 366;
