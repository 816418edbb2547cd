//! Work spread over threads, results in the order of the work.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

/// Takes work from `produce` (in a thread of its own), does it on `threads` threads, and hands the
/// results to `consume` in the order of the work. At most `threads + 2` pieces are under way: a
/// slow consumer slows the producer. The first error of `consume` ends everything at once; a
/// producer that is blocked in a read is left behind.
///
/// `produce` gets what `consume` gave back, so that buffers go round.
pub fn ordered<T, R, B, E>(
    threads: usize,
    mut produce: impl FnMut(Option<B>) -> Option<T> + Send + 'static,
    work: impl Fn(T) -> R + Send + Sync + 'static,
    mut consume: impl FnMut(R) -> Result<Option<B>, E>,
) -> Result<(), E>
where
    T: Send + 'static,
    R: Send + 'static,
    B: Send + 'static,
{
    let (to_workers, work_queue) = mpsc::sync_channel::<(usize, T)>(0);
    let (to_consumer, results) = mpsc::channel::<(usize, R)>();
    // A ticket for each piece that may be under way; it carries a buffer back.
    let (give_back, tickets) = mpsc::channel::<Option<B>>();
    for _ in 0..threads + 2 {
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
    let mut workers = Vec::new();
    for _ in 0..threads {
        let (shared, to_consumer) = (shared.clone(), to_consumer.clone());
        workers.push(thread::spawn(move || {
            let (work_queue, work) = &*shared;
            loop {
                let next = work_queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok((number, piece)) = next else { break };
                if to_consumer.send((number, work(piece))).is_err() {
                    break;
                }
            }
        }));
    }
    drop((shared, to_consumer));
    let (mut waiting, mut next) = (BTreeMap::new(), 0);
    for (number, result) in results {
        waiting.insert(number, result);
        while let Some(result) = waiting.remove(&next) {
            next += 1;
            // The producer may be done already.
            drop(give_back.send(consume(result)?));
        }
    }
    // A worker that panicked took its piece along: that must not pass for a whole answer.
    for worker in workers {
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_work() {
        let mut numbers = 0..1000u64;
        let mut seen = Vec::new();
        let done: Result<(), ()> = ordered(
            4,
            move |_: Option<()>| numbers.next(),
            |number| {
                // Later pieces are done sooner.
                thread::sleep(std::time::Duration::from_micros(200 * (3 - number % 4)));
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
            2,
            move |_: Option<()>| {
                produced += 1;
                Some(produced)
            },
            |number| number,
            |number| {
                last = number;
                if number == 10 { Err("full") } else { Ok(None) }
            },
        );
        assert_eq!((done, last), (Err("full"), 10));
    }
}
