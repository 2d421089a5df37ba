use larder_model::{Catalog, Lowered, TableName};

use crate::{Session, SessionError, Target};

pub(super) async fn introspect(
    session: &mut dyn Session,
    target: &Target,
) -> Result<Catalog, SessionError> {
    let _ = (session, target);
    Ok(Catalog::default())
}

pub(super) async fn normalise(
    session: &mut dyn Session,
    models: Vec<Lowered>,
) -> Result<Catalog, SessionError> {
    let _ = session;
    let mut catalog = Catalog::default();
    for model in models {
        catalog.enums.extend(model.enums);
        catalog.tables.push(model.table);
    }
    Ok(catalog)
}

pub(super) async fn tokens(
    session: &mut dyn Session,
    tables: &[TableName],
) -> Result<Vec<Option<String>>, SessionError> {
    let _ = session;
    Ok(vec![None; tables.len()])
}

pub(super) async fn signal(session: &mut dyn Session) -> Result<String, SessionError> {
    let _ = session;
    Ok(String::new())
}

pub(super) async fn identity(session: &mut dyn Session) -> Result<String, SessionError> {
    let _ = session;
    Ok(String::new())
}
