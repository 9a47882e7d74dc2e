//! What the settings say of costs: what payouts may cost, who bears it, and who quotes it.

use divvy_core::{Asset, Error, FeeShare, FeesSet};
use serde::Deserialize;

/// What payouts may cost, and what payees bear of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFees {
    ceiling: Option<String>,
    borne_max: Option<String>,
}

impl RawFees {
    pub(super) fn checked(&self, asset: &Asset) -> Result<FeesSet, Error> {
        let amount =
            |text: &Option<String>| text.as_deref().map(|text| asset.amount(text)).transpose();
        Ok(FeesSet { ceiling: amount(&self.ceiling)?, borne_max: amount(&self.borne_max)? })
    }
}

/// How much of a line its fee may be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFeeShare {
    bps: u64,
    wait_days: Option<u64>,
}

impl RawFeeShare {
    pub(super) fn checked(&self) -> FeeShare {
        let waits_secs = self.wait_days.map(|days| days.saturating_mul(86_400));
        FeeShare::AtMost { bps: self.bps, waits_secs }
    }
}

/// Where quotes are read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQuotes {
    pub(super) file: String,
    pub(super) age_secs_max: Option<u64>,
}
