//! The HTTP sender: one whole reply or no answer, never after the deadline, secrets to their own
//! place only.
#![expect(clippy::expect_used, reason = "a test that panics is a red test")]

use core::future::poll_fn;
use core::task::Poll;
use std::process::{Command, Stdio};

use divvy::core::{Reply, Request, Time};
use divvy::{Clock, Credential, Http, Limits, Sender, Told};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfinal";

/// A server on this machine that nobody else knows.
async fn server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, url)
}

fn request(url: &str) -> Request {
    let headers = vec![("content-type", "text/plain".to_owned())];
    Request {
        method: "POST",
        url: url.to_owned(),
        headers,
        body: b"pay".to_vec(),
        deadline: Time::MAX,
    }
}

fn patient(clock: Clock, wait_millis: u64) -> Http {
    let limits = Limits { wait_millis, reply_bytes: 1_000 };
    Http::with(clock, limits, Vec::new()).expect("a client")
}

/// Reads one request with its three bytes of body.
async fn heard(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\npay") {
        let byte = stream.read_u8().await.expect("the rest of a request");
        text.push(byte);
    }
    String::from_utf8(text).expect("text")
}

/// What the sender makes of these bytes, after which the server hangs up.
async fn answered(bytes: &[u8]) -> Option<Reply> {
    let (listener, url) = server().await;
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        heard(&mut stream).await;
        stream.write_all(bytes).await.expect("a listener");
        stream.shutdown().await.expect("an end");
        core::future::pending().await
    };
    let http = patient(Clock::system(), 10_000);
    let request = request(&url);
    // Whoever never comes here must not keep the server waiting.
    tokio::select! {
        reply = http.send(&request) => reply,
        never = serve => never,
    }
}

#[tokio::test]
async fn a_whole_reply_comes_back_as_it_is_whatever_it_says() {
    let replies = [
        (WHOLE.to_owned(), 200, "final"),
        ("HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno".to_owned(), 500, "no"),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), 204, ""),
        (
            "HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\nto the end".to_owned(),
            404,
            "to the end",
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"
                .to_owned(),
            302,
            "",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nfin\r\n2\r\nal\r\n0\r\n\r\n"
                .to_owned(),
            200,
            "final",
        ),
        (format!("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{}", "x".repeat(1_000)), 200, ""),
    ];
    for (bytes, status, body) in replies {
        let reply = answered(bytes.as_bytes()).await.expect(&bytes);
        assert_eq!(reply.status, status, "{bytes}");
        assert!(body.is_empty() || reply.body == body.as_bytes(), "{bytes}");
    }
}

#[tokio::test]
async fn whatever_is_not_a_whole_reply_is_no_answer() {
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n{}", "x".repeat(1_001));
    let endless = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(1_001));
    let broken = [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfina",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nfin\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nfin\r\n0\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
        &long,
        &endless,
    ];
    for bytes in broken {
        assert_eq!(answered(bytes.as_bytes()).await, None, "{bytes:?}");
    }
}

#[tokio::test]
async fn nobody_there_and_nothing_that_can_be_sent_are_no_answer() {
    let (listener, url) = server().await;
    drop(listener);
    let http = patient(Clock::system(), 10_000);
    assert_eq!(http.send(&request(&url)).await, None);
    for url in ["", "no address", "ftp://127.0.0.1/", "http://", "http://127.0.0.1:1/"] {
        assert_eq!(http.send(&request(url)).await, None, "{url:?}");
    }
    let (listener, url) = server().await;
    let odd = Request { headers: vec![("x", "a\r\nb: c".to_owned())], ..request(&url) };
    assert_eq!(http.send(&odd).await, None);
    assert_eq!(http.send(&Request { method: "P Q", ..request(&url) }).await, None);
    nobody_came(&listener).await;
}

/// The next connection that the server sees is this one.
async fn nobody_came(listener: &TcpListener) {
    let address = listener.local_addr().expect("an address");
    let ours = TcpStream::connect(address).await.expect("a connection");
    let (_, theirs) = listener.accept().await.expect("a connection");
    assert_eq!(theirs, ours.local_addr().expect("an address"), "somebody came before");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_no_longer_than_allowed() {
    let (listener, url) = server().await;
    assert_eq!(patient(Clock::system(), 50).send(&request(&url)).await, None);
    let clock = Clock::system();
    let deadline = Time::from_millis(clock.now().millis().saturating_add(50));
    let http = patient(clock, 3_600_000);
    assert_eq!(http.send(&Request { deadline, ..request(&url) }).await, None);
    drop(listener);
}

#[tokio::test]
async fn a_request_is_not_begun_after_its_deadline() {
    let (listener, url) = server().await;
    let told = Told::new(Time::from_millis(8));
    let http = patient(told.clock(), 10_000);
    let late = Request { deadline: Time::from_millis(7), ..request(&url) };
    assert_eq!(http.send(&late).await, None);
    nobody_came(&listener).await;

    // At the very deadline it may still begin.
    told.tell(Time::from_millis(7));
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        heard(&mut stream).await;
        stream.write_all(WHOLE.as_bytes()).await.expect("a listener");
    };
    let (reply, ()) = tokio::join!(http.send(&late), serve);
    assert_eq!(reply, Some(Reply { status: 200, body: b"final".to_vec() }));
}

#[tokio::test]
async fn a_deadline_that_passes_while_connecting_keeps_the_request_back() {
    // As when the machine sleeps in the middle: the first step begins to connect, then the clock
    // jumps, then everything goes on.
    let (listener, url) = server().await;
    let told = Told::new(Time::ZERO);
    let http = patient(told.clock(), 10_000);
    let request = Request { deadline: Time::from_millis(7), ..request(&url) };
    let mut sending = http.send(&request);
    let first = poll_fn(|context| Poll::Ready(sending.as_mut().poll(context))).await;
    assert_eq!(first, Poll::Pending);
    told.tell(Time::from_millis(8));
    assert_eq!(sending.as_mut().await, None);
    drop(sending);
    drop(http);

    let (mut stream, _) = listener.accept().await.expect("it had begun to connect");
    let mut sent = Vec::new();
    drop(stream.read_to_end(&mut sent).await);
    assert_eq!(sent, b"", "nothing was sent after the deadline");
}

#[tokio::test]
async fn a_credential_goes_to_its_own_origin_and_nowhere_else() {
    let (listener, url) = server().await;
    let (elsewhere, other) = server().await;
    let key = Credential::new("bank", &url, "authorization", "Bearer k3y").expect("a credential");
    let http = Http::with(Clock::system(), Limits::default(), vec![key]).expect("a client");
    assert!(!format!("{http:?}").contains("k3y"));

    let named = |url: &str, name: &str| {
        let headers = vec![(Http::CREDENTIAL, name.to_owned())];
        Request { headers, ..request(url) }
    };
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let text = heard(&mut stream).await;
        stream.write_all(WHOLE.as_bytes()).await.expect("a listener");
        text
    };
    let at_bank = named(&url, "bank");
    let (reply, text) = tokio::join!(http.send(&at_bank), serve);
    assert!(reply.is_some());
    assert!(text.contains("authorization: Bearer k3y\r\n"), "{text}");
    assert!(!text.contains(Http::CREDENTIAL), "{text}");

    assert_eq!(http.send(&named(&other, "bank")).await, None);
    assert_eq!(http.send(&named(&url, "nobody")).await, None);
    nobody_came(&elsewhere).await;
}

#[tokio::test]
async fn a_credential_may_go_into_the_query_of_its_own_origin() {
    let (listener, url) = server().await;
    let (elsewhere, other) = server().await;
    let key = Credential::in_query("nodes", &url, "api-key", "k3y&x=1").expect("a credential");
    let http = Http::with(Clock::system(), Limits::default(), vec![key]).expect("a client");
    assert!(!format!("{http:?}").contains("k3y"));
    let named = |url: &str| {
        let headers = vec![(Http::CREDENTIAL, "nodes".to_owned())];
        Request { headers, ..request(url) }
    };
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let text = heard(&mut stream).await;
        stream.write_all(WHOLE.as_bytes()).await.expect("a listener");
        text
    };
    let asked = named(&url);
    let (reply, text) = tokio::join!(http.send(&asked), serve);
    // What is kept as evidence is the reply and what was asked, neither of which has it.
    assert!(reply.is_some() && !asked.url.contains("k3y"));
    assert!(text.contains("?api-key=k3y%26x%3D1 HTTP/1.1\r\n"), "{text}");
    assert!(!text.contains(Http::CREDENTIAL), "{text}");
    assert_eq!(http.send(&named(&other)).await, None);
    nobody_came(&elsewhere).await;
    assert!(Credential::in_query("nodes", &url, "", "k").is_err());
    assert!(Credential::in_query("nodes", "http://nodes.example", "key", "k").is_err());
}

#[test]
fn a_credential_is_never_sent_in_clear_text_over_a_network() {
    let cases = [
        ("https://bank.example", "authorization", "k", true),
        ("http://127.0.0.1:80", "authorization", "k", true),
        ("http://[::1]", "authorization", "k", true),
        ("http://localhost:8080", "authorization", "k", true),
        ("http://bank.example", "authorization", "k", false),
        ("http://127.0.0.1.bank.example", "authorization", "k", false),
        ("ftp://127.0.0.1", "authorization", "k", false),
        ("bank.example", "authorization", "k", false),
        ("https://bank.example", "no header", "k", false),
        ("https://bank.example", "authorization", "k\r\nx: y", false),
    ];
    for (origin, header, secret, good) in cases {
        let made = Credential::new("bank", origin, header, secret);
        assert_eq!(made.is_ok(), good, "{origin} {header}");
        let said = made.map_or_else(|error| error.to_string(), |made| format!("{made:?}"));
        assert!(!said.contains("x: y"), "{said}");
    }
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let (listener, url) = server().await;
    let http = patient(Clock::system(), 10_000);
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        for _ in 0..3 {
            heard(&mut stream).await;
            stream.write_all(WHOLE.as_bytes()).await.expect("a listener");
        }
    };
    let ask = async {
        for _ in 0..3 {
            assert!(http.send(&request(&url)).await.is_some());
        }
    };
    tokio::join!(ask, serve);
    nobody_came(&listener).await;
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    // Method: the whole suite's first test in a process whose environment names a dead proxy.
    let itself = std::env::current_exe().expect("the test itself");
    let mut again = Command::new(itself);
    again.args(["--exact", "a_whole_reply_comes_back_as_it_is_whatever_it_says"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        again.env(name, "http://127.0.0.1:9");
    }
    again.env_remove("NO_PROXY").env_remove("no_proxy").stdout(Stdio::null());
    assert!(again.status().expect("a process").success());
}

/// Goal: who asks to be left alone is left alone. Method: the first reply asks for a second, and
/// the next request comes no sooner; one whose deadline is nearer is not begun.
#[tokio::test]
async fn a_server_that_asks_to_be_left_alone_is() {
    let (listener, url) = server().await;
    let serve = async {
        for reply in [
            "HTTP/1.1 429 Slow\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            WHOLE,
        ] {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            heard(&mut stream).await;
            stream.write_all(reply.as_bytes()).await.expect("a listener");
            stream.shutdown().await.expect("an end");
        }
        core::future::pending::<()>().await
    };
    let clock = Clock::system();
    let http = patient(clock.clone(), 10_000);
    let ask = async {
        assert_eq!(http.send(&request(&url)).await.map(|reply| reply.status), Some(429));
        let asked = clock.now();
        let hasty = Request { deadline: asked, ..request(&url) };
        assert_eq!(http.send(&hasty).await, None, "it would be too late then");
        assert_eq!(http.send(&request(&url)).await.map(|reply| reply.status), Some(200));
        assert!(clock.now().millis_since(asked) >= 990);
    };
    tokio::select! {
        () = ask => {}
        () = serve => {}
    }
}
