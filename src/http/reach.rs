//! Which addresses a sender may reach: where others choose the host, not those of our own network.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The hosts that may have addresses of our own network; all others have public ones.
///
/// Addresses are judged when a host is looked up for a connection, and never before: a name that
/// led elsewhere a moment ago is no way in.
#[derive(Clone, Debug)]
pub(super) struct Outward(Arc<BTreeSet<String>>);

impl Outward {
    pub(super) fn new(own: BTreeSet<String>) -> Self {
        Self(Arc::new(own))
    }

    /// Whether an address may be dialled. A host that is a name is judged when it is looked up.
    pub(super) fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        self.0.contains(host) || bare.parse().map_or(true, is_public)
    }
}

impl Resolve for Outward {
    fn resolve(&self, name: Name) -> Resolving {
        let is_own = self.0.contains(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<_> = found.filter(|to| is_own || is_public(to.ip())).collect();
            if found.is_empty() {
                let why = "it has no address of the internet";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, why).into());
            }
            Ok::<Addrs, _>(Box::new(found.into_iter()))
        })
    }
}

/// Whether an address is one of the internet: nobody's own network, this machine, or a group.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// By the IANA registry of special-purpose addresses (RFC 6890 and its successors).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match (a, b, c) {
        (0 | 10 | 127, ..) | (169, 254, _) | (192, 168, _) | (198, 18 | 19, _) => true,
        (100, b, _) => (64..128).contains(&b),
        (172, b, _) => (16..32).contains(&b),
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113) => true,
        _ => a >= 224,
    };
    !is_special
}

/// Only 2000::/3 is given out; what holds an older address is judged by that one.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, .., g, h] = address.segments();
    let older = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        Ipv4Addr::new(a, b, c, d)
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match (a, b) {
        (0x64, 0xff9b) => {
            let [_, _, rest @ .., _, _] = address.segments();
            rest.iter().all(|part| *part == 0) && is_public_v4(older(g, h))
        }
        // Tunnels, and what is for documents.
        (0x2001, b) => b >= 0x200 && b != 0xdb8,
        (0x2002 | 0x3fff, _) => false,
        (a, _) => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        let public = "1.1.1.1 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.0 172.15.0.1 \
            172.32.0.1 192.167.0.1 192.0.1.1 198.17.0.1 198.20.0.1 223.255.255.1 \
            2606:4700::1111 2a00:1450::1 2001:200::1 64:ff9b::101:101 ::ffff:1.1.1.1";
        let own = "0.0.0.0 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.9.9.9 \
            169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 \
            192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.9 224.0.0.1 \
            240.0.0.1 255.255.255.255 :: ::1 fe80::1 fc00::1 fd12::1 fec0::1 ff02::1 \
            2001:db8::1 2001::1 2002:a00:1::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 \
            64:ff9b::a00:1 64:ff9b:1::101:101 ::7f00:1";
        for address in public.split(' ') {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in own.split(' ') {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_host_that_is_an_address_is_judged_before_it_is_dialled() {
        let outward = Outward::new(BTreeSet::from(["127.0.0.1".to_owned(), "[::1]".to_owned()]));
        #[rustfmt::skip]
        let table = [
            ("http://127.0.0.1:80/",    true),
            ("http://[::1]/",           true),
            ("https://127.0.0.2/",      false),
            ("https://2130706434/",     false),
            ("https://0x7f.2/",         false),
            ("https://[::2]/",          false),
            ("https://1.1.1.1/",        true),
            ("https://shop.example/",   true),
        ];
        for (url, allowed) in table {
            assert_eq!(outward.allows(&Url::parse(url).unwrap()), allowed, "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_our_own_network_is_not_looked_up() {
        let named = |own: BTreeSet<String>| Outward::new(own).resolve("localhost".parse().unwrap());
        assert!(named(BTreeSet::new()).await.is_err());
        let found = named(BTreeSet::from(["localhost".to_owned()])).await.unwrap();
        assert!(found.count() > 0);
    }
}
