//! The command on a terminal, which Python plays.

use std::{path::Path, process::Command};

use super::*;

/// Runs the command on a terminal: waits for the first text, types the second; what stood on the
/// screen, and the exit code.
fn on_a_terminal(place: &Place, args: &[&str], until: &str, typed: &str) -> (String, i64) {
    const SCRIPT: &str = "
import json, os, pty, sys
until, typed, command = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
seen = b''
waiting = True
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:
        part = b''
    if not part:
        break
    seen += part
    if waiting and until.encode() in seen:
        os.write(terminal, typed.encode())
        waiting = False
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps([seen.decode(), code]))
";
    let Some(python) = std::env::var_os("LARDER_PYTHON") else {
        panic!("LARDER_PYTHON is not set; `cargo xtask test` finds one");
    };
    let command = place.command();
    let larder = Path::new(command.get_program()).to_str().unwrap();
    let command = [&[larder, "clusters"], args, &["--file", FILE]].concat();
    let directory: &Path = place.as_ref();
    let output = Command::new(python)
        .args(["-c", SCRIPT, &serde_json::json!([until, typed, command]).to_string()])
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs a live service"]
fn somebody_at_a_terminal_is_asked() {
    let place = imported();
    let question = "This removes 2 clusters from clusters.db. Go on? [y/N] ";
    for answer in ["n\n", "\n", "\u{4}"] {
        let (seen, code) = on_a_terminal(&place, &["clear"], "[y/N]", answer);
        assert_eq!(code, 4, "{seen}");
        assert!(seen.starts_with(question) && seen.contains("error: nothing was done"), "{seen}");
    }
    assert_eq!(ids(&json(clusters(&place, &["list", "--json"]))).len(), 2);
    let (seen, code) = on_a_terminal(&place, &["clear"], "[y/N]", "y\n");
    assert_eq!(code, 0, "{seen}");
    assert!(seen.ends_with("Cleared 2 clusters\r\n"), "{seen}");
}

#[test]
#[ignore = "needs a live service"]
fn a_view_is_drawn_over_the_one_before_until_control_c() {
    let place = imported();
    let args = ["watch", "--interval", "0.1", "--no-color"];
    // The second view begins at the first line again.
    let second = "No shared clusters\u{1b}[K\r\n\u{1b}[J\u{1b}[H";
    let (seen, code) = on_a_terminal(&place, &args, second, "\u{3}");
    assert_eq!(code, 0, "{seen}");
    assert!(seen.starts_with("\u{1b}["), "{seen}");
}
