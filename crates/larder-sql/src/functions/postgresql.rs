//! PostgreSQL's functions, reviewed against `pg_proc.provolatile` and the manual.

/// Every overload is `IMMUTABLE`, or the name is syntax. Alphabetical.
#[rustfmt::skip]
pub(super) const IMMUTABLE: &[&str] = &[
    "acosd", "acosh", "any_value", "area", "array", "array_agg", "array_append", "array_cat", "array_dims",
    "array_fill", "array_length", "array_lower", "array_ndims", "array_position", "array_positions",
    "array_prepend", "array_remove", "array_replace", "array_to_tsvector", "array_upper", "ascii",
    "asind", "asinh", "atan2d", "atand", "atanh", "bit_and", "bit_count", "bit_length", "bit_or",
    "bit_xor", "bool_and", "bool_or", "bound_box", "box", "broadcast", "btrim", "cardinality",
    "cbrt", "center", "char_length", "character_length", "chr", "circle", "corr", "cosd", "cosh",
    "cot", "cotd", "covar_pop", "covar_samp", "crc32", "crc32c", "date_bin", "daterange", "decode",
    "diagonal", "diameter", "div", "encode", "erf", "erfc", "every", "factorial", "family", "gcd",
    "generate_subscripts", "get_bit", "get_byte", "greatest", "grouping", "hashtext",
    "hashtextextended", "height", "host", "hostmask", "inet_merge", "inet_same_family", "initcap",
    "int4range", "int8range", "isclosed", "isempty", "isfinite", "isopen", "json_array",
    "json_array_elements", "json_array_elements_text", "json_array_length", "json_arrayagg",
    "json_each", "json_each_text", "json_exists", "json_extract_path", "json_extract_path_text",
    "json_object", "json_object_keys", "json_objectagg", "json_query", "json_strip_nulls",
    "json_typeof", "json_value", "jsonb_array_elements", "jsonb_array_elements_text",
    "jsonb_array_length", "jsonb_each", "jsonb_each_text", "jsonb_extract_path",
    "jsonb_extract_path_text", "jsonb_insert", "jsonb_object", "jsonb_object_keys",
    "jsonb_path_exists", "jsonb_path_match", "jsonb_path_query", "jsonb_path_query_array",
    "jsonb_path_query_first", "jsonb_pretty", "jsonb_set", "jsonb_set_lax", "jsonb_strip_nulls",
    "jsonb_typeof", "justify_days", "justify_hours", "justify_interval", "lcm", "least", "left",
    "line", "lower_inc", "lower_inf", "lpad", "lseg", "macaddr8_set7bit", "make_date",
    "make_interval", "make_time", "make_timestamp", "masklen", "md5", "min_scale", "mode",
    "multirange", "netmask", "network", "normalize", "npoints", "num_nonnulls", "num_nulls",
    "numnode", "numrange", "octet_length", "overlay", "parse_ident", "path", "pclose",
    "percentile_cont", "percentile_disc", "pg_size_bytes", "pg_size_pretty", "point", "polygon",
    "popen", "position", "querytree", "quote_ident", "radius", "range_agg", "range_intersect_agg",
    "range_merge", "regexp_count", "regexp_instr", "regexp_like", "regexp_match", "regexp_matches",
    "regexp_replace", "regexp_split_to_array", "regexp_split_to_table", "regexp_substr",
    "regr_avgx", "regr_avgy", "regr_count", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx",
    "regr_sxy", "regr_syy", "repeat", "reverse", "right", "rpad", "scale", "set_bit", "set_byte",
    "set_masklen", "setweight", "sha224", "sha256", "sha384", "sha512", "sind", "sinh", "slope",
    "split_part", "starts_with", "stddev", "stddev_pop", "stddev_samp", "string_agg",
    "string_to_array", "string_to_table", "strip", "strpos", "tand", "tanh", "text", "to_ascii",
    "to_bin", "to_hex", "to_oct", "translate", "trim_array", "trim_scale", "trunc", "ts_delete",
    "ts_filter", "ts_rank", "ts_rank_cd", "tsmultirange", "tsquery_phrase", "tsrange",
    "tstzmultirange", "tstzrange", "tsvector_to_array", "unistr", "unnest", "upper_inc",
    "upper_inf", "var_pop", "var_samp", "variance", "width", "width_bucket", "xmlagg", "xmlcomment",
    "xmlconcat", "xmlelement", "xmlexists", "xmlforest", "xpath", "xpath_exists",
];

/// `STABLE` because they look at settings of the session, such as the time zone or the text
/// search configuration; whoever varies those has to make them part of the key. Alphabetical.
#[rustfmt::skip]
pub(super) const STABLE: &[&str] = &[
    "age", "array_to_json", "array_to_string", "concat", "concat_ws", "convert", "convert_from",
    "convert_to", "date", "date_part", "date_trunc", "enum_first", "enum_last", "enum_range",
    "extract", "format", "generate_series", "json_agg", "json_build_array", "json_build_object",
    "json_object_agg", "json_populate_record", "json_populate_recordset", "json_to_record",
    "json_to_recordset", "json_to_tsvector", "jsonb_agg", "jsonb_build_array", "jsonb_build_object",
    "jsonb_object_agg", "jsonb_populate_record", "jsonb_populate_recordset", "jsonb_to_record",
    "jsonb_to_recordset", "jsonb_to_tsvector", "make_timestamptz", "numeric", "phraseto_tsquery",
    "plainto_tsquery", "quote_literal", "quote_nullable", "row_to_json", "timezone", "to_char",
    "to_date", "to_json", "to_jsonb", "to_number", "to_timestamp", "to_tsquery", "to_tsvector",
    "ts_headline", "websearch_to_tsquery",
];

/// Alphabetical.
#[rustfmt::skip]
pub(super) const SESSION: &[&str] = &[
    "current_catalog", "current_database", "current_query", "current_role", "current_schema",
    "current_schemas", "current_setting", "current_user", "currval", "has_column_privilege",
    "has_database_privilege", "has_function_privilege", "has_schema_privilege",
    "has_sequence_privilege", "has_table_privilege", "inet_client_addr", "inet_client_port",
    "inet_server_addr", "inet_server_port", "lastval", "pg_backend_pid", "pg_has_role",
    "pg_my_temp_schema", "row_security_active", "session_user", "set_config", "system_user", "user",
    "version",
];

/// Alphabetical.
#[rustfmt::skip]
pub(super) const VOLATILE: &[&str] = &[
    "clock_timestamp", "current_date", "current_time", "current_timestamp", "cursor_to_xml",
    "dblink", "dblink_exec", "gen_random_bytes", "gen_random_uuid", "gen_salt", "lo_get",
    "localtime", "localtimestamp", "nextval", "now", "pg_advisory_lock", "pg_advisory_lock_shared",
    "pg_advisory_unlock", "pg_advisory_unlock_all", "pg_advisory_unlock_shared",
    "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared", "pg_cancel_backend",
    "pg_current_snapshot", "pg_current_wal_lsn", "pg_current_xact_id", "pg_database_size",
    "pg_export_snapshot", "pg_is_in_recovery", "pg_last_wal_receive_lsn", "pg_last_wal_replay_lsn",
    "pg_last_xact_replay_timestamp", "pg_logical_emit_message", "pg_ls_dir", "pg_notify",
    "pg_postmaster_start_time", "pg_read_binary_file", "pg_read_file", "pg_relation_size",
    "pg_reload_conf", "pg_sleep", "pg_sleep_for", "pg_sleep_until", "pg_stat_file", "pg_table_size",
    "pg_terminate_backend", "pg_total_relation_size", "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared", "pg_try_advisory_xact_lock", "pg_try_advisory_xact_lock_shared",
    "query_to_xml", "random", "random_normal", "setseed", "setval", "statement_timestamp",
    "table_to_xml", "timeofday", "transaction_timestamp", "ts_stat", "txid_current",
    "txid_current_if_assigned", "txid_current_snapshot", "uuid_generate_v1", "uuid_generate_v1mc",
    "uuid_generate_v4", "uuidv4", "uuidv7",
];

/// Functions without parentheses, and system columns, which change when a table is only
/// rewritten. Alphabetical.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "cmax", "cmin", "ctid", "current_catalog", "current_date", "current_role", "current_schema",
    "current_time", "current_timestamp", "current_user", "localtime", "localtimestamp",
    "session_user", "system_user", "tableoid", "user", "xmax", "xmin",
];
