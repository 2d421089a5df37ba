//! What an account may see of what its writes set off.
//!
//! Guards that a trigger or a cascade that is hidden from the account is not taken for absent.
//! The server shows a trigger only to those who have the privilege `TRIGGER` on its table, and a
//! foreign key only to those who have a privilege on the child.

/// Whether the account sees the triggers and foreign keys of every table that it may write, going
/// by the lines of `SHOW GRANTS`.
pub(crate) fn show_all_effects(grants: &[String]) -> bool {
    let grants: Option<Vec<Grant<'_>>> = grants.iter().filter_map(|line| parse(line)).collect();
    let Some(grants) = grants else { return false };
    let sees_all = grants.iter().any(|grant| grant.scope == "*.*" && grant.shows_triggers());
    let sees = |grant: &Grant<'_>| {
        // With privileges on single tables, the children of these may be hidden.
        grant.scope.ends_with(".*") && shows_triggers_of(&grants, grant.scope)
    };
    sees_all || grants.iter().filter(|grant| grant.writes()).all(sees)
}

fn shows_triggers_of(grants: &[Grant<'_>], scope: &str) -> bool {
    grants.iter().any(|grant| grant.scope == scope && grant.shows_triggers())
}

struct Grant<'a> {
    privileges: Vec<&'a str>,
    /// `*.*`, `` `database`.* `` or `` `database`.`table` ``
    scope: &'a str,
}

impl Grant<'_> {
    fn has(&self, names: &[&str]) -> bool {
        self.privileges.iter().any(|have| {
            // Columns may follow in parentheses.
            let name = have.split('(').next().unwrap_or_default().trim();
            names.iter().any(|other| name.eq_ignore_ascii_case(other))
        })
    }

    fn writes(&self) -> bool {
        self.has(&["ALL", "ALL PRIVILEGES", "DELETE", "INSERT", "UPDATE"])
    }

    fn shows_triggers(&self) -> bool {
        self.has(&["ALL", "ALL PRIVILEGES", "TRIGGER"])
    }
}

/// A line; nothing for one that is not about privileges on something, and `Some(None)` for one
/// that takes something away or is not understood.
fn parse(line: &str) -> Option<Option<Grant<'_>>> {
    let Some(rest) = line.strip_prefix("GRANT ") else {
        // A default role is only set, and grants nothing by itself.
        return (!line.starts_with("SET DEFAULT ROLE ")).then_some(None);
    };
    let Some((privileges, rest)) = rest.split_once(" ON ") else {
        // A role: what it may do is listed in lines of its own where it is active.
        return None;
    };
    let Some((scope, _)) = rest.split_once(" TO ") else { return Some(None) };
    let scope = scope.strip_prefix("TABLE ").unwrap_or(scope);
    let is_routine = ["FUNCTION ", "PACKAGE ", "PROCEDURE "].iter().any(|on| scope.starts_with(on));
    if is_routine || privileges == "PROXY" {
        return None;
    }
    Some(Some(Grant { privileges: privileges.split(", ").collect(), scope }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str]) -> bool {
        show_all_effects(&lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn who_may_write_and_sees_the_triggers_sees_all_effects() {
        for lines in [
            &["GRANT ALL PRIVILEGES ON *.* TO `larder`@`%` IDENTIFIED BY PASSWORD '*X'"][..],
            &["GRANT USAGE ON *.* TO `a`@`%`", "GRANT ALL PRIVILEGES ON `d`.* TO `a`@`%`"],
            &["GRANT USAGE ON *.* TO `a`@`%`", "GRANT SELECT, INSERT, TRIGGER ON `d`.* TO `a`@`%`"],
            &["GRANT SELECT ON *.* TO `a`@`%`"],
            &["GRANT INSERT ON `d`.* TO `a`@`%`", "GRANT SELECT, TRIGGER ON *.* TO `a`@`%`"],
            &["GRANT SELECT ON `d`.`t` TO `a`@`%`", "GRANT `r`@`%` TO `a`@`%`"],
        ] {
            assert!(check(lines), "{lines:?}");
        }
    }

    #[test]
    fn who_may_write_and_sees_no_triggers_does_not() {
        for lines in [
            &["GRANT SELECT, INSERT, UPDATE, DELETE ON `d`.* TO `a`@`%`"][..],
            &["GRANT INSERT ON *.* TO `a`@`%`"],
            &["GRANT ALL PRIVILEGES ON `d`.`t` TO `a`@`%`"],
            &["GRANT INSERT (`a`, `b`) ON `d`.`t` TO `a`@`%`"],
            &["GRANT INSERT ON `d`.* TO `a`@`%`", "GRANT TRIGGER ON `e`.* TO `a`@`%`"],
            &["GRANT ALL PRIVILEGES ON `d`.* TO `a`@`%`", "REVOKE TRIGGER ON `d`.* FROM `a`@`%`"],
        ] {
            assert!(!check(lines), "{lines:?}");
        }
    }
}
