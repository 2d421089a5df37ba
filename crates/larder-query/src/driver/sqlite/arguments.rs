//! Parameters as SQLite stores them.
//!
//! Guards that a parameter has the storage class under which the same value is stored, and that
//! what does not fit is an error instead of another number.

use sqlx::{Arguments as _, Encode, Sqlite, sqlite::SqliteArguments};

use crate::{
    Param, Params, QueryError,
    calendar::{IsoDate, IsoTime, IsoTimestamp},
};

/// The arguments of a statement that takes `expected` parameters.
///
/// | parameter | storage class |
/// |---|---|
/// | boolean, integers | INTEGER |
/// | floats | REAL; not-a-number is NULL, as SQLite stores it |
/// | decimal, text, JSON | TEXT |
/// | date | TEXT, `YYYY-MM-DD` |
/// | time | TEXT, `HH:MM:SS`, with a fraction if there is one |
/// | timestamp | TEXT, `YYYY-MM-DD HH:MM:SS`, with a fraction if there is one |
/// | timestamp in UTC | TEXT, `YYYY-MM-DDTHH:MM:SS+00:00`, with a fraction if there is one |
/// | bytes, UUID | BLOB |
///
/// The texts are those that sqlx writes too, so that both find each other's rows.
pub(super) fn arguments(params: &Params, expected: usize) -> Result<SqliteArguments, QueryError> {
    if params.len() != expected {
        return Err(QueryError::ParameterCount { expected, given: params.len() });
    }
    let mut arguments = SqliteArguments::default();
    arguments.reserve(params.len(), 0);
    let mut position = 0;
    for param in params {
        position += 1;
        add(&mut arguments, position, param)?;
    }
    Ok(arguments)
}

fn add(
    arguments: &mut SqliteArguments,
    position: usize,
    param: Param<'_>,
) -> Result<(), QueryError> {
    let mut sink = Sink { arguments, position };
    match param {
        Param::Array(_) => Err(sink.refuse("SQLite has no arrays")),
        Param::Bool(value) => sink.add(i64::from(value)),
        Param::I8(value) => sink.add(i64::from(value)),
        Param::I16(value) => sink.add(i64::from(value)),
        Param::I32(value) => sink.add(i64::from(value)),
        Param::I64(value) => sink.add(value),
        Param::U8(value) => sink.add(i64::from(value)),
        Param::U16(value) => sink.add(i64::from(value)),
        Param::U32(value) => sink.add(i64::from(value)),
        Param::U64(value) => match i64::try_from(value) {
            Ok(value) => sink.add(value),
            Err(_too_large) => Err(sink.refuse("SQLite's integers end at 2^63 - 1")),
        },
        Param::F32(value) => sink.add(f64::from(value)),
        Param::F64(value) => sink.add(value),
        Param::Decimal(text) | Param::Text(text) | Param::Json(text) => sink.add(text.to_owned()),
        Param::Bytes(bytes) => sink.add(bytes.to_vec()),
        Param::Uuid(bytes) => sink.add(bytes.to_vec()),
        Param::Date(days) => sink.add(IsoDate(days.into()).to_string()),
        Param::Time(micros) => sink.add(IsoTime(micros).to_string()),
        Param::Timestamp(micros) => sink.add(timestamp(micros, ' ', "")),
        Param::TimestampUtc(micros) => sink.add(timestamp(micros, 'T', "+00:00")),
        Param::Null(_) => sink.add(None::<i64>),
    }
}

fn timestamp(micros: i64, separator: char, suffix: &'static str) -> String {
    let text = IsoTimestamp { micros, separator, suffix };
    text.to_string()
}

struct Sink<'a> {
    arguments: &'a mut SqliteArguments,
    position: usize,
}

impl Sink<'_> {
    fn add<'t>(
        &mut self,
        value: impl Encode<'t, Sqlite> + sqlx::Type<Sqlite>,
    ) -> Result<(), QueryError> {
        match self.arguments.add(value) {
            Ok(()) => Ok(()),
            Err(_unencodable) => Err(self.refuse("the driver does not take it")),
        }
    }

    const fn refuse(&self, reason: &'static str) -> QueryError {
        QueryError::ParameterValue { position: self.position, reason }
    }
}
