//! tmp
use async_trait::async_trait;
use divvy_core::{Error, Reply, Request};
/// tmp
#[derive(Debug)]
pub struct Http {
    client: reqwest::Client,
    clock: crate::clock::Clock,
}
impl Http {
    /// tmp
    pub fn new(clock: crate::clock::Clock) -> Result<Self, Error> {
        Ok(Self {
            client: reqwest::Client::builder()
                .no_proxy()
                .timeout(std::time::Duration::from_secs(10))
                .build()
                .unwrap(),
            clock,
        })
    }
}
#[async_trait]
impl crate::host::Sender for Http {
    async fn send(&self, r: &Request) -> Option<Reply> {
        if self.clock.now() > r.deadline {
            return None;
        }
        let mut b = self.client.request(r.method.parse().ok()?, &r.url);
        for (k, v) in &r.headers {
            b = b.header(*k, v);
        }
        let resp = b.body(r.body.clone()).send().await.ok()?;
        let status = resp.status().as_u16();
        let body = resp.bytes().await.ok()?.to_vec();
        Some(Reply { status, body })
    }
}
