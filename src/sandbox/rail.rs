//! The rail that pays over a sandbox: requests as data, replies as data.

mod beyond;
mod look;
mod read;
mod sign;

use divvy_core::{
    Amount, Asset, Code, Error, Heard, Job, Line, Name, Pack, Rail, Request, Seen, Signed,
    Stranger, Time, Timing, Turn, Window,
};
use reqwest::Url;

use crate::sandbox::world::{NOW_HEADER, WindowKind};

/// The rail of a sandbox.
///
/// A try's reference is a hash over its batch, its place among the batch's tries and its lines. A
/// batch takes several hundred lines. What proves a first try void depends on the window, as the
/// module says.
///
/// ```
/// use divvy::core::{Amount, Line, Name, Rail, Time, Turn};
/// use divvy::sandbox::{RailSettings, Sandbox};
///
/// let settings = RailSettings::at("http://127.0.0.1:4010", Name::new("till")?)?;
/// let rail = Sandbox::new(RailSettings { lines_max: 2, ..settings })?;
/// let (payee, amount, to) = (Name::new("ann")?, Amount::ONE, "ann".to_owned());
/// let line = Line { payee, amount, to, to_n: None, fee: None };
/// let packed = rail.pack(&vec![line; 5], &[], Time::ZERO)?;
/// assert!(matches!(packed, Turn::Done(packs) if packs.len() == 3));
/// # Ok::<(), divvy::core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sandbox {
    settings: RailSettings,
    base: Url,
}

/// How a sandbox is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct RailSettings {
    /// The rail's name, as destinations spell it.
    pub name: Name,
    /// The wallet that pays.
    pub wallet: Name,
    /// Where the sandbox listens.
    pub base_url: String,
    /// The window that it serves.
    pub window: WindowKind,
    /// No batch has more lines.
    pub lines_max: usize,
    /// No request of a try starts later than so many seconds after it was signed.
    pub deadline_secs: u64,
    /// The grace must be longer than the sandbox's lag.
    pub timing: Timing,
    /// In which asset it charges; without it, what it charges is not kept.
    pub fee_asset: Option<Asset>,
    /// What it quotes for each line, in the book's asset.
    pub fee_quoted: Amount,
}

impl RailSettings {
    /// The settings of a sandbox with default terms, for the rail named `sandbox`.
    ///
    /// ```
    /// use divvy::core::Name;
    /// use divvy::sandbox::RailSettings;
    ///
    /// let settings = RailSettings::at("http://127.0.0.1:4010", Name::new("till")?)?;
    /// assert!(settings.timing.grace_secs > 60, "longer than the lag");
    /// # Ok::<(), divvy::core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::NameMalformed`], never for this name.
    pub fn at(base_url: &str, wallet: Name) -> Result<Self, Error> {
        Ok(Self {
            name: Name::new("sandbox")?,
            wallet,
            base_url: base_url.to_owned(),
            window: WindowKind::Until,
            lines_max: 500,
            deadline_secs: 300,
            timing: Timing { grace_secs: 120, deadline_secs_max: 300, watch_secs: 172_800 },
            fee_asset: None,
            fee_quoted: Amount::ZERO,
        })
    }
}

impl Sandbox {
    /// A rail with these settings.
    ///
    /// # Errors
    /// [`Code::RailRefused`] for an address that is no URL, no line a batch, or a deadline that is
    /// longer than the timing says.
    pub fn new(settings: RailSettings) -> Result<Self, Error> {
        let base = Url::parse(&settings.base_url).ok().filter(Url::has_host);
        let Some(base) = base else {
            let detail = format!("{:?} is no URL: write http://127.0.0.1:4010", settings.base_url);
            return Err(Error::new(Code::RailRefused, detail));
        };
        let too_long = settings.deadline_secs > settings.timing.deadline_secs_max;
        if settings.lines_max == 0 || settings.deadline_secs == 0 || too_long {
            let detail = "a batch takes a line at least, and a try has a deadline, at most as long \
                          as the timing says: mend the sandbox's settings";
            return Err(Error::new(Code::RailRefused, detail));
        }
        Ok(Self { settings, base })
    }

    /// Asks for a page of the statement: one JSON object a line, each with a sequence number.
    #[must_use]
    pub fn statement(&self, after: u64, limit: u64, now: Time) -> Request {
        let (after, limit) = (after.to_string(), limit.to_string());
        self.ask(&["statement"], &[("after", &after), ("limit", &limit)], now)
    }

    /// In which asset it charges, where that is kept.
    #[must_use]
    pub const fn fee_asset(&self) -> Option<&Asset> {
        self.settings.fee_asset.as_ref()
    }

    /// A question. Whoever asks has a moment to do so.
    fn ask(&self, path: &[&str], query: &[(&str, &str)], now: Time) -> Request {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let deadline = now.plus_secs(ASK_SECS);
        Request { method: "GET", url: url.into(), headers: header(now), body: vec![], deadline }
    }

    /// What was heard of a question. The time in its header is no part of it.
    fn heard<'a>(asked: &Request, heard: &'a [Heard]) -> Option<&'a Heard> {
        heard.iter().rev().find(|heard| {
            let request = &heard.request;
            (request.method, &request.url, &request.body) == (asked.method, &asked.url, &asked.body)
        })
    }
}

impl Rail for Sandbox {
    fn name(&self) -> &Name {
        &self.settings.name
    }

    fn wallet(&self) -> &Name {
        &self.settings.wallet
    }

    fn timing(&self) -> Timing {
        self.settings.timing
    }

    fn check_address(&self, address: &str) -> Result<(), Error> {
        let odd = |letter: char| letter.is_whitespace() || letter.is_control();
        if address.is_empty() || address.chars().any(odd) {
            let detail = format!("{address:?} is no address: write it without spaces, not empty");
            return Err(Error::new(Code::RailRefused, detail));
        }
        Ok(())
    }

    fn pack(&self, lines: &[Line], _heard: &[Heard], _now: Time) -> Result<Turn<Vec<Pack>>, Error> {
        let places: Vec<usize> = (0..lines.len()).collect();
        let packs = places.chunks(self.settings.lines_max);
        let quoted = self.settings.fee_quoted;
        let pack = |lines: &[usize]| {
            let fee = Amount::total(lines.iter().map(|_| quoted))?;
            Ok(Pack { lines: lines.to_vec(), fee })
        };
        packs.map(pack).collect::<Result<_, Error>>().map(Turn::Done)
    }

    fn sign(&self, job: &Job, heard: &[Heard], now: Time) -> Result<Turn<Signed>, Error> {
        self.sign_try(job, heard, now)
    }

    fn submit(&self, signed: &Signed, now: Time) -> Request {
        let deadline = match signed.window {
            Window::Unlimited => Time::MAX,
            Window::Until(end) => signed.deadline.min(end),
            Window::UntilHeight(_) | Window::Once | _ => signed.deadline,
        };
        let url = self.ask(&["tries"], &[], now).url;
        let body = signed.bytes.clone();
        Request { method: "POST", url, headers: header(now), body, deadline }
    }

    fn look(&self, tries: &[Signed], heard: &[Heard], now: Time) -> Result<Turn<Seen>, Error> {
        Ok(self.look_at(tries, heard, now))
    }

    fn beyond(
        &self,
        book: &Name,
        run: u64,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Stranger>>, Error> {
        self.tries_beyond(book, run, heard, now)
    }
}

fn header(now: Time) -> Vec<(&'static str, String)> {
    vec![(NOW_HEADER, now.millis().to_string())]
}

/// A question may be started so long after it was asked.
const ASK_SECS: u64 = 60;

#[cfg(test)]
mod tests;
