//! Somebody asks the run to stop: what was read is reported, then it ends.

use std::sync::atomic::{AtomicUsize, Ordering};

static REQUESTS: AtomicUsize = AtomicUsize::new(0);

/// The exit code of a process that SIGINT ended, as shells count.
const INTERRUPTED: i32 = 130;

/// From now on the first signal asks, the second one ends the process at once.
pub fn listen() {
    // A handler that cannot be set leaves what the system does by default.
    let _ = ctrlc::set_handler(|| {
        if REQUESTS.fetch_add(1, Ordering::SeqCst) > 0 {
            std::process::exit(INTERRUPTED);
        }
    });
}

pub fn requested() -> bool {
    REQUESTS.load(Ordering::Relaxed) > 0
}
