//! Bodies of trigger functions that only change the row that is being written.
//!
//! Guards that everything else counts as writing anything. Such functions are so common, to set
//! the moment of the last change for instance, that each write would clear the cache otherwise.

/// Words with which statements begin that do more than assign, and queries.
#[rustfmt::skip]
const FORBIDDEN: [&str; 33] = [
    "alter", "analyze", "call", "close", "cluster", "comment", "copy", "create", "delete", "do",
    "drop", "execute", "explain", "fetch", "grant", "import", "insert", "listen", "lock", "merge",
    "notify", "open", "perform", "prepare", "reassign", "refresh", "revoke", "select", "set",
    "truncate", "update", "vacuum", "with",
];

/// Functions of the server that write nothing, and words before a parenthesis that are none. A
/// function that is not listed may write.
#[rustfmt::skip]
const FUNCTIONS: [&str; 44] = [
    "abs", "and", "array", "btrim", "ceil", "clock_timestamp", "coalesce", "concat", "concat_ws",
    "date_trunc", "else", "elsif", "extract", "floor", "format", "gen_random_uuid", "greatest",
    "if", "in", "jsonb_build_array", "jsonb_build_object", "jsonb_set", "least", "left", "length",
    "lower", "ltrim", "md5", "not", "now", "nullif", "or", "regexp_replace", "replace", "return",
    "right", "round", "row", "rtrim", "substr", "substring", "to_tsvector", "trim", "upper",
];

/// Whether a body in PL/pgSQL is known to do nothing but assign and return. The body of a function
/// that is known for that is empty.
pub(super) fn only_assigns(source: &str) -> bool {
    let Some(plain) = without_quotes(source) else {
        return false;
    };
    let mut previous = String::new();
    let mut word = String::new();
    for letter in plain.chars().chain([' ']) {
        if letter.is_alphanumeric() || letter == '_' {
            word.extend(letter.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            // `TG_OP = 'UPDATE'` is in quotes; `NEW.table` is a column.
            if FORBIDDEN.contains(&&*word) && !previous.ends_with('.') {
                return false;
            }
            previous = std::mem::take(&mut word);
        }
        match letter {
            // A call, unless the parenthesis follows an operator.
            '(' if previous.chars().next_back().is_some_and(is_name)
                && !FUNCTIONS.contains(&&*previous) =>
            {
                return false;
            }
            letter if letter.is_whitespace() => {}
            letter => {
                previous.clear();
                previous.push(letter);
            }
        }
    }
    true
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The text without comments and with every quoted text empty; `None` if there is a quote of a
/// kind that is not expected in such a body.
fn without_quotes(source: &str) -> Option<String> {
    let mut plain = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(letter) = rest.chars().next() {
        if rest.starts_with("--") {
            rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.find("*/")?;
            if comment.get(..end)?.contains("/*") {
                return None;
            }
            rest = comment.get(end + 2..)?;
            plain.push(' ');
        } else if letter == '\'' {
            let text = rest.get(1..)?;
            let end = text.find('\'')?;
            if text.get(..end)?.contains('\\') {
                return None;
            }
            rest = text.get(end + 1..)?;
            plain.push('\'');
        } else if matches!(letter, '"' | '$') {
            return None;
        } else {
            plain.push(letter);
            rest = rest.get(letter.len_utf8()..)?;
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::only_assigns;

    #[test]
    fn bodies_that_set_columns_are_recognised() {
        for body in [
            "",
            "BEGIN NEW.updated_at = now(); RETURN NEW; END;",
            "begin\n new.updated_at := current_timestamp; -- UPDATE nothing\n return new;\nend",
            "BEGIN IF TG_OP = 'UPDATE' AND (NEW.a IS DISTINCT FROM OLD.a) THEN RETURN NEW; END IF; \
             RETURN NULL; END",
            "BEGIN IF (NEW.name <> '') THEN NEW.slug := lower(replace(NEW.name, ' ', '-')); \
             END IF; RAISE NOTICE 'it''s'; RETURN NEW; END",
            "DECLARE n int := 1; BEGIN NEW.version = OLD.version + (n * 1); RETURN NEW; END",
        ] {
            assert!(only_assigns(body), "{body}");
        }
    }

    #[test]
    fn everything_else_may_write() {
        for body in [
            "BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END",
            "BEGIN PERFORM audit(NEW.id); RETURN NEW; END",
            "BEGIN NEW.a = audit(NEW.id); RETURN NEW; END",
            "BEGIN NEW.a = my.lower2 (NEW.id); RETURN NEW; END",
            "BEGIN EXECUTE 'x'; END",
            "BEGIN NEW.a := (SELECT count(*) FROM t); RETURN NEW; END",
            "BEGIN\nUPDATE t SET a = 1; RETURN NEW; END",
            "BEGIN NEW.a = \"audit\"(1); RETURN NEW; END",
            "BEGIN NEW.a = $1; END",
            "BEGIN /* /* */ DELETE FROM t; */ END",
            "BEGIN NEW.a = E'\\''; DELETE FROM t; --'; END",
            "BEGIN CALL p(); END",
        ] {
            assert!(!only_assigns(body), "{body}");
        }
    }
}
