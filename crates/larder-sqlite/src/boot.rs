//! Which start of the machine this is.
//!
//! A power cut can take back commits that were not flushed. Whether there may have been one is
//! what the operating system's boot id tells: it is new after every start.

/// Names this start of the machine; `None` where the system does not say.
pub(crate) fn boot_id() -> Option<Vec<u8>> {
    let text = std::fs::read("/proc/sys/kernel/random/boot_id").ok()?;
    let id = text.trim_ascii();
    (!id.is_empty()).then(|| id.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_change_while_the_machine_runs() {
        assert_eq!(boot_id(), boot_id());
        assert_eq!(boot_id().is_some(), cfg!(target_os = "linux"));
    }
}
