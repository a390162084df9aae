//! Connecting to a host by name (I/O): which of its addresses are tried, and which of them
//! answered.
//!
//! The DNS server of a name chooses its addresses, and an address that is connected to must not be
//! dropped. So addresses inside prefixes in force are tried last and one at a time: the pass opens
//! one, and only then the client connects to it. Whether it stays open depends on what the server
//! proves.
//!
//! ```text
//!  resolve ──► not listed: offered to the client all at once ──► connected ──┐
//!     └──────► listed: ask the pass to open one ──► connected ───────────────┴──► proven: the pass is notified
//!                            ▲                  └── failed: closed again
//!                            └── the next ◄─────────────┘
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;
use tokio::sync::{mpsc, oneshot};

/// An address of a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostAddress {
    /// The name, as the client requested it.
    pub name: String,
    /// One of its addresses.
    pub ip: IpAddr,
}

/// A request or a message of a download to the pass.
#[derive(Debug)]
pub enum AddressRequest {
    /// Which of these addresses are dropped now.
    Which(Vec<IpAddr>, oneshot::Sender<Vec<IpAddr>>),
    /// This address is connected to next: the answer is sent when it is no longer dropped, or
    /// `false`.
    Open(HostAddress, oneshot::Sender<bool>),
    /// It is no longer in use.
    Close(HostAddress),
    /// The server there proved the name, or answered completely.
    Proven(HostAddress),
}

/// The downloads' end of the channel to the pass.
#[derive(Clone, Debug)]
pub struct AddressRequester(mpsc::UnboundedSender<AddressRequest>);

impl AddressRequester {
    /// Both ends of the channel.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<AddressRequest>) {
        let (send, asked) = mpsc::unbounded_channel();
        (Self(send), asked)
    }

    /// After the end of the pass there is no answer.
    fn send(&self, asked: AddressRequest) {
        let _ = self.0.send(asked);
    }

    async fn which(&self, ips: &[IpAddr]) -> Vec<IpAddr> {
        let (answer, answered) = oneshot::channel();
        self.send(AddressRequest::Which(ips.to_vec(), answer));
        answered.await.unwrap_or_default()
    }

    async fn open(&self, place: HostAddress) -> Option<OpenAddress> {
        let (answer, answered) = oneshot::channel();
        let opened = OpenAddress {
            requester: self.clone(),
            place,
        };
        self.send(AddressRequest::Open(opened.place.clone(), answer));
        answered.await.unwrap_or_default().then_some(opened)
    }

    /// Open an address that is already connected to, without waiting.
    fn hold(&self, place: HostAddress) -> OpenAddress {
        let (answer, _) = oneshot::channel();
        self.send(AddressRequest::Open(place.clone(), answer));
        OpenAddress {
            requester: self.clone(),
            place,
        }
    }
}

/// An address that is not dropped while this lives.
#[derive(Debug)]
struct OpenAddress {
    requester: AddressRequester,
    place: HostAddress,
}

impl Drop for OpenAddress {
    fn drop(&mut self) {
        self.requester
            .send(AddressRequest::Close(self.place.clone()));
    }
}

tokio::task_local! {
    /// The addresses of the current request.
    static WAY: ConnectAttempts;
}

/// The addresses of one request to its host.
#[derive(Clone, Debug)]
pub(super) struct ConnectAttempts(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    requester: AddressRequester,
    name: String,
    /// Offered to the client in its next attempt.
    offered: Vec<IpAddr>,
    /// Dropped now; each must be opened first.
    closed: VecDeque<IpAddr>,
    /// The address that is connected to, and not dropped meanwhile.
    opened: Option<OpenAddress>,
    resolved: bool,
}

impl ConnectAttempts {
    pub(super) fn new(requester: AddressRequester) -> Self {
        Self(Arc::new(Mutex::new(State {
            requester,
            name: String::new(),
            offered: Vec::new(),
            closed: VecDeque::new(),
            opened: None,
            resolved: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Send a request to these addresses.
    pub(super) async fn send<F: Future>(&self, request: F) -> F::Output {
        WAY.scope(self.clone(), request).await
    }

    /// After a failed attempt: open the next address that is dropped now. Returns `false` if all
    /// have been tried.
    pub(super) async fn next(&self) -> bool {
        loop {
            let (requester, place) = {
                let mut state = self.state();
                let Some(ip) = state.closed.pop_front() else {
                    return false;
                };
                // One at a time: the failed one is closed before the next is opened.
                state.opened = None;
                let name = state.name.clone();
                (state.requester.clone(), HostAddress { name, ip })
            };
            let ip = place.ip;
            let opened = requester.open(place).await;
            if opened.is_some() {
                let mut state = self.state();
                state.opened = opened;
                state.offered = vec![ip];
                return true;
            }
        }
    }

    /// The peer answered: it is not dropped until the fetch ends.
    pub(super) fn answered(&self, peer: Option<SocketAddr>) {
        let mut state = self.state();
        let Some(ip) = peer.map(|peer| peer.ip().to_canonical()) else {
            return;
        };
        let known = state.offered.iter().any(|one| one.to_canonical() == ip);
        let same = |opened: &OpenAddress| opened.place.ip.to_canonical() == ip;
        if known && !state.opened.as_ref().is_some_and(same) {
            let name = state.name.clone();
            state.opened = Some(state.requester.hold(HostAddress { name, ip }));
        }
    }

    /// The peer proved to be the host, or answered completely.
    pub(super) fn proven(&self) {
        let state = self.state();
        if let Some(opened) = &state.opened {
            state
                .requester
                .send(AddressRequest::Proven(opened.place.clone()));
        }
    }

    async fn resolve(self, name: String) -> Result<Vec<IpAddr>, Error> {
        if self.state().resolved {
            return self.offered();
        }
        let mut found: Vec<IpAddr> = Vec::new();
        for address in lookup_host((name.as_str(), 0)).await? {
            if !found.contains(&address.ip()) {
                found.push(address.ip());
            }
        }
        let requester = self.state().requester.clone();
        let closed = requester.which(&found).await;
        {
            let mut state = self.state();
            state.resolved = true;
            state.name = name;
            let (closed, offered): (VecDeque<_>, VecDeque<_>) =
                found.iter().partition(|ip| closed.contains(ip));
            (state.closed, state.offered) = (closed, offered.into());
        }
        self.offered()
    }

    fn offered(&self) -> Result<Vec<IpAddr>, Error> {
        let state = self.state();
        match state.offered.is_empty() && !state.closed.is_empty() {
            true => Err(Box::new(Dropped(state.name.clone()))),
            false => Ok(state.offered.clone()),
        }
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Every address of a name is dropped, and none has been opened yet.
#[derive(Debug)]
struct Dropped(String);

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        write!(
            f,
            "every address of {name} is in a listed prefix, and none of them can be protected now"
        )
    }
}

impl std::error::Error for Dropped {}

/// Resolves names on the [`ConnectAttempts`] of the current request.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnTheWay;

impl Resolve for OnTheWay {
    fn resolve(&self, name: Name) -> Resolving {
        let way = WAY.try_with(ConnectAttempts::clone);
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let ips = match way {
                Ok(way) => way.resolve(name).await?,
                // A request without a way.
                Err(_) => {
                    let found = lookup_host((name.as_str(), 0)).await?;
                    found.map(|address| address.ip()).collect()
                }
            };
            let found = ips.into_iter().map(|ip| SocketAddr::new(ip, 0));
            let found: Addrs = Box::new(found);
            Ok(found)
        })
    }
}
