//! What a test that starts its own servers may want to be different.

use crate::tls;

/// How servers are to be started, beyond what their setup says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    args: Vec<String>,
    names: Option<Vec<String>>,
}

impl Options {
    /// Nothing special.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds arguments to the command line of every server, after those of the setup, so that the
    /// server takes these where both say something.
    ///
    /// ```
    /// # use larder_services::Options;
    /// let full = Options::new().with_args(["--maxmemory", "2mb"]);
    /// ```
    #[must_use]
    pub fn with_args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Makes the certificate for these names instead of `localhost` and `127.0.0.1`: a client
    /// that verifies it then refuses the server.
    #[must_use]
    pub fn with_certificate_for<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        self.names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    pub(crate) fn args(&self) -> &[String] {
        &self.args
    }

    pub(crate) fn certificate_names(&self) -> Vec<String> {
        self.names.clone().unwrap_or_else(|| tls::NAMES.map(str::to_owned).to_vec())
    }
}
