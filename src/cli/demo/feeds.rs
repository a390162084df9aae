//! The sample feeds, served over HTTP on the namespace's loopback: real formats, our own data.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ETAG, IF_NONE_MATCH};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::digest;
use crate::time::Timestamp;

/// What the publishers serve at one time.
#[derive(Clone, Debug)]
pub struct Published {
    drop_v4: String,
    drop_v6: String,
}

/// The operator's own list: a duplicate, a prefix with a customer inside, space that is reserved,
/// and a line with a typing error.
pub const NOC_LIST: &str = "\
# seen by our own mail servers
72.37.186/23      # ticket 17: spam run of Monday
203.0.113.0/24    # ticket 18
10.0.0.0/8        # pasted by mistake: private space
192.0.2.9/24      # a typing error
";

/// The same without the shop.
pub const NOC_LIST_DELISTED: &str = "\
# seen by our own mail servers
203.0.113.0/24    # ticket 18
";

impl Published {
    /// With the shop's network on the list.
    pub fn first() -> Self {
        Self::with(&[
            ("72.37.186.0/23", "SBL1001"),
            ("192.0.2.0/25", "SBL1002"),
            ("192.0.2.128/25", "SBL1003"),
            ("198.51.100.0/24", "SBL1004"),
        ])
    }

    /// Without it.
    pub fn delisted() -> Self {
        Self::with(&[
            ("192.0.2.0/25", "SBL1002"),
            ("192.0.2.128/25", "SBL1003"),
            ("198.51.100.0/24", "SBL1004"),
        ])
    }

    /// Five networks at once, more than the configuration lets through without a look.
    pub fn grown() -> Self {
        Self::with(&[
            ("72.37.160.0/24", "SBL1005"),
            ("72.37.162.0/24", "SBL1005"),
            ("72.37.164.0/24", "SBL1005"),
            ("72.37.166.0/24", "SBL1005"),
            ("72.37.168.0/24", "SBL1005"),
            ("192.0.2.0/25", "SBL1002"),
            ("192.0.2.128/25", "SBL1003"),
            ("198.51.100.0/24", "SBL1004"),
        ])
    }

    fn with(v4: &[(&str, &str)]) -> Self {
        let record = |(cidr, sbl): &(&str, &str)| {
            format!("{{\"cidr\":\"{cidr}\",\"sblid\":\"{sbl}\",\"rir\":\"arin\"}}\n")
        };
        let records: String = v4.iter().map(record).collect();
        let metadata = format!(
            "{{\"type\":\"metadata\",\"timestamp\":{},\"size\":{},\"records\":{},\
             \"copyright\":\"none: sample data\",\"terms\":\"none\"}}\n",
            Timestamp::now().0,
            records.len(),
            v4.len()
        );
        let drop_v6 = "; Spamhaus IPv6 DROP List format, sample data of the nullrouted demonstration\n\
                       2001:db8:bad::/48 ; SBL2001\n; EOF\n";
        Self {
            drop_v4: records + &metadata,
            drop_v6: drop_v6.to_owned(),
        }
    }
}

/// The server; it ends with the process.
#[derive(Clone, Debug)]
pub struct Feeds {
    port: u16,
    published: Arc<Mutex<Published>>,
}

impl Feeds {
    /// Serve on a free port of 127.0.0.1.
    pub async fn serve(published: Published) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("no feed server on 127.0.0.1: {error}");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let published = Arc::new(Mutex::new(published));
        let feeds = Self {
            port,
            published: published.clone(),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let published = published.clone();
                let answer = hyper::service::service_fn(move |request| {
                    let now = published
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .clone();
                    async move { Ok::<_, Infallible>(answer(&request, &now)) }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), answer));
            }
        });
        Ok(feeds)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on serve this.
    pub fn publish(&self, new: Published) {
        *self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = new;
    }
}

fn answer(request: &Request<Incoming>, published: &Published) -> Response<Full<Bytes>> {
    let body = match request.uri().path() {
        "/drop_v4.json" => &published.drop_v4,
        "/dropv6.txt" => &published.drop_v6,
        _ => return with_status(StatusCode::NOT_FOUND),
    };
    let etag = format!("\"{}\"", digest::of(body.as_bytes()));
    if request
        .headers()
        .get(IF_NONE_MATCH)
        .is_some_and(|named| named.as_bytes() == etag.as_bytes())
    {
        return with_status(StatusCode::NOT_MODIFIED);
    }
    let mut response = Response::new(Full::from(body.clone()));
    if let Ok(etag) = etag.parse() {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

fn with_status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
