//! The functions of MySQL and MariaDB, reviewed against their manuals and, as far as servers can
//! tell, against what they admit to stored generated columns.
//!
//! Only what MySQL 8.0 and MariaDB 10.6 have already: to an older server, a later name would be a
//! stored function. MySQL 9.6 moved `md5`, `sha` and `sha1` into a component; whoever defines a
//! function of one of these names means the same digest.

/// Both have them. Alphabetical.
#[rustfmt::skip]
pub(super) const DETERMINISTIC: &[&str] = &[
    "adddate", "addtime", "ascii", "bin", "bit_and", "bit_count", "bit_length", "bit_or", "bit_xor",
    "char", "char_length", "character_length", "charset", "coercibility", "collation", "compress",
    "concat", "concat_ws", "conv", "convert", "convert_tz", "cot", "crc32", "date", "date_add",
    "date_format", "date_sub", "datediff", "day", "dayname", "dayofmonth", "dayofweek", "dayofyear",
    "elt", "export_set", "extract", "extractvalue", "field", "find_in_set", "format", "from_base64",
    "from_days", "from_unixtime", "get_format", "greatest", "group_concat", "hex", "hour", "if",
    "ifnull", "inet6_aton", "inet6_ntoa", "inet_aton", "inet_ntoa", "insert", "instr", "interval",
    "is_ipv4", "is_ipv4_compat", "is_ipv4_mapped", "is_ipv6", "isnull", "json_array",
    "json_array_append", "json_array_insert", "json_arrayagg", "json_contains",
    "json_contains_path", "json_depth", "json_extract", "json_insert", "json_keys", "json_length",
    "json_merge_patch", "json_merge_preserve", "json_object", "json_objectagg", "json_quote",
    "json_remove", "json_replace", "json_search", "json_set", "json_table", "json_type",
    "json_unquote", "json_valid", "json_value", "last_day", "lcase", "least", "left", "linestring",
    "locate", "log2", "lpad", "make_set", "makedate", "maketime", "mbrcontains", "mbrequals",
    "mbrintersects", "mbrwithin", "md5", "microsecond", "mid", "minute", "month", "monthname",
    "multipoint", "oct", "octet_length", "ord", "period_add", "period_diff", "point", "polygon",
    "position", "quarter", "quote", "regexp_instr", "regexp_replace", "regexp_substr", "repeat",
    "reverse", "right", "rpad", "sec_to_time", "second", "sha", "sha1", "sha2", "soundex", "space",
    "st_area", "st_asbinary", "st_asgeojson", "st_astext", "st_aswkb", "st_aswkt", "st_buffer",
    "st_centroid", "st_contains", "st_convexhull", "st_crosses", "st_difference", "st_dimension",
    "st_disjoint", "st_distance", "st_distance_sphere", "st_endpoint", "st_envelope", "st_equals",
    "st_exteriorring", "st_geometryfromtext", "st_geometryn", "st_geometrytype",
    "st_geomfromgeojson", "st_geomfromtext", "st_geomfromwkb", "st_intersection", "st_intersects",
    "st_isclosed", "st_isempty", "st_issimple", "st_length", "st_numgeometries", "st_numpoints",
    "st_overlaps", "st_pointfromtext", "st_pointn", "st_srid", "st_startpoint", "st_symdifference",
    "st_touches", "st_union", "st_within", "st_x", "st_y", "std", "stddev", "stddev_pop",
    "stddev_samp", "str_to_date", "strcmp", "subdate", "substring_index", "subtime", "time",
    "time_format", "time_to_sec", "timediff", "timestamp", "timestampadd", "timestampdiff",
    "to_base64", "to_days", "to_seconds", "truncate", "ucase", "uncompress", "uncompressed_length",
    "unhex", "unix_timestamp", "values", "var_pop", "var_samp", "variance", "week", "weekday",
    "weekofyear", "weight_string", "year", "yearweek",
];

/// Only MariaDB has them, or allows them everywhere; in MySQL they would be stored functions.
/// Alphabetical.
#[rustfmt::skip]
pub(super) const MARIADB_ONLY: &[&str] = &[
    "add_months", "chr", "column_check", "column_exists", "column_json", "column_list",
    "json_compact", "json_detailed", "json_exists", "json_loose", "json_merge", "json_query",
    "lengthb", "median", "nvl", "nvl2", "percentile_cont", "percentile_disc", "to_char",
];

/// Only MySQL has them. Alphabetical.
#[rustfmt::skip]
pub(super) const MYSQL_ONLY: &[&str] = &[
    "any_value", "bin_to_uuid", "format_bytes", "format_pico_time", "geomcollection", "grouping",
    "is_uuid", "json_overlaps", "json_pretty", "json_schema_valid", "json_schema_validation_report",
    "json_storage_free", "json_storage_size", "regexp_like", "st_geohash", "st_latfromgeohash",
    "st_longfromgeohash", "st_simplify", "st_transform", "st_validate", "uuid_to_bin",
];

/// Alphabetical.
#[rustfmt::skip]
pub(super) const SESSION: &[&str] = &[
    "connection_id", "current_role", "current_user", "database", "found_rows", "last_insert_id",
    "lastval", "ps_current_thread_id", "row_count", "schema", "session_user", "system_user", "user",
    "version",
];

/// Alphabetical.
#[rustfmt::skip]
pub(super) const VOLATILE: &[&str] = &[
    "benchmark", "curdate", "current_date", "current_time", "current_timestamp", "curtime",
    "encrypt", "get_lock", "is_free_lock", "is_used_lock", "load_file", "localtime",
    "localtimestamp", "master_gtid_wait", "master_pos_wait", "nextval", "now", "rand",
    "random_bytes", "release_all_locks", "release_lock", "setval", "sleep", "source_pos_wait",
    "sys_guid", "sysdate", "utc_date", "utc_time", "utc_timestamp", "uuid", "uuid_short", "uuid_v4",
    "uuid_v7", "wait_for_executed_gtid_set", "wait_until_sql_thread_after_gtids",
];

/// Alphabetical.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "current_date", "current_role", "current_time", "current_timestamp", "current_user",
    "localtime", "localtimestamp", "sysdate", "systimestamp", "utc_date", "utc_time",
    "utc_timestamp",
];
