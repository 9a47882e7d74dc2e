//! Payment links by [Solana Pay](https://docs.solanapay.com/spec): made in one way, and read
//! strictly, since a link that two wallets read differently pays somebody else.

use core::fmt;

use divvy_core::{Code, Error};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::address::Address;

/// A link that asks a wallet for money.
///
/// ```
/// use divvy_solana::{Address, PayLink, Transfer};
///
/// let recipient = Address::parse("CYRJWqiSjLitBAcRxPvWpgX3s5TvmN2SuRY3eEYypFvT")?;
/// let memo = Some("run=7".to_owned());
/// let transfer = Transfer { amount: Some("12.34".into()), memo, ..Transfer::to(recipient) };
/// let link = PayLink::transfer(transfer)?;
/// assert_eq!(
///     link.to_string(),
///     "solana:CYRJWqiSjLitBAcRxPvWpgX3s5TvmN2SuRY3eEYypFvT?amount=12.34&memo=run%3D7",
/// );
/// assert_eq!(PayLink::parse(&link.to_string())?, link);
/// // A second amount would leave open which one is paid.
/// assert!(PayLink::parse(&format!("{link}&amount=1")).is_err());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayLink {
    /// The wallet makes the transfer itself.
    Transfer(Transfer),
    /// The wallet asks this address, over https, for a transaction to sign.
    Request(String),
}

/// What a wallet is to transfer.
///
/// ```
/// use divvy_solana::{Address, Transfer};
///
/// let transfer = Transfer { amount: Some("0.5".into()), ..Transfer::to(Address::new([7; 32])) };
/// // Exactly, in the smallest unit of a token with so many decimals.
/// assert_eq!(transfer.amount_minor(6)?, Some(500_000));
/// assert!(transfer.amount_minor(0).is_err());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Transfer {
    /// The wallet that is paid; never a token account.
    pub recipient: Address,
    /// How much, in whole SOL or tokens with a point; the payer chooses if nobody says.
    pub amount: Option<String>,
    /// Which token; SOL if none.
    pub token: Option<Address>,
    /// Accounts by which the transfer is found afterwards.
    pub references: Vec<Address>,
    /// Who asks.
    pub label: Option<String>,
    /// What for.
    pub message: Option<String>,
    /// What is written on the chain, for everyone to read.
    pub memo: Option<String>,
}

impl Transfer {
    /// To a wallet, and nothing else said.
    #[must_use]
    pub const fn to(recipient: Address) -> Self {
        Self {
            recipient,
            amount: None,
            token: None,
            references: Vec::new(),
            label: None,
            message: None,
            memo: None,
        }
    }

    /// The amount in the smallest unit of what is paid.
    ///
    /// # Errors
    /// [`Code::LinkMalformed`] for an amount with more decimals than that has, or beyond 64 bits:
    /// it is never rounded.
    pub fn amount_minor(&self, decimals: u8) -> Result<Option<u64>, Error> {
        let Some(amount) = &self.amount else { return Ok(None) };
        check_amount(amount)?;
        let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
        let zeros = usize::from(decimals).checked_sub(part.trim_end_matches('0').len());
        let zeros = zeros
            .ok_or_else(|| malformed(&format!("{amount} has more than {decimals} decimals")))?;
        let minor = format!("{whole}{}{}", part.trim_end_matches('0'), "0".repeat(zeros));
        let minor = minor.parse().map_err(|_| malformed(&format!("{amount} is too much")))?;
        Ok(Some(minor))
    }
}

impl PayLink {
    /// A link for a transfer.
    ///
    /// # Errors
    /// [`Code::LinkMalformed`] for an amount that is no plain decimal number.
    pub fn transfer(transfer: Transfer) -> Result<Self, Error> {
        transfer.amount.as_deref().map_or(Ok(()), check_amount)?;
        Ok(Self::Transfer(transfer))
    }

    /// A link to a place that answers with a transaction.
    ///
    /// # Errors
    /// [`Code::LinkMalformed`] for a place that is not reached over https.
    pub fn request(link: &str) -> Result<Self, Error> {
        let host = link.strip_prefix("https://").unwrap_or_default();
        let host = host.split(['/', '?', '#']).next().unwrap_or_default();
        let plain = link.chars().all(|letter| !letter.is_whitespace() && !letter.is_control());
        if host.is_empty() || !plain {
            return Err(malformed("a wallet asks for a transaction over https alone"));
        }
        Ok(Self::Request(link.to_owned()))
    }

    /// Reads a link. Fields that nobody knows are passed over, as the specification asks.
    ///
    /// # Errors
    /// [`Code::LinkMalformed`] for a link of another kind, a field that is there twice (but for
    /// references), an amount that is no plain decimal number, an address that is none, and text
    /// that is not UTF-8.
    pub fn parse(link: &str) -> Result<Self, Error> {
        let rest = link
            .strip_prefix("solana:")
            .ok_or_else(|| malformed("it does not begin with solana:"))?;
        // What some readers drop and others keep.
        if link.chars().any(|letter| letter == '#' || letter.is_whitespace() || letter.is_control())
        {
            return Err(malformed("a space, a line end or a # in it is not escaped"));
        }
        if rest.starts_with("https:")
            || rest.starts_with("https%3A")
            || rest.starts_with("https%3a")
        {
            // Its own question mark must be escaped: whose fields would follow otherwise?
            if rest.contains('?') {
                return Err(malformed("the address in it is not escaped"));
            }
            return Self::request(&decoded(rest)?);
        }
        let (recipient, fields) = rest.split_once('?').unwrap_or((rest, ""));
        let mut transfer = Transfer::to(address("recipient", recipient)?);
        for field in fields.split('&').filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            let plain = |text: &str| decoded(&text.replace('+', " "));
            read_field(&mut transfer, &plain(name)?, &plain(value)?)?;
        }
        Self::transfer(transfer)
    }
}

fn read_field(transfer: &mut Transfer, name: &str, value: &str) -> Result<(), Error> {
    let text = match name {
        "amount" => &mut transfer.amount,
        "label" => &mut transfer.label,
        "message" => &mut transfer.message,
        "memo" => &mut transfer.memo,
        "spl-token" => {
            let token = address("spl-token", value)?;
            return transfer.token.replace(token).map_or(Ok(()), |_| Err(twice(name)));
        }
        "reference" => {
            transfer.references.push(address("reference", value)?);
            return Ok(());
        }
        _ => return Ok(()),
    };
    text.replace(value.to_owned()).map_or(Ok(()), |_| Err(twice(name)))
}

impl fmt::Display for PayLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transfer = match self {
            Self::Request(link) => return write!(f, "solana:{}", encoded(link)),
            Self::Transfer(transfer) => transfer,
        };
        let token = transfer.token.map(|token| token.to_string());
        let references = transfer.references.iter().map(|one| ("reference", one.to_string()));
        let text = |name: &'static str, text: &Option<String>| {
            text.as_deref().map(|text| (name, encoded(text).to_string()))
        };
        let mut fields: Vec<(&str, String)> = Vec::new();
        fields.extend(text("amount", &transfer.amount));
        fields.extend(token.map(|token| ("spl-token", token)));
        fields.extend(references);
        fields.extend(text("label", &transfer.label));
        fields.extend(text("message", &transfer.message));
        fields.extend(text("memo", &transfer.memo));
        write!(f, "solana:{}", transfer.recipient)?;
        for (place, (name, value)) in fields.iter().enumerate() {
            let before = if place == 0 { '?' } else { '&' };
            write!(f, "{before}{name}={value}")?;
        }
        Ok(())
    }
}

/// Digits, and a point between digits; nothing that a calculator would write.
fn check_amount(amount: &str) -> Result<(), Error> {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, "0"));
    let digits = |run: &str| !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_digit());
    let plain = whole == "0" || !whole.starts_with('0');
    if digits(whole) && digits(part) && plain {
        return Ok(());
    }
    let shown: String = amount.chars().take(60).collect();
    Err(malformed(&format!("{shown:?} is no amount: write it as 0.5 or 12.34")))
}

fn address(name: &str, text: &str) -> Result<Address, Error> {
    Address::parse(text).map_err(|_| malformed(&format!("its {name} is no Solana address")))
}

fn encoded(text: &str) -> percent_encoding::PercentEncode<'_> {
    utf8_percent_encode(text, ESCAPED)
}

fn decoded(text: &str) -> Result<String, Error> {
    let mut rest = text.split('%').skip(1);
    let escaped = |run: &str| run.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !rest.all(escaped) {
        return Err(malformed("a percent sign in it escapes nothing"));
    }
    let text = percent_decode_str(text).decode_utf8();
    text.map(Into::into).map_err(|_| malformed("text in it is not UTF-8"))
}

fn twice(name: &str) -> Error {
    malformed(&format!("its {name} is there twice"))
}

fn malformed(what: &str) -> Error {
    Error::new(Code::LinkMalformed, format!("no Solana Pay link: {what}; ask for it again"))
}

/// Everything but what a URL never needs to escape.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
