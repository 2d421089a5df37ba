//! Who the servers run as.
//!
//! PostgreSQL and Memcached refuse to run as root. Started by root, every server therefore runs
//! as `nobody`, and what it needs belongs to `nobody`.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
};

use crate::error::{Error, Result};

/// The account of the servers, if it is not simply our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// `nobody`, if we are root.
    pub(crate) fn other() -> Option<Self> {
        rustix::process::geteuid().is_root().then(|| {
            let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
            nobody(&users)
        })
    }
}

/// Makes the command run as the servers' account.
pub(crate) fn assume(command: &mut Command) {
    if let Some(account) = Account::other() {
        command.uid(account.uid).gid(account.gid);
    }
}

/// Gives a file or folder, with all that is in it, to the servers' account.
pub(crate) fn hand_over(path: &Path) -> Result<()> {
    let Some(account) = Account::other() else {
        return Ok(());
    };
    chown(path, Some(account.uid), Some(account.gid)).map_err(Error::file(path))?;
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).map_err(Error::file(path))? {
            hand_over(&entry.map_err(Error::file(path))?.path())?;
        }
    }
    Ok(())
}

/// Whether the servers' account can get to what is in the folder.
pub(crate) fn can_reach(folder: &Path) -> bool {
    Account::other().is_none_or(|account| {
        folder.ancestors().all(|folder| {
            // What is not there yet is going to be made by us, for everybody to enter.
            fs::metadata(folder).map_or(true, |metadata| {
                let mode = metadata.permissions().mode();
                let own = metadata.uid() == account.uid && mode & 0o100 != 0;
                let group = metadata.gid() == account.gid && mode & 0o010 != 0;
                own || group || mode & 0o001 != 0
            })
        })
    })
}

/// `nobody` of a passwd file, whose lines are `name:password:uid:gid:…`.
fn nobody(users: &str) -> Account {
    const USUAL: Account = Account { uid: 65534, gid: 65534 };
    let line = users.lines().find_map(|line| line.strip_prefix("nobody:"));
    let parsed = line.and_then(|line| {
        let mut fields = line.split(':').skip(1).map(str::parse);
        Some(Account { uid: fields.next()?.ok()?, gid: fields.next()?.ok()? })
    });
    parsed.unwrap_or(USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_read_from_the_list_of_users() {
        let users = "root:x:0:0::/root:/bin/sh\nnobody:x:99:98:n:/:/sbin/nologin\n";
        assert_eq!(nobody(users), Account { uid: 99, gid: 98 });
        assert_eq!(nobody("root:x:0:0\n"), Account { uid: 65534, gid: 65534 });
        assert_eq!(nobody("nobody:x:many:0\n"), Account { uid: 65534, gid: 65534 });
    }

    #[test]
    fn everybody_can_reach_the_root_folder() {
        assert!(can_reach(Path::new("/")));
    }
}
