//! Money that flows over time, as plain fractions of what it was.

use divvy_core::Time;

/// What is on its way to the holders of one pool.
#[derive(Debug, Default)]
pub(super) struct Flows {
    flows: Vec<Flow>,
    /// Until when all of them have flowed.
    until: Option<Time>,
}

#[derive(Debug)]
struct Flow {
    amount: u128,
    millis: u128,
    passed: u128,
}

impl Flow {
    /// What has flowed of it: all of it at the end.
    fn flowed(&self) -> u128 {
        let passed = self.passed.min(self.millis);
        self.amount.saturating_mul(passed).checked_div(self.millis).unwrap_or(0)
    }
}

impl Flows {
    pub(super) fn begin(&mut self, amount: u128, millis: u64, at: Time) {
        self.flows.push(Flow { amount, millis: millis.into(), passed: 0 });
        self.until = Some(at);
    }

    /// What flows up to a moment; time stands still while nobody holds units.
    pub(super) fn until(&mut self, at: Time, held: bool) -> u128 {
        let from = self.until.replace(at);
        let Some(from) = from.filter(|_| held) else { return 0 };
        let mut sum = 0_u128;
        for flow in &mut self.flows {
            let before = flow.flowed();
            flow.passed = flow.passed.saturating_add(at.millis_since(from).into());
            // What takes no time flows with the first look at it.
            let after = if flow.millis == 0 { flow.amount } else { flow.flowed() };
            sum = sum.saturating_add(after.saturating_sub(before));
        }
        self.flows.retain(|flow| flow.passed < flow.millis);
        sum
    }

    /// Whether all has flowed until a moment, so that units may change.
    pub(super) fn is_even(&self, at: Time) -> bool {
        self.flows.is_empty() || self.until == Some(at)
    }

    pub(super) fn left(&self) -> u128 {
        self.flows.iter().map(|flow| flow.amount.saturating_sub(flow.flowed())).sum()
    }
}
