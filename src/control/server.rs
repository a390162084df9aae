//! The server: a thread of its own, bounded in connections, bytes and time (I/O).

use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::ACCEPT;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::unistd::{Uid, User};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};

use super::answer::{Answer, json, lines, refusal};
use super::output::Pieces;
use super::request::{Bad, ReplyFormat, route};
use super::socket::{NoSocket, Socket};
use super::{
    Access, Author, CONFIG, Change, INSTANCE, Job, Outlet, OutputPiece, Question, Queue, Rights,
    Turn, UNTIL, WHO,
};
use crate::config::Config;
use crate::pass::Site;
use crate::pass::inputs::{Published, Reading};
use crate::pass::keeper::Keeper;
use crate::run_dir::{self, RunDir};
use crate::shown;

/// At most this many connections at a time, and this many from one user other than root.
const CONNECTIONS: usize = 64;
const OF_ONE_USER: usize = 16;
/// At most this many questions are answered at a time.
const ANSWERS: usize = 4;
/// Longest head and body of a request, in bytes.
const HEAD: usize = 16 << 10;
const BODY: usize = 64 << 10;
/// Time limit for the head and for the body of a request.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time limit for a client to take the end of an answer.
const LINGER: Duration = Duration::from_secs(10);
/// Longest wait for the thread that makes passes to take a change.
pub(super) const TAKE: Duration = Duration::from_secs(2);
/// How often the mode of the socket is looked after.
const TIDY: Duration = Duration::from_secs(60);
/// Delay after a connection that could not be accepted.
const RETRY: Duration = Duration::from_millis(100);

/// What the verbs do, which the command line knows.
pub trait Verbs: Send + Sync {
    /// Answer a question. Ends with [`Said::Exit`] or [`Said::Alone`].
    fn answer(&self, question: &Question, from: (Reading, Keeper), outlet: &Outlet);

    /// Make a change. Ends in the same way.
    fn change<'a>(
        &'a self,
        job: &'a Job,
        site: &'a mut dyn Site,
    ) -> Pin<Box<dyn Future<Output = ()> + 'a>>;
}

/// What the server needs of the daemon.
#[derive(Clone)]
pub struct Control {
    /// The state directory that it serves.
    pub state_dir: PathBuf,
    /// The configuration in use.
    pub config: Arc<dyn Fn() -> Arc<Config> + Send + Sync>,
    /// What the passes have in memory.
    pub published: Published,
    /// What is known of the routes of this machine.
    pub keeper: Keeper,
    /// The changes that wait for the thread that makes passes.
    pub queue: Queue,
    /// What the verbs do.
    pub verbs: Arc<dyn Verbs>,
}

/// A server at work. Its socket goes with this.
pub struct Serving(Arc<Socket>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.remove();
    }
}

/// Serve in a thread of its own, as long as the process.
///
/// # Errors
/// There is no socket.
pub fn serve(control: Control) -> Result<Serving, NoSocket> {
    let run_dir = RunDir::here();
    let (listener, socket) = Socket::bind(&run_dir, &control.state_dir)?;
    let socket = Arc::new(socket);
    let serving = Serving(socket.clone());
    let failed = |error| NoSocket::Failed(serving.0.path().to_owned(), error);
    listener.set_nonblocking(true).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let server = Server {
        control,
        run_dir,
        socket,
        rights: Mutex::default(),
        logged: Mutex::default(),
        answers: Arc::new(Semaphore::new(ANSWERS)),
        users: Mutex::default(),
    };
    let thread = std::thread::Builder::new().name("control".to_owned());
    let work = move || runtime.block_on(Arc::new(server).accept(listener));
    thread.spawn(work).map_err(failed)?;
    Ok(serving)
}

struct Server {
    control: Control,
    run_dir: RunDir,
    socket: Arc<Socket>,
    /// The rights by this configuration.
    rights: Mutex<Option<(Arc<Config>, Rights)>>,
    /// What was logged last of the group of the socket.
    logged: Mutex<Option<String>>,
    answers: Arc<Semaphore>,
    /// The uid of each connection.
    users: Mutex<Vec<u32>>,
}

impl Server {
    async fn accept(self: Arc<Self>, listener: std::os::unix::net::UnixListener) {
        let listener = match UnixListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!("control  no connections are accepted: {error}"),
        };
        self.rights();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = sleep(TIDY) => {
                    // systemd-tmpfiles may have given the socket back to its owner alone.
                    self.forget_rights();
                    self.rights();
                    continue;
                }
            };
            let Ok((stream, _)) = accepted else {
                sleep(RETRY).await;
                continue;
            };
            let Ok(peer) = stream.peer_cred() else {
                continue;
            };
            // One too many is closed: its verb does the work itself.
            if let Some(guest) = Guest::admit(&self, peer.uid()) {
                let server = self.clone();
                tokio::spawn(async move { server.converse(stream, guest).await });
            }
        }
    }

    /// One request, and its answer.
    async fn converse(self: Arc<Self>, stream: UnixStream, guest: Guest) {
        let uid = guest.uid;
        let answered = Arc::new(Notify::new());
        let service = service_fn(|request| {
            let (server, answered) = (self.clone(), answered.clone());
            async move { Ok::<_, Infallible>(server.handle(request, uid, answered).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_buf_size(HEAD)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        let lingers = async {
            answered.notified().await;
            sleep(LINGER).await;
        };
        tokio::select! {
            // A client that breaks off is no news.
            _ = connection => {}
            () = lingers => {}
        }
    }

    async fn handle(&self, request: Request<Incoming>, uid: u32, answered: Arc<Notify>) -> Answer {
        let answer = self.respond(request, uid, &answered).await;
        answer.unwrap_or_else(|(status, why)| {
            answered.notify_one();
            refusal(status, &why)
        })
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
        uid: u32,
        answered: &Arc<Notify>,
    ) -> Result<Answer, (StatusCode, String)> {
        let bad = |bad: Bad| {
            let status = match bad {
                Bad::Path => StatusCode::NOT_FOUND,
                Bad::Method => StatusCode::METHOD_NOT_ALLOWED,
                Bad::Content(_) => StatusCode::BAD_REQUEST,
            };
            (status, bad.to_string())
        };
        let (head, body) = request.into_parts();
        let (verb, changes) = route(head.method.as_str(), head.uri.path()).map_err(bad)?;
        let access = match changes {
            true => Access::Write,
            false => Access::Read,
        };
        let permitted = self.rights().permit(uid, access);
        permitted.map_err(|no| (StatusCode::FORBIDDEN, no.to_string()))?;
        self.is_meant(&head.headers)?;
        let form = ReplyFormat::read(text(&head.headers, ACCEPT.as_str()).unwrap_or_default());
        let view = match form {
            // What is asked for is the JSON of the verb.
            ReplyFormat::Json => super::View { json: true },
            ReplyFormat::Lines(view) => view,
        };
        let pieces = match changes {
            false => {
                let question = Question::read(verb, head.uri.query().unwrap_or_default());
                let config = text(&head.headers, CONFIG);
                self.ask(question.map_err(bad)?, config, view).await?
            }
            true => {
                let body = timeout(PATIENCE, Limited::new(body, BODY).collect()).await;
                let body = body.map_err(|_| {
                    let why = "the body did not come in time; nothing was changed";
                    (StatusCode::REQUEST_TIMEOUT, why.to_owned())
                })?;
                let body = body.map_err(|_| {
                    let why = format!("more than {BODY} bytes, or broken off; nothing was changed");
                    (StatusCode::PAYLOAD_TOO_LARGE, why)
                })?;
                let change = Change::read(verb, &body.to_bytes()).map_err(bad)?;
                self.queue(change, (uid, &head.headers), view).await?
            }
        };
        match form {
            ReplyFormat::Lines(_) => Ok(lines(pieces, answered.clone())),
            ReplyFormat::Json => {
                let answer = json(pieces).await;
                answered.notify_one();
                Ok(answer)
            }
        }
    }

    /// Whether this daemon is the one that the verb means.
    fn is_meant(&self, headers: &HeaderMap) -> Result<(), (StatusCode, String)> {
        let meant = text(headers, INSTANCE);
        let ours = run_dir::instance(&self.control.state_dir);
        match meant {
            Some(meant) if ours.as_deref() != Some(meant) => {
                let why = "this daemon has another state directory or network namespace";
                Err((StatusCode::MISDIRECTED_REQUEST, why.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Answer a question in a thread of its own, from what is in memory.
    async fn ask(
        &self,
        question: Question,
        config: Option<&str>,
        view: super::View,
    ) -> Result<(Option<OutputPiece>, Pieces), (StatusCode, String)> {
        let busy = |why: &str| (StatusCode::SERVICE_UNAVAILABLE, why.to_owned());
        let permit = self.answers.clone().try_acquire_owned();
        let permit = permit.map_err(|_| busy("too many questions at a time; try again"))?;
        let reading = self.control.published.read();
        let reading = reading.ok_or_else(|| busy("the first pass has not ended; try again"))?;
        if config.is_some_and(|config| config != reading.fingerprint) {
            return Err(busy("the daemon has read another configuration"));
        }
        let (outlet, mut pieces) = Outlet::patient(view);
        let verbs = self.control.verbs.clone();
        let keeper = self.control.keeper.clone();
        let answer = move || {
            verbs.answer(&question, (reading, keeper), &outlet);
            drop(permit);
        };
        let thread = std::thread::Builder::new().name("answer".to_owned());
        let begun = thread.spawn(answer);
        begun.map_err(|error| busy(&format!("no thread: {error}")))?;
        // What is not answered from memory says so before anything else.
        match pieces.next().await {
            Some(OutputPiece::Alone) | None => Err(busy("not in memory; try again")),
            first => Ok((first, pieces)),
        }
    }

    /// Put a change into the queue, and wait until it is taken.
    async fn queue(
        &self,
        change: Change,
        (uid, headers): (u32, &HeaderMap),
        view: super::View,
    ) -> Result<(Option<OutputPiece>, Pieces), (StatusCode, String)> {
        let busy = || {
            let why = "the daemon is busy with a pass; nothing was changed, try again";
            (StatusCode::SERVICE_UNAVAILABLE, why.to_owned())
        };
        let until = text(headers, UNTIL).and_then(|until| until.parse().ok());
        let left = until.map_or(TAKE, |until: u64| {
            TAKE.min(Duration::from_millis(until.saturating_sub(monotonic())))
        });
        // The verb does it itself by now.
        if left.is_zero() {
            return Err(busy());
        }
        let known = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        let author = Author::of_peer(uid, text(headers, WHO), known.map(|user| user.name));
        let author = Author {
            name: shown::clipped(&author.name, Author::LONGEST),
            ..author
        };
        let ours = self.control.published.fingerprint();
        let config = text(headers, CONFIG).filter(|config| ours.as_deref() != Some(config));
        let (outlet, mut pieces) = Outlet::impatient(view);
        let turn = Turn::default();
        let withdrawn = WithdrawnAtEnd(turn.clone());
        let job = Job {
            change,
            author,
            config: config.map(str::to_owned),
            outlet,
            turn: turn.clone(),
        };
        if !self.control.queue.push(job) {
            return Err(busy());
        }
        let first = match timeout(left, pieces.next()).await {
            Ok(first) => first,
            Err(_) if turn.withdraw() => return Err(busy()),
            // Taken in this moment.
            Err(_) => pieces.next().await,
        };
        drop(withdrawn);
        match first {
            Some(OutputPiece::Taken) => {}
            Some(OutputPiece::Alone) | None => return Err(busy()),
            Some(_) => {}
        }
        Ok((first, pieces))
    }

    /// Who may change something, by the configuration in use. Where that is new, the socket gets
    /// its group.
    fn rights(&self) -> Rights {
        let config = (self.control.config)();
        let mut known = self.rights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, rights)) = known.as_ref()
            && Arc::ptr_eq(of, &config)
        {
            return rights.clone();
        }
        let daemon = &config.daemon;
        let given = self.socket.give_to(&self.run_dir, daemon.group.as_deref());
        self.log_once(given.err());
        let rights = Rights {
            own: Uid::effective().as_raw(),
            writers: daemon.writers.iter().filter_map(|name| uid(name)).collect(),
        };
        *known = Some((config, rights.clone()));
        rights
    }

    fn forget_rights(&self) {
        *self.rights.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Log why the socket is not open to the group, unless that was logged last.
    fn log_once(&self, why: Option<String>) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = why.as_ref().filter(|why| logged.as_ref() != Some(why)) {
            tracing::warn!("control  {why}");
        }
        *logged = why;
    }
}

/// The uid of a user that the configuration names.
fn uid(name: &str) -> Option<u32> {
    let user = User::from_name(name).ok().flatten();
    user.map(|user| user.uid.as_raw())
}

/// A change whose client has gone before it was taken is not made.
struct WithdrawnAtEnd(Turn);

impl Drop for WithdrawnAtEnd {
    fn drop(&mut self) {
        self.0.withdraw();
    }
}

/// One of the connections.
struct Guest {
    server: Arc<Server>,
    uid: u32,
}

impl Guest {
    fn admit(server: &Arc<Server>, uid: u32) -> Option<Self> {
        let mut users = server.users.lock().unwrap_or_else(PoisonError::into_inner);
        let of_this = users.iter().filter(|user| **user == uid).count();
        if users.len() >= CONNECTIONS || uid != 0 && of_this >= OF_ONE_USER {
            return None;
        }
        users.push(uid);
        Some(Self {
            server: server.clone(),
            uid,
        })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let users = &self.server.users;
        let mut users = users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = users.iter().position(|user| *user == self.uid) {
            users.swap_remove(at);
        }
    }
}

/// The monotonic clock, which the processes of a machine share, in milliseconds.
pub(super) fn monotonic() -> u64 {
    use nix::time::{ClockId, clock_gettime};
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from);
    now.map_or(0, |now| now.as_millis() as u64)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
}
