//! References as MariaDB prints them.
//!
//! Its storage engine prints the name and the columns of a reference without doubling backticks
//! in them, though the rest of the text has them doubled.
//!
//! Guards that a name is read so only if the table has a column of that name.

/// The definition of a table with all names of references quoted like other names.
pub(super) fn requoted(sql: &str) -> String {
    let lines: Vec<_> = sql
        .split('\n')
        .map(|line| requoted_line(sql, line).unwrap_or_else(|| line.to_owned()))
        .collect();
    lines.join("\n")
}

fn requoted_line(sql: &str, line: &str) -> Option<String> {
    let (name, rest) = line.strip_prefix("  CONSTRAINT `")?.split_once("` FOREIGN KEY (`")?;
    let (columns, rest) = rest.split_once("`) REFERENCES `")?;
    // The name of the table is quoted as it should be.
    let (target, rest) = rest.split_once("` (`")?;
    let (target_columns, rest) = rest.split_once("`)")?;
    let columns: Vec<_> = columns.split("`, `").collect();
    let target_columns: Vec<_> = target_columns.split("`, `").collect();
    let is_there = |name: &&str| sql.contains(&format!("\n  `{}` ", doubled(name)));
    if ![name].iter().chain(&columns).chain(&target_columns).any(|name| name.contains('`'))
        || !columns.iter().all(is_there)
    {
        return None;
    }
    let list = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| format!("`{}`", doubled(name))).collect();
        names.join(", ")
    };
    Some(format!(
        "  CONSTRAINT `{}` FOREIGN KEY ({}) REFERENCES `{target}` ({}){rest}",
        doubled(name),
        list(&columns),
        list(&target_columns),
    ))
}

fn doubled(name: &str) -> String {
    name.replace('`', "``")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(column: &str, reference: &str) -> String {
        format!("CREATE TABLE `t` (\n  `{column}` int,\n  CONSTRAINT {reference},\n  KEY `x`\n)")
    }

    #[test]
    fn names_of_references_are_quoted_again() {
        let printed = table("a``b", "`c`n` FOREIGN KEY (`a`b`) REFERENCES `p``p` (`i`d`) ON X");
        let expected = table("a``b", "`c``n` FOREIGN KEY (`a``b`) REFERENCES `p``p` (`i``d`) ON X");
        assert_eq!(requoted(&printed), expected);
    }

    #[test]
    fn what_is_quoted_as_it_should_be_stays() {
        for (column, reference) in [
            ("a", "`c` FOREIGN KEY (`a`) REFERENCES `p` (`id`)"),
            ("a``b", "`c``n` FOREIGN KEY (`a``b`) REFERENCES `p` (`id`)"),
            ("a", "`check` CHECK (`a` > 0)"),
        ] {
            let printed = table(column, reference);
            assert_eq!(requoted(&printed), printed);
        }
    }
}
