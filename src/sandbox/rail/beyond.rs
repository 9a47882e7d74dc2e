//! Asking for tries that our facts may not know.

use divvy_core::{Error, Heard, Name, Stranger, Time, Turn};

use crate::sandbox::rail::Sandbox;
use crate::sandbox::rail::read::listing;
use crate::sandbox::rail::sign::unreadable;

impl Sandbox {
    /// Every try of a book from a run on, page by page.
    pub(super) fn tries_beyond(
        &self,
        book: &Name,
        run: u64,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Stranger>>, Error> {
        let (run, mut after) = (run.to_string(), 0_u64);
        let mut strangers = Vec::new();
        loop {
            let from = after.to_string();
            let query = [("book", book.as_str()), ("run_from", &run), ("after", &from)];
            let asked = self.ask(&["tries"], &query, now);
            let Some(found) = Self::heard(&asked, heard) else { return Ok(Turn::Ask(vec![asked])) };
            let page = listing(found).ok_or_else(|| unreadable(&asked, "all tries of a book"))?;
            strangers.extend(page.strangers);
            match page.after {
                Some(next) if next > after => after = next,
                Some(_) | None => return Ok(Turn::Done(strangers)),
            }
        }
    }
}
