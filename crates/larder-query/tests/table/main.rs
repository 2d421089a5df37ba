//! Models as rows, on every database: created, read, updated, deleted and listed through the
//! cache, and the table ensured before the first of it.

mod fixture;
mod guard;
mod scenarios;
mod strict;

/// The scenarios of all files.
mod every {
    pub(crate) use crate::{scenarios::*, strict::*};
}

/// Every scenario on one database.
macro_rules! on {
    ($open:path $(, $ignored:literal)?) => {
        on! { @ [$($ignored)?] $open:
            a_row_is_created_read_updated_and_deleted
            what_the_database_gives_comes_back
            every_kind_of_value_survives
            lists_are_filtered_ordered_and_cut
            many_rows_are_written_or_none
            an_upsert_inserts_or_replaces
            a_key_of_two_columns_finds_its_row
            reads_are_cached_and_every_write_invalidates
            nothing_of_a_value_becomes_sql
            a_table_is_ensured_before_its_first_use
            a_missing_table_is_noticed
            a_changed_table_has_answers_of_its_own
            a_value_of_another_type_finds_nothing
            a_value_that_fits_is_compared
            decimals_are_compared_as_numbers
            an_upsert_never_overwrites_another_row
            a_long_filter_is_cached_and_a_deep_one_refused
            a_row_without_a_key_is_created_in_bulk_only
            a_row_of_nothing_but_a_number_is_upserted
        }
    };
    (@ $ignored:tt $open:path: $($name:ident)+) => {
        $(on! { @@ $ignored $open, $name })+
    };
    (@@ [$($ignored:literal)?] $open:path, $name:ident) => {
        #[tokio::test]
        $(#[ignore = $ignored])?
        async fn $name() {
            let fixture = $open().await;
            crate::every::$name(&fixture).await;
            fixture.close().await;
        }
    };
}

#[cfg(feature = "sqlite")]
mod sqlite {
    on!(crate::fixture::sqlite);
}

#[cfg(feature = "postgres")]
mod postgres {
    on!(crate::fixture::postgres, "needs a live service");
}

#[cfg(feature = "mysql")]
mod mysql {
    on!(crate::fixture::mysql, "needs a live service");
}

#[cfg(feature = "mysql")]
mod mariadb {
    on!(crate::fixture::mariadb, "needs a live service");
}
