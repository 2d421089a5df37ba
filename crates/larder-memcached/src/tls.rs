//! Encryption: rustls with verified certificates.

use std::{io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::error::Trouble;

/// Whom to trust.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
}

impl Tls {
    /// Trusts the system's certificates and those in the file.
    pub(crate) fn new(ca: Option<&Path>) -> Result<Self, Trouble> {
        let mut roots = RootCertStore::empty();
        // A system without certificates of its own is no error while the file has one.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(ca) = ca {
            add_from_file(&mut roots, ca)?;
        }
        if roots.is_empty() {
            return Err(Trouble::Config("there is no certificate to trust"));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| Trouble::Config("no version of TLS is available"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)) })
    }

    /// Encrypts a connection to the named host.
    pub(crate) async fn handshake(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Trouble> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Trouble::Config("the host is no name that a certificate can have"))?;
        self.connector.connect(name, stream).await.map_err(trouble)
    }
}

fn add_from_file(roots: &mut RootCertStore, ca: &Path) -> Result<(), Trouble> {
    const UNREADABLE: Trouble = Trouble::Config("the file of certificates can not be read");

    let certificates = CertificateDer::pem_file_iter(ca).map_err(|_| UNREADABLE)?;
    let mut found = false;
    for certificate in certificates {
        let certificate = certificate.map_err(|_| UNREADABLE)?;
        roots.add(certificate).map_err(|_| UNREADABLE)?;
        found = true;
    }
    if found { Ok(()) } else { Err(UNREADABLE) }
}

/// A peer that hangs up is away; one that can not be trusted stays so.
fn trouble(error: io::Error) -> Trouble {
    let is_tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    if is_tls { Trouble::Tls(Arc::new(error)) } else { error.into() }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(…)")
    }
}
