//! What a person should look at, judged by hand, and when it is news.

use divvy_core::{Alert, Day, Health, Runway, State, TreasuryStatus};

use crate::lab::{Same, same, text};
use crate::money::diary::DAY;
use crate::money::lab::Lab;

/// Less than this in the till is little.
pub(crate) const LOW: u64 = 40_000;

/// So long something that is over goes on being told.
const CALM: i128 = 3_600_000;

/// What was told last, and when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alarm {
    at: i128,
    told: Vec<Alert>,
}

impl Alarm {
    fn is_news(&self, alerts: &[Alert], now: i128) -> bool {
        let kinds = |alerts: &[Alert]| alerts.iter().map(core::mem::discriminant).collect();
        let (told, found): (Vec<_>, Vec<_>) = (kinds(&self.told), kinds(alerts));
        let begins = found.iter().any(|kind| !told.contains(kind));
        let ends = told.iter().any(|kind| !found.contains(kind));
        begins || ends && now - self.at >= CALM
    }
}

impl Lab {
    /// What a person should look at, of a till that has so much, short on that day from today on.
    pub(crate) fn compare_alerts(
        &self,
        real: &TreasuryStatus,
        [midnight, late]: [i128; 2],
        (runway, short): (Runway, Option<u32>),
    ) -> Same {
        let ended = [State::Settled, State::Refused, State::Returned];
        let (mut stayed, mut tried) = (0, 0);
        for batch in self.slips.iter().map(|slip| &slip.batch) {
            let lines = batch.lines.len();
            tried += if ended.contains(&batch.state()) { lines } else { 0 };
            stayed += (0..lines).map(|at| batch.times_paid(at)).sum::<u64>();
        }
        let day = |ahead: u32| {
            let first = u32::try_from(midnight / DAY).unwrap();
            Day::from_number(first + ahead.max(1) - 1)
        };
        let mut own = Vec::new();
        if runway == Runway::Exhausted {
            own.push(Alert::Exhausted);
        }
        if self.ledger.diary.balance() < i128::from(LOW) {
            own.push(Alert::BalanceLow);
        }
        if matches!(runway, Runway::Exhausted | Runway::Days(..7)) {
            own.push(Alert::RunwayShort);
        }
        own.extend(short.map(|ahead| Alert::ShortOn(day(ahead))));
        if late > 0 {
            own.push(Alert::SettlementOverdue);
        }
        if stayed * 100 < tried as u64 * 95 {
            own.push(Alert::SuccessLow);
        }
        same("what a person should look at", real.alerts.clone(), own.clone())?;
        let health = match own.first() {
            None => Health::Healthy,
            Some(Alert::Exhausted) => Health::Critical,
            Some(_) => Health::Low,
        };
        same("its health", real.health, health)?;
        let news = self.alarm.is_news(&own, self.now.into());
        let step = self.book().note_alerts(&own, self.time());
        same("whether alerts are news", !step.facts().is_empty(), news)
    }

    /// Somebody looks, and tells it where it is news.
    pub(crate) fn look(&mut self) -> Same {
        let alerts = self.status().map_err(text)?.alerts;
        let now = i128::from(self.now);
        if self.alarm.is_news(&alerts, now) {
            let step = self.book().note_alerts(&alerts, self.time());
            self.agreed(Ok(step), Ok(()))?;
            self.alarm = Alarm { at: now, told: alerts };
        }
        Ok(())
    }
}
