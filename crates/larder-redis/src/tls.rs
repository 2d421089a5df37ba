//! Encryption: rustls, with the server's certificate and name verified, always.

use std::{io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::error::Trouble;

/// What encrypts connections.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(…)")
    }
}

impl Tls {
    /// Trusts the system's root certificates and those in the given files. Reads files, so it is
    /// for the start only.
    pub(crate) fn new(ca_files: &[impl AsRef<Path>]) -> Result<Self, Trouble> {
        let mut roots = RootCertStore::empty();
        // A system without root certificates is no error if a file has them; a server whose
        // certificate nobody signed is refused when it shows it.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for file in ca_files {
            add_file(&mut roots, file.as_ref())?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Trouble::Tls(Arc::new(error)))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Trouble> {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| Trouble::Tls(Arc::new(error)))?;
        let connected = self.0.connect(name, stream).await;
        connected.map_err(|error| Trouble::Connect(Arc::new(error)))
    }
}

fn add_file(roots: &mut RootCertStore, file: &Path) -> Result<(), Trouble> {
    let trouble = |error: &dyn std::error::Error| {
        let message = format!("no root certificates in {}: {error}", file.display());
        Trouble::Tls(Arc::new(io::Error::other(message)))
    };
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| trouble(&error))?;
    let mut count = 0;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| trouble(&error))?;
        roots.add(certificate).map_err(|error| trouble(&error))?;
        count += 1;
    }
    if count == 0 { Err(trouble(&io::Error::other("the file has none"))) } else { Ok(()) }
}
