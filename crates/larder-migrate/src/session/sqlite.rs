use crate::{Session, SessionError, SessionErrorKind};

pub(super) async fn connect(url: &str) -> Result<Box<dyn Session>, SessionError> {
    let _ = url;
    Err(SessionError::new(SessionErrorKind::Unsupported, None, None))
}
