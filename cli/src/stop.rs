//! Somebody asks the run to stop: what was read is reported, then it ends.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

static REQUESTS: AtomicUsize = AtomicUsize::new(0);

/// What is to be done before the process ends at once.
static LAST: OnceLock<fn()> = OnceLock::new();

/// The exit code of a process that SIGINT ended, as shells count.
const INTERRUPTED: i32 = 130;

/// From now on the first signal asks, the second one ends the process at once.
pub fn listen() {
    // A handler that cannot be set leaves what the system does by default.
    let _ = ctrlc::set_handler(|| {
        if REQUESTS.fetch_add(1, Ordering::SeqCst) > 0 {
            if let Some(last) = LAST.get() {
                last();
            }
            std::process::exit(INTERRUPTED);
        }
    });
}

/// A file that gets too large for its limit (`ulimit -f`) is an error of the write, as a full disk is:
/// by default the system ends the process with a signal.
pub fn survive_file_limits() {
    #[cfg(unix)]
    {
        // That the signal is taken is enough: nobody reads the flag. A handler that cannot be set
        // leaves what the system does by default.
        let taken = std::sync::Arc::default();
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, taken);
    }
}

/// Has this called when a second signal ends the process.
pub fn at_once(last: fn()) {
    LAST.get_or_init(|| last);
}

/// Somebody does not want to wait for anything: the process is about to end.
pub fn insisted() -> bool {
    REQUESTS.load(Ordering::SeqCst) > 1
}

pub fn requested() -> bool {
    REQUESTS.load(Ordering::Relaxed) > 0
}
