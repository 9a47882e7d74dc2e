//! Several conversations at once, on whatever polls them: no runtime, no task of their own.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};

/// Runs futures, at most so many at once, and returns their outcomes in their own order.
///
/// They are polled in order, so whoever polls by a plan gets the same outcome every time; with one
/// at once they run one after the other.
pub(super) async fn together<F: Future>(futures: Vec<F>, at_once: usize) -> Vec<F::Output> {
    let mut waiting = futures.into_iter().enumerate();
    let mut running: Vec<Running<F>> = Vec::new();
    let mut done: Vec<(usize, F::Output)> = Vec::new();
    poll_fn(|context| {
        advance(&mut running, 0, &mut done, context);
        loop {
            let from = running.len();
            let free = at_once.max(1).saturating_sub(from);
            running.extend(waiting.by_ref().take(free).map(|(at, future)| (at, Box::pin(future))));
            if running.len() == from {
                break;
            }
            advance(&mut running, from, &mut done, context);
        }
        if running.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

/// A future that was begun, and its place.
type Running<F> = (usize, Pin<Box<F>>);

/// Polls those from a place on, and takes out who is done.
fn advance<F: Future>(
    running: &mut Vec<Running<F>>,
    from: usize,
    done: &mut Vec<(usize, F::Output)>,
    context: &mut Context<'_>,
) {
    let mut place = 0_usize;
    running.retain_mut(|(at, future)| {
        let is_before = place < from;
        place = place.saturating_add(1);
        if is_before {
            return true;
        }
        match future.as_mut().poll(context) {
            Poll::Ready(outcome) => {
                done.push((*at, outcome));
                false
            }
            Poll::Pending => true,
        }
    });
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::task::Waker;

    use super::*;

    /// Polls by hand until it is done, and says how often.
    fn polled<T>(future: impl Future<Output = T>) -> (T, usize) {
        let mut future = Box::pin(future);
        let mut context = Context::from_waker(Waker::noop());
        for polls in 1.. {
            if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
                return (outcome, polls);
            }
        }
        unreachable!("it counts for ever")
    }

    /// Waits for so many polls, and writes down when it began and ended.
    async fn wait(name: usize, polls: usize, log: &RefCell<Vec<String>>) -> usize {
        log.borrow_mut().push(format!("+{name}"));
        let mut left = polls;
        poll_fn(|_| {
            left = left.saturating_sub(1);
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        log.borrow_mut().push(format!("-{name}"));
        name
    }

    #[test]
    fn so_many_run_at_once_and_outcomes_keep_their_order() {
        #[rustfmt::skip]
        let table = [
            (1, "+0 -0 +1 -1 +2 -2 +3 -3", 7),
            (2, "+0 +1 -1 +2 -2 +3 -3 -0", 5),
            (9, "+0 +1 +2 -2 +3 -1 -3 -0", 5),
        ];
        for (at_once, said, polls) in table {
            let log = RefCell::new(Vec::new());
            let waits = [5, 2, 1, 2];
            let futures = (0..4).map(|name| wait(name, waits[name], &log)).collect();
            assert_eq!(polled(together(futures, at_once)), (vec![0, 1, 2, 3], polls), "{at_once}");
            assert_eq!(log.borrow().join(" "), said, "{at_once}");
        }
        assert_eq!(polled(together(Vec::<std::future::Ready<()>>::new(), 8)), (vec![], 1));
    }
}
