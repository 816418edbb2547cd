//! Work spread over threads, results in the order of the work.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How much may be under way.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub threads: usize,
    /// Parts of results that wait for their turn, of all pieces together.
    pub parts: usize,
}

impl Bounds {
    /// Pieces under way: each thread has one, and two wait for it.
    fn pieces(self) -> usize {
        self.threads + 2
    }

    /// Parts of one piece that wait.
    fn parts_of_each(self) -> usize {
        (self.parts / self.pieces()).max(1)
    }
}

/// A part of what came of a piece.
enum Part<R> {
    More(R),
    Last(R),
    /// The rest is lost: that must not pass for a whole answer.
    Panic(Box<dyn Any + Send>),
}

/// The parts of a piece, and its number.
type Numbered<R> = (usize, Receiver<Part<R>>);

/// Takes work from `produce` (in a thread of its own), does it on threads, and hands the results to
/// `consume` in the order of the work. At most [`Bounds::pieces`] are under way: a slow consumer
/// slows the producer. The first error of `consume` ends everything at once; a producer that is
/// blocked in a read is left behind.
///
/// `work` may give the result in parts, by what it is called with; what it returns is the last
/// part. A thread whose turn has not come waits when too many parts do: results may be many times
/// as large as the work.
///
/// `produce` gets what `consume` gave back for the last part, so that buffers go round.
pub fn ordered<T, R, B, E>(
    bounds: Bounds,
    mut produce: impl FnMut(Option<B>) -> Option<T> + Send + 'static,
    work: impl Fn(T, &mut dyn FnMut(R)) -> R + Send + Sync + 'static,
    mut consume: impl FnMut(R) -> Result<Option<B>, E>,
) -> Result<(), E>
where
    T: Send + 'static,
    R: Send + 'static,
    B: Send + 'static,
{
    let (to_workers, work_queue) = mpsc::sync_channel::<(usize, T)>(0);
    let (to_consumer, results) = mpsc::channel::<Numbered<R>>();
    // A ticket for each piece that may be under way; it carries a buffer back.
    let (give_back, tickets) = mpsc::channel::<Option<B>>();
    for _ in 0..bounds.pieces() {
        give_back.send(None).expect("the receiver is here");
    }
    thread::spawn(move || {
        for (number, ticket) in tickets.iter().enumerate() {
            let Some(piece) = produce(ticket) else { break };
            if to_workers.send((number, piece)).is_err() {
                break;
            }
        }
    });
    // The workers alone own the queue: once they are gone the producer cannot wait for them.
    let shared = Arc::new((Mutex::new(work_queue), work));
    for _ in 0..bounds.threads {
        let (shared, to_consumer) = (shared.clone(), to_consumer.clone());
        thread::spawn(move || {
            let (work_queue, work) = &*shared;
            loop {
                let next = work_queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok((number, piece)) = next else { break };
                if do_one(piece, number, bounds, work, &to_consumer).is_break() {
                    break;
                }
            }
        });
    }
    drop((shared, to_consumer));
    let (mut waiting, mut next) = (BTreeMap::new(), 0);
    for (number, parts) in results {
        waiting.insert(number, parts);
        while let Some(parts) = waiting.remove(&next) {
            next += 1;
            for part in parts {
                match part {
                    Part::More(part) => drop(consume(part)?),
                    // The producer may be done already.
                    Part::Last(part) => drop(give_back.send(consume(part)?)),
                    Part::Panic(panic) => panic::resume_unwind(panic),
                }
            }
        }
    }
    Ok(())
}

/// Does a piece, and sends its parts as they come. `Break`: nobody takes them any more.
fn do_one<T, R>(
    piece: T,
    number: usize,
    bounds: Bounds,
    work: &impl Fn(T, &mut dyn FnMut(R)) -> R,
    to_consumer: &Sender<Numbered<R>>,
) -> ControlFlow<()> {
    let (parts, receiver): (SyncSender<Part<R>>, _) = mpsc::sync_channel(bounds.parts_of_each());
    if to_consumer.send((number, receiver)).is_err() {
        return ControlFlow::Break(());
    }
    let mut more = |part| drop(parts.send(Part::More(part)));
    let last = match panic::catch_unwind(AssertUnwindSafe(|| work(piece, &mut more))) {
        Ok(last) => Part::Last(last),
        Err(panic) => Part::Panic(panic),
    };
    match parts.send(last) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    fn bounds(threads: usize) -> Bounds {
        Bounds { threads, parts: 4 * threads }
    }

    #[test]
    fn results_come_in_the_order_of_the_work() {
        let mut numbers = 0..1000u64;
        let mut seen = Vec::new();
        let done: Result<(), ()> = ordered(
            bounds(4),
            move |_: Option<()>| numbers.next(),
            |number, _| {
                // Later pieces are done sooner.
                thread::sleep(Duration::from_micros(200 * (3 - number % 4)));
                number * 2
            },
            |number| {
                seen.push(number);
                Ok(None)
            },
        );
        assert_eq!(done, Ok(()));
        assert_eq!(seen, (0..1000).map(|number| number * 2).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_of_the_consumer_ends_it() {
        let mut produced = 0;
        let mut last = 0;
        let done = ordered(
            bounds(2),
            move |_: Option<()>| {
                produced += 1;
                Some(produced)
            },
            |number, more| {
                more(number);
                number
            },
            |number| {
                last = number;
                if number == 10 { Err("full") } else { Ok(None) }
            },
        );
        assert_eq!((done, last), (Err("full"), 10));
    }

    #[test]
    fn parts_stay_together_and_few_of_them_wait() {
        // Pieces 0 to 19, each in 50 parts; the first ones take longest.
        let under_way = Arc::new(AtomicUsize::new(0));
        let counted = under_way.clone();
        let mut numbers = 0..20usize;
        let (mut seen, mut most) = (Vec::new(), 0);
        let bounds = Bounds { threads: 4, parts: 12 };
        let done: Result<(), ()> = ordered(
            bounds,
            move |_: Option<()>| numbers.next(),
            move |piece, more| {
                for part in 0..49 {
                    if piece % 4 == 0 {
                        thread::sleep(Duration::from_micros(300));
                    }
                    counted.fetch_add(1, Ordering::SeqCst);
                    more((piece, part));
                }
                counted.fetch_add(1, Ordering::SeqCst);
                (piece, 49)
            },
            |part| {
                most = most.max(under_way.fetch_sub(1, Ordering::SeqCst));
                seen.push(part);
                Ok(None)
            },
        );
        assert_eq!(done, Ok(()));
        let expected = (0..20).flat_map(|piece| (0..50).map(move |part| (piece, part)));
        assert_eq!(seen, expected.collect::<Vec<_>>());
        // Those that wait, one in the hands of each thread, one that is being consumed.
        assert!(most <= 12 + 4 + 1, "{most} parts at once");
    }

    #[test]
    fn a_panic_of_a_worker_is_one_of_the_whole() {
        let mut numbers = 0..100;
        let seen = Mutex::new(Vec::new());
        let done = panic::catch_unwind(AssertUnwindSafe(|| {
            ordered(
                bounds(2),
                move |_: Option<()>| numbers.next(),
                |number, more| {
                    more((number, 0));
                    assert_ne!(number, 7, "as the test wants it");
                    (number, 1)
                },
                |part| {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push(part);
                    Ok::<_, ()>(None)
                },
            )
        }));
        assert!(done.is_err());
        // Nothing of what comes behind passes for what comes next.
        let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(seen.last(), Some(&(7, 0)), "{seen:?}");
    }
}
