//! TLS for connections: rustls, with the trust that HTTP has, or that of a file.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use divvy_core::{Code, Error};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What makes connections secret, and proves whom they are with: a certificate is always verified,
/// with its name.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

/// One connection's handshake, with a server of this name.
pub(super) struct Handshake(TlsConnector, ServerName<'static>);

/// A connection that is secret.
pub(super) struct Secret(TlsStream<Socket>);

impl Tls {
    /// Trusts whom the system trusts, or only whom a file of certificates names.
    pub(super) fn new(roots: Option<&Path>) -> Result<Self, Error> {
        let malformed = |why: String| Error::new(Code::InputMalformed, why);
        let versions = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions();
        let builder = versions.map_err(|error| malformed(format!("no TLS: {error}")))?;
        let builder = match roots {
            None => builder.with_platform_verifier().map_err(|error| {
                malformed(format!("the system's certificates cannot be read: {error}"))
            })?,
            Some(file) => {
                let unread = |why: String| {
                    malformed(format!("sslrootcert {} cannot be read: {why}", file.display()))
                };
                let mut store = RootCertStore::empty();
                let certificates = CertificateDer::pem_file_iter(file);
                for certificate in certificates.map_err(|error| unread(error.to_string()))? {
                    let certificate = certificate.map_err(|error| unread(error.to_string()))?;
                    store.add(certificate).map_err(|error| unread(error.to_string()))?;
                }
                if store.is_empty() {
                    return Err(unread("it holds no certificate".to_owned()));
                }
                builder.with_root_certificates(store)
            }
        };
        Ok(Self(Arc::new(builder.with_no_client_auth())))
    }
}

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Secret;
    type TlsConnect = Handshake;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Handshake, Self::Error> {
        let name = ServerName::try_from(domain.to_owned())?;
        Ok(Handshake(TlsConnector::from(Arc::clone(&self.0)), name))
    }
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Secret;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Secret>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        Box::pin(async move { Ok(Secret(self.0.connect(self.1, stream).await?)) })
    }
}

impl tokio_postgres::tls::TlsStream for Secret {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Secret {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, to)
    }
}

impl AsyncWrite for Secret {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
