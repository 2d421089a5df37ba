//! Models as rows, on every database: created, read, updated, deleted and listed through the
//! cache, and the table ensured before the first of it.

mod fixture;
mod guard;
mod scenarios;

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
            crate::scenarios::$name(&fixture).await;
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
