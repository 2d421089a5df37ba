//! The parameters of one call.
//!
//! Guards that there are as many as the statement takes, each in the form of the type that the
//! server expects.

use sqlx::{
    Arguments as _, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo},
};

use super::{
    encode::{self, Refused},
    kind::Kind,
    rewrite::Fits,
    scan::Scan,
    session::Prepared,
};
use crate::{Param, Params, QueryError};

/// How each parameter fits the statement.
pub(super) fn fits(params: &Params, prepared: &Prepared, scan: &Scan) -> Result<Fits, QueryError> {
    let kinds = &prepared.parameter_kinds;
    if params.len() != kinds.len() {
        let expected = kinds.len();
        debug_assert!(scan.placeholders.iter().all(|place| place.number <= expected.max(1)));
        return Err(QueryError::ParameterCount { expected, given: params.len() });
    }
    Ok(params.iter().zip(kinds).map(|(param, kind)| encode::fit(param, kind)).collect())
}

/// Each parameter as a value of its own type.
pub(super) fn own_fits(params: &Params) -> Fits {
    params.iter().map(encode::own).collect()
}

/// The parameters in the form that the server expects.
pub(super) fn arguments(params: &Params, prepared: &Prepared) -> Result<PgArguments, QueryError> {
    let kinds = &prepared.parameter_kinds;
    if params.len() != kinds.len() {
        return Err(QueryError::ParameterCount { expected: kinds.len(), given: params.len() });
    }
    let mut arguments = PgArguments::default();
    arguments.reserve(params.len(), params.as_bytes().len());
    for (index, param) in params.iter().enumerate() {
        let argument = Argument { param, kind: &kinds[index], info: &prepared.parameters[index] };
        arguments.add(argument).map_err(|error| {
            let refused = error.downcast_ref::<Refused>();
            let reason = refused.map_or("the driver does not take it", |refused| refused.0);
            QueryError::ParameterValue { position: index + 1, reason }
        })?;
    }
    Ok(arguments)
}

/// A parameter on its way into the driver's buffer.
struct Argument<'a> {
    param: Param<'a>,
    kind: &'a Kind,
    info: &'a PgTypeInfo,
}

impl Type<Postgres> for Argument<'_> {
    fn type_info() -> PgTypeInfo {
        // Not asked for: each argument says what it produces.
        PgTypeInfo::with_name("text")
    }
}

impl Encode<'_, Postgres> for Argument<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let is_value = encode::encode(self.param, self.kind, buffer)?;
        Ok(if is_value { IsNull::No } else { IsNull::Yes })
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.info.clone())
    }
}
