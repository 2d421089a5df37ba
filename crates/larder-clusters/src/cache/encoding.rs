//! Configurations as they lie in the file: JSON, compressed where that is worth it.
//!
//! Guards that what comes out is what went in, and that nobody who wrote into the file can make
//! this process unfold more than a bounded number of bytes.

use miniz_oxide::{deflate::compress_to_vec_zlib, inflate::decompress_to_vec_zlib_with_limit};
use serde_json::Value;

use super::ClusterConfig;

/// The largest configuration, in bytes of JSON.
pub(super) const CONFIG_BYTES_MAX: usize = 16 << 20;

/// Fast enough for a call that writes to a disk anyway, and close to the smallest.
const LEVEL: u8 = 6;

const JSON: &str = "json";
/// RFC 1950, which Python's `zlib.decompress` reads.
const ZLIB: &str = "zlib";

/// A configuration as it lies in the file.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) encoding: &'static str,
    /// The length before compression.
    pub(super) json_bytes: usize,
}

/// What may be stored of a configuration, or its length if that is too much.
pub(super) fn encode(config: &ClusterConfig, compress_from: usize) -> Result<Encoded, usize> {
    let json = config.stored().to_json().to_string().into_bytes();
    let json_bytes = json.len();
    if json_bytes > CONFIG_BYTES_MAX {
        return Err(json_bytes);
    }
    if json_bytes >= compress_from {
        let bytes = compress_to_vec_zlib(&json, LEVEL);
        if bytes.len() < json_bytes {
            return Ok(Encoded { bytes, encoding: ZLIB, json_bytes });
        }
    }
    Ok(Encoded { bytes: json, encoding: JSON, json_bytes })
}

/// The configuration; `None` if it is damaged or of a later version.
pub(super) fn decode(bytes: &[u8], encoding: &str) -> Option<ClusterConfig> {
    let unfolded;
    let json = match encoding {
        JSON => bytes,
        ZLIB => {
            unfolded = decompress_to_vec_zlib_with_limit(bytes, CONFIG_BYTES_MAX).ok()?;
            &*unfolded
        }
        _ => return None,
    };
    match serde_json::from_slice(json).ok()? {
        Value::Object(fields) => Some(fields.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large() -> ClusterConfig {
        let conf: serde_json::Map<_, _> =
            (0..500).map(|n| (format!("spark.setting.{n}"), Value::from("true"))).collect();
        ClusterConfig::new().with_host("h").with("spark_conf", conf)
    }

    #[test]
    fn a_small_one_is_readable_and_a_large_one_is_compressed() {
        let small = ClusterConfig::new().with_host("h");
        let encoded = encode(&small, 1_024).unwrap();
        assert_eq!((&*encoded.bytes, encoding(&encoded)), (&b"{\"host\":\"h\"}"[..], "json"));
        assert_eq!(encoded.json_bytes, encoded.bytes.len());
        assert_eq!(decode(&encoded.bytes, "json"), Some(small));
        let encoded = encode(&large(), 1_024).unwrap();
        assert_eq!(encoding(&encoded), "zlib");
        assert!(encoded.bytes.len() < 4_000, "{}", encoded.bytes.len());
        assert_eq!(decode(&encoded.bytes, "zlib"), Some(large()));
    }

    fn encoding(encoded: &Encoded) -> &'static str {
        encoded.encoding
    }

    #[test]
    fn one_that_compression_would_lengthen_stays_as_it_is() {
        assert_eq!(encoding(&encode(&ClusterConfig::new(), 0).unwrap()), "json");
    }

    #[test]
    fn what_is_too_large_is_refused_and_what_unfolds_too_far_is_damaged() {
        let huge = ClusterConfig::new().with("x", "y".repeat(CONFIG_BYTES_MAX));
        assert!(encode(&huge, 0).is_err_and(|length| length > CONFIG_BYTES_MAX));
        let bomb = compress_to_vec_zlib(&vec![b' '; CONFIG_BYTES_MAX + 1], LEVEL);
        assert_eq!(decode(&bomb, "zlib"), None);
    }

    #[test]
    fn what_is_damaged_or_unknown_is_none() {
        let encoded = encode(&large(), 0).unwrap();
        assert_eq!(decode(&encoded.bytes[..encoded.bytes.len() / 2], "zlib"), None);
        assert_eq!(decode(b"[]", "json"), None);
        assert_eq!(decode(b"{}", "zstd"), None);
        assert_eq!(decode(b"", "json"), None);
    }
}
