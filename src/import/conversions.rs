//! Payments that came in as another asset, at a rate that is locked by their line.

use divvy_core::danger::Vouched;
use divvy_core::{Asset, Code, Converted, Error, Rate};

use crate::import::rows::Row;

/// What a line says of a conversion, if it says anything. Its three figures have to agree.
pub(super) fn converted(
    row: &Row<'_>,
    said: &Vouched,
    book: &Asset,
    file: &str,
) -> Result<Option<Converted>, Error> {
    let columns = ["original_amount", "original_asset", "rate"];
    let [amount, asset, rate] =
        [row.optional("original_amount")?, row.optional("original_asset")?, row.optional("rate")?];
    let (amount, asset, rate) = match (amount, asset, rate) {
        (None, None, None) => return Ok(None),
        (Some(amount), Some(asset), Some(rate)) => (amount, asset, rate),
        _ => return Err(malformed(format!("a conversion has all of {}", columns.join(", ")))),
    };
    if said.asset != *book {
        let detail =
            format!("a converted amount is in {book}, and the file's are in {}", said.asset);
        return Err(malformed(detail));
    }
    let asset = Asset::parse(&asset)?;
    let amount = asset.amount(&amount)?;
    let source = row.optional("rate_source")?.map_or(file.to_owned(), |source| source.into_owned());
    let rate = Rate::of_price(asset.clone(), book.clone(), &rate, source, said.event_at)?;
    let worth = rate.convert(amount)?;
    if worth != said.amount {
        return Err(malformed(format!(
            "{} {asset} at that rate is {} {book}, and not {}: find out which is true",
            asset.text(amount),
            book.text(worth),
            book.text(said.amount)
        )));
    }
    let (rate_num, rate_den, quoted_at) = (rate.num(), rate.den(), rate.at());
    let source = rate.source().to_owned();
    Ok(Some(Converted { asset, amount, rate_num, rate_den, source, quoted_at }))
}

fn malformed(detail: String) -> Error {
    Error::new(Code::PaymentMalformed, detail)
}
