//! Pairs of schemas on MySQL and MariaDB, in both directions where both are possible.

#![cfg(feature = "mysql")]

mod common;
mod databases;
mod mariadb_only;
mod mysql_only;
mod scratch;

/// Makes a test of each pair on a server: `=>` leads from the first to the second, `<=>` back as
/// well.
macro_rules! pairs {
    (@server $module:ident $variable:literal $($name:ident: $from:literal $(=> $to:literal)? $(<=> $both:literal)?;)+) => {
        mod $module {
            use crate::mysql_family::scratch::check;

            $(
                #[tokio::test]
                #[ignore = "needs a live service"]
                async fn $name() {
                    let back: [&str; _] = [$($both)?];
                    let to = [$($to,)? $($both)?];
                    check($variable, stringify!($name), $from, to[0], !back.is_empty()).await;
                }
            )+
        }
    };
    (mysql $($pairs:tt)+) => {
        $crate::mysql_family::pairs!(@server mysql "LARDER_MYSQL_URL" $($pairs)+);
    };
    (mariadb $($pairs:tt)+) => {
        $crate::mysql_family::pairs!(@server mariadb "LARDER_MARIADB_URL" $($pairs)+);
    };
    (both $($pairs:tt)+) => {
        $crate::mysql_family::pairs!(mysql $($pairs)+);
        $crate::mysql_family::pairs!(mariadb $($pairs)+);
    };
}

pub(crate) use pairs;
