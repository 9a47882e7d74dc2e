//! Where a server is, and how it is reached.

use core::time::Duration;
use std::path::PathBuf;

use divvy_core::{Code, Error};
use percent_encoding::percent_decode_str;
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config, NoTls};

use crate::postgres::passfile;
use crate::postgres::refusal::refusal;
use crate::postgres::tls::Tls;

/// A server and its database, as a URL names them.
pub(super) struct Server {
    config: Config,
    /// Not there where the URL, or the place, needs none.
    tls: Option<Tls>,
    /// Host, port and database: what errors and logs may say.
    place: String,
}

/// What a URL says of us, and not of the connection itself.
#[derive(Default)]
struct Options {
    sslmode: Option<String>,
    sslrootcert: Option<PathBuf>,
    passfile: Option<PathBuf>,
}

impl Server {
    /// Reads a URL; see [`crate::Postgres::open`] for what it may say.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let (plain, options) = split_options(url)?;
        // The client's own words may quote the URL, and so a password.
        let mut config: Config = plain.parse().map_err(|_| malformed(""))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(malformed(": it names no host"));
        }
        config.ssl_mode(ssl_mode(&config, options.sslmode.as_deref())?);
        let place = place(&config);
        if let Some(file) = options.passfile.filter(|_| config.get_password().is_none())
            && let Some(password) = passfile::find(&file, &config)?
        {
            config.password(password.as_bytes());
        }
        if config.get_application_name().is_none() {
            config.application_name("divvy");
        }
        // A server that went silent is given up after a minute or so, and not after hours.
        config.keepalives_idle(ALIVE).keepalives_interval(ALIVE).keepalives_retries(3);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(ALIVE);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENT);
        }
        if config.get_hosts().len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => None,
            SslMode::Prefer | SslMode::Require | _ => {
                Some(Tls::new(options.sslrootcert.as_deref())?)
            }
        };
        Ok(Self { config, tls, place })
    }

    /// Host, port and database.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// A new connection, and the task that drives it.
    pub(super) async fn connect(&self) -> Result<(Client, JoinHandle<()>), Error> {
        let refused = |error| refusal(&self.place, &error);
        // Whoever waits for an answer is told when the connection ends.
        match self.tls.clone() {
            None => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(refused)?;
                Ok((client, tokio::spawn(async move { drop(connection.await) })))
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls).await.map_err(refused)?;
                Ok((client, tokio::spawn(async move { drop(connection.await) })))
            }
        }
    }
}

/// Takes out what the client does not know, and refuses what nobody would look at.
fn split_options(url: &str) -> Result<(String, Options), Error> {
    let known = ["postgresql://", "postgres://"].iter().find_map(|head| url.strip_prefix(head));
    let rest = known.ok_or_else(|| malformed(""))?;
    let after_user = rest.find('@').unwrap_or(0);
    let query = rest.get(after_user..).and_then(|rest| rest.find('?'));
    let mut options = Options::default();
    let Some(at) = query.map(|at| at.saturating_add(after_user)) else {
        return Ok((url.to_owned(), options));
    };
    let (server, query) = rest.split_at(at);
    let mut kept = Vec::new();
    for pair in query.split(['?', '&']).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| malformed(""))?;
        let value = percent_decode_str(value).decode_utf8().map_err(|_| malformed(""))?;
        match name {
            "sslmode" => options.sslmode = Some(value.into_owned()),
            "sslrootcert" if value != "system" => options.sslrootcert = Some((&*value).into()),
            "sslrootcert" => {}
            "passfile" => options.passfile = Some((&*value).into()),
            _ if OPTIONS.contains(&name) => kept.push(pair),
            _ => {
                let known = OPTIONS.join(", ");
                return Err(malformed(&format!(
                    ": of options it may have sslmode, sslrootcert, passfile, {known}"
                )));
            }
        }
    }
    let sign = if kept.is_empty() { "" } else { "?" };
    Ok((format!("postgresql://{server}{sign}{}", kept.join("&")), options))
}

/// Nothing is sent in clear text but on this machine, or where the URL says so.
fn ssl_mode(config: &Config, said: Option<&str>) -> Result<SslMode, Error> {
    if config.get_hosts().iter().all(is_socket) && config.get_hostaddrs().is_empty() {
        return Ok(SslMode::Disable);
    }
    let is_local = match config.get_hostaddrs() {
        [] => config.get_hosts().iter().all(is_here),
        addresses => addresses.iter().all(|address| address.is_loopback()),
    };
    match said {
        None if is_local => Ok(SslMode::Disable),
        None | Some("require" | "verify-ca" | "verify-full") => Ok(SslMode::Require),
        Some("disable") => Ok(SslMode::Disable),
        Some("prefer") => Ok(SslMode::Prefer),
        Some(_) => Err(malformed(
            ": sslmode is disable, prefer, require or verify-full; the certificate is verified in \
             each that has one",
        )),
    }
}

const fn is_socket(host: &Host) -> bool {
    !matches!(host, Host::Tcp(_))
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) if name == "localhost" => true,
        Host::Tcp(name) => {
            name.parse::<core::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn place(config: &Config) -> String {
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    });
    let mut hosts: Vec<String> = hosts.collect();
    if hosts.is_empty() {
        hosts = config.get_hostaddrs().iter().map(ToString::to_string).collect();
    }
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config.get_dbname().or(config.get_user()).unwrap_or("?");
    format!("postgresql://{}:{port}/{database}", hosts.join(","))
}

fn malformed(more: &str) -> Error {
    let detail = format!(
        "this is no address of a server: write it as postgresql://user@host:5432/database{more}"
    );
    Error::new(Code::InputMalformed, detail)
}

/// What the client knows of itself, and we let it.
const OPTIONS: [&str; 16] = [
    "user",
    "password",
    "dbname",
    "host",
    "hostaddr",
    "port",
    "options",
    "application_name",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "sslnegotiation",
];

const ALIVE: Duration = Duration::from_secs(10);
const SILENT: Duration = Duration::from_secs(30);
