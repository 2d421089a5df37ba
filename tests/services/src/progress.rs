//! What takes long enough to be mentioned. A library does not print: whoever wants to know says
//! where it goes.

use std::sync::OnceLock;

static LISTENER: OnceLock<fn(&str)> = OnceLock::new();

/// Names the function that is told about each step that takes a while, as one line. The first
/// one named stays.
pub fn report_progress_to(listener: fn(&str)) {
    // A second listener changes nothing, as documented.
    let _ = LISTENER.set(listener);
}

pub(crate) fn say(line: &str) {
    if let Some(listener) = LISTENER.get() {
        listener(line);
    }
}
