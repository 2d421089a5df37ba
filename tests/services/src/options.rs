//! What a test that starts its own servers may want to be different.

use std::time::Duration;

use crate::tls;

/// How servers are to be started, beyond what their setup says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    args: Vec<String>,
    names: Option<Vec<String>>,
    silence_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { args: Vec::new(), names: None, silence_max: Duration::from_secs(1) }
    }
}

impl Options {
    /// Nothing special. Servers that replace one another do so after a second of silence, since
    /// a test that starts its own ones waits for that.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For servers that many tests share, of which none may be replaced: on a busy machine a
    /// server that is well can be silent for seconds.
    pub(crate) fn shared() -> Self {
        Self { silence_max: Duration::from_secs(30), ..Self::default() }
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

    /// How long a server may be silent before another one takes its place.
    pub(crate) const fn silence_max(&self) -> Duration {
        self.silence_max
    }

    pub(crate) fn args(&self) -> &[String] {
        &self.args
    }

    pub(crate) fn certificate_names(&self) -> Vec<String> {
        self.names.clone().unwrap_or_else(|| tls::NAMES.map(str::to_owned).to_vec())
    }
}
