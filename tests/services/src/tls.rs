//! A certificate authority that lives as long as a run, and the certificates that it signs.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::{
    account,
    error::{Error, Result},
};

/// What signs, and where clients find its certificate.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: PathBuf,
}

/// The files of one server.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

/// The names that a certificate is for, if nothing else is wanted.
pub(crate) const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

impl Authority {
    /// A new authority. Its certificate is added to those in the file, because servers of an
    /// earlier one may still be up.
    pub(crate) fn add_to(certificate: PathBuf) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new()).map_err(tls)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "larder tests");
        let key = KeyPair::generate().map_err(tls)?;
        let signed = params.self_signed(&key).map_err(tls)?;
        let file = File::options().create(true).append(true).open(&certificate);
        file.and_then(|mut file| file.write_all(signed.pem().as_bytes()))
            .map_err(Error::file(&certificate))?;
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// The file with the authority's certificate.
    pub(crate) fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// Makes a certificate for a server in its folder.
    pub(crate) fn issue(&self, folder: &Path, names: &[String]) -> Result<Certificate> {
        let mut params = CertificateParams::new(names.to_vec()).map_err(tls)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "larder test server");
        let key = KeyPair::generate().map_err(tls)?;
        let signed = params.signed_by(&key, &self.issuer).map_err(tls)?;
        let files =
            Certificate { chain: folder.join("server.pem"), key: folder.join("server.key") };
        write(&files.chain, &signed.pem())?;
        write(&files.key, &key.serialize_pem())?;
        Ok(files)
    }
}

/// Servers insist that nobody but them can read a key.
fn write(path: &Path, pem: &str) -> Result<()> {
    fs::write(path, pem).map_err(Error::file(path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(Error::file(path))?;
    account::hand_over(path)
}

fn tls(source: rcgen::Error) -> Error {
    Error::Tls { source }
}
