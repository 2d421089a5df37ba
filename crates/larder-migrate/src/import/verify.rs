//! The checksums of other tools.

use sha2::{Digest as _, Sha384};

use crate::{HistorySource, Script, hex};

/// Whether a file is what the tool applied; `None` if the tool's checksum can not tell.
pub(super) fn is_same(tool: HistorySource, checksum: &str, script: &Script) -> Option<bool> {
    match tool {
        HistorySource::Sqlx => Some(is_sqlx(checksum, script.text())),
        HistorySource::Flyway => Some(checksum == flyway(script.text()).to_string()),
        // refinery's depends on its own build, and the others keep none.
        HistorySource::Diesel | HistorySource::GolangMigrate | HistorySource::Refinery => None,
    }
}

/// SHA-384 of the file's bytes, whatever ends the lines had where it was applied.
fn is_sqlx(checksum: &str, text: &str) -> bool {
    let windows = text.replace('\n', "\r\n");
    let marked = format!("\u{feff}{text}");
    let marked_windows = format!("\u{feff}{windows}");
    [text, &windows, &marked, &marked_windows]
        .iter()
        .any(|variant| hex(&Sha384::digest(variant)).eq_ignore_ascii_case(checksum))
}

/// The CRC-32 of the lines without their ends, as a signed number.
fn flyway(text: &str) -> i32 {
    let mut crc = u32::MAX;
    for byte in text.lines().flat_map(str::bytes) {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let carry = if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
            crc = (crc >> 1) ^ carry;
        }
    }
    (!crc).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_the_common_one() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(flyway("123456789").cast_unsigned(), 0xCBF4_3926);
        assert_eq!(flyway("12345\n6789\n").cast_unsigned(), 0xCBF4_3926);
    }

    #[test]
    fn a_file_is_the_same_with_other_ends_of_its_lines() {
        let script = Script::new("1_a.sql", "SELECT 1;\nSELECT 2;\n").unwrap();
        for applied in ["SELECT 1;\nSELECT 2;\n", "SELECT 1;\r\nSELECT 2;\r\n"] {
            let checksum = hex(&Sha384::digest(applied)).to_uppercase();
            assert_eq!(is_same(HistorySource::Sqlx, &checksum, &script), Some(true));
        }
        let other = hex(&Sha384::digest("SELECT 1;"));
        assert_eq!(is_same(HistorySource::Sqlx, &other, &script), Some(false));
        assert_eq!(is_same(HistorySource::Refinery, "7", &script), None);
    }
}
