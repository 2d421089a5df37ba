//! What only the server knows: the texts of values of other types, and the names of types.
//!
//! Guards that a value goes back to the server under the very number that it came with.

use sqlx::{
    Arguments as _, AssertSqlSafe, Encode, Executor as _, Postgres, Row as _, SqlSafeStr as _,
    Statement as _, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgArguments, PgConnection, PgTypeInfo, types::Oid},
};

use super::{encode::Fit, error, rewrite::Fits};
use crate::{DatabaseError, DatabaseErrorKind, QueryError};

/// A value of a type that only the server understands.
pub(super) struct Leaf {
    /// The number of its type.
    pub(super) oid: u32,
    pub(super) bytes: Vec<u8>,
}

/// How many values are asked about at a time.
const BATCH: usize = 32;

/// The texts of these values, in order.
///
/// The server converts to text by the functions with which it writes every value as text.
pub(super) async fn texts(
    connection: &mut PgConnection,
    leaves: &[Leaf],
) -> Result<Vec<String>, QueryError> {
    let mut texts = vec![String::new(); leaves.len()];
    let mut order: Vec<usize> = (0..leaves.len()).collect();
    order.sort_by_key(|index| leaves[*index].oid);
    for same in order.chunk_by(|left, right| leaves[*left].oid == leaves[*right].oid) {
        let batch = if same.len() == 1 { 1 } else { BATCH };
        for indexes in same.chunks(batch) {
            let found = batch_of_texts(connection, leaves, indexes, batch).await?;
            for (index, text) in indexes.iter().zip(found) {
                texts[*index] = text;
            }
        }
    }
    Ok(texts)
}

async fn batch_of_texts(
    connection: &mut PgConnection,
    leaves: &[Leaf],
    indexes: &[usize],
    batch: usize,
) -> Result<Vec<String>, QueryError> {
    let Some(oid) = indexes.first().map(|index| leaves[*index].oid) else {
        return Ok(Vec::new());
    };
    // The driver finds statements by their text alone, and this one has a type of its own.
    let columns: Vec<_> = (1..=batch).map(|number| format!("${number}::text")).collect();
    let sql = AssertSqlSafe(format!("SELECT {} /* {oid} */", columns.join(", "))).into_sql_str();
    let types = vec![PgTypeInfo::with_oid(Oid(oid)); batch];
    let statement = connection.prepare_with(sql, &types).await.map_err(error::map)?;
    let mut arguments = PgArguments::default();
    for place in 0..batch {
        let bytes = indexes.get(place).map(|index| &*leaves[*index].bytes);
        let added = arguments.add(Raw { oid, bytes });
        added.map_err(|source| error::map(sqlx::Error::Encode(source)))?;
    }
    let row = connection.fetch_one(statement.query_with(arguments)).await.map_err(error::map)?;
    let text = |place| {
        let raw = row.try_get_raw(place).map_err(error::map)?;
        let text = raw.as_str().map_err(|source| error::map(sqlx::Error::Decode(source)))?;
        Ok(text.to_owned())
    };
    (0..indexes.len()).map(text).collect()
}

/// The names of those types that parameters are converted to, as the server writes them in SQL.
pub(super) async fn type_names(
    connection: &mut PgConnection,
    parameters: &[PgTypeInfo],
    fits: &Fits,
) -> Result<Vec<String>, QueryError> {
    let mut names = Vec::with_capacity(parameters.len());
    for (info, fit) in parameters.iter().zip(fits) {
        names.push(match fit {
            Fit::Text | Fit::Texts => type_name(connection, info).await?,
            Fit::Direct | Fit::Own(_) | Fit::OwnList(_) => String::new(),
        });
    }
    Ok(names)
}

async fn type_name(connection: &mut PgConnection, info: &PgTypeInfo) -> Result<String, QueryError> {
    let oid = info.oid().unwrap_or(Oid(0));
    // Without a limit of length: `bit` alone would mean one bit.
    let query = sqlx::query_scalar("SELECT pg_catalog.format_type($1, -1)").bind(oid);
    let name: Option<String> = query.fetch_one(connection).await.map_err(error::map)?;
    name.ok_or_else(|| {
        let source = "a parameter's type is not known to the server any more";
        DatabaseError::new(DatabaseErrorKind::Other, None, source).into()
    })
}

/// A value as it came.
struct Raw<'a> {
    oid: u32,
    bytes: Option<&'a [u8]>,
}

impl Type<Postgres> for Raw<'_> {
    fn type_info() -> PgTypeInfo {
        // Not asked for: each value says what it produces.
        PgTypeInfo::with_name("text")
    }
}

impl Encode<'_, Postgres> for Raw<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let Some(bytes) = self.bytes else { return Ok(IsNull::Yes) };
        buffer.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(self.oid)))
    }
}
