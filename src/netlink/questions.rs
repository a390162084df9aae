//! Many requests for information, packed into one `send` (I/O).
//!
//! A question is a request without `NLM_F_ACK` that has exactly one answer: a message, or an error.
//! The answers are matched by sequence number. If the socket overflows (`ENOBUFS`) answers are
//! lost, and the unanswered questions are asked again in smaller pieces.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use netlink_packet_core::NetlinkSerializable;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{AsyncSocket, AsyncSocketExt, TokioSocket};
use nix::errno::Errno;
use tokio::time::timeout;

use super::message::{self, NLMSG_ERROR};
use super::{DATAGRAM, make_room};

/// At most this many questions in one `send`: their answers, if they are errors, fit the receive
/// buffer that an unprivileged process may have (`net.core.rmem_max`).
const MOST: usize = 256;
/// After this many complete pieces a larger one is tried.
const WELL: usize = 16;
/// Size of the receive buffer for answers, in bytes.
const ROOM: usize = 4 << 20;
/// The kernel answers within the `send`, so after this time no answer is coming.
const WAIT: Duration = Duration::from_secs(5);
/// A single question is asked this often.
const TRIES: usize = 3;

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// A message: its type and the bytes after the header.
    Message(u16, &'a [u8]),
    Error(Errno),
}

/// A socket for questions.
pub struct Questions {
    socket: TokioSocket,
    buffer: Vec<u8>,
    /// The sequence number of the next question; 0 is never used.
    sequence: u32,
    /// Questions in the next piece.
    size: usize,
    /// Complete pieces since the last incomplete one.
    well: usize,
}

/// The answers to a piece.
struct Piece {
    first: u32,
    answered: Vec<bool>,
    left: usize,
}

impl Questions {
    /// Open a socket.
    ///
    /// # Errors
    /// No socket can be opened.
    pub fn open() -> io::Result<Self> {
        Self::with_room(ROOM)
    }

    fn with_room(bytes: usize) -> io::Result<Self> {
        let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
        // Errors do not repeat the question, so that more of them fit. A kernel without this option
        // (before 4.3) repeats it.
        let _ = socket.socket_ref().set_cap_ack(true);
        make_room(socket.socket_ref(), bytes);
        socket.socket_mut().bind_auto()?;
        Ok(Self {
            socket,
            buffer: Vec::with_capacity(DATAGRAM),
            sequence: 1,
            size: MOST,
            well: 0,
        })
    }

    /// Ask all questions and pass on every answer once, with the index of its question, in any
    /// order.
    ///
    /// # Errors
    /// The socket fails, or the kernel does not answer one question ([`io::ErrorKind::TimedOut`]).
    pub async fn ask<M: NetlinkSerializable + Clone>(
        &mut self,
        questions: &[M],
        mut answer: impl FnMut(usize, Reply<'_>),
    ) -> io::Result<()> {
        let mut open: VecDeque<usize> = (0..questions.len()).collect();
        let mut alone = 0;
        while !open.is_empty() {
            let count = open.len().min(self.size);
            let asked: Vec<usize> = open.drain(..count).collect();
            let mut piece = self.send(questions, &asked).await?;
            let whole = self
                .receive(&mut piece, |at, reply| answer(asked[at], reply))
                .await?;
            if whole {
                alone = 0;
                self.well += 1;
                if self.well >= WELL {
                    (self.size, self.well) = ((self.size * 2).min(MOST), 0);
                }
                continue;
            }
            alone += usize::from(count == 1);
            if alone >= TRIES {
                return Err(io::ErrorKind::TimedOut.into());
            }
            (self.size, self.well) = ((self.size / 2).max(1), 0);
            let unanswered = asked.iter().zip(&piece.answered);
            let unanswered = unanswered.filter(|(_, answered)| !**answered).rev();
            unanswered.for_each(|(question, _)| open.push_front(*question));
        }
        Ok(())
    }

    async fn send<M: NetlinkSerializable + Clone>(
        &mut self,
        questions: &[M],
        asked: &[usize],
    ) -> io::Result<Piece> {
        let count = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        if self.sequence.checked_add(count).is_none() {
            self.sequence = 1;
        }
        let first = self.sequence;
        self.sequence += count;
        let mut bytes = Vec::new();
        for (question, sequence) in asked.iter().zip(first..) {
            bytes.extend(message::packed(questions[*question].clone(), 0, sequence));
        }
        self.socket.send(&bytes).await?;
        Ok(Piece {
            first,
            answered: vec![false; asked.len()],
            left: asked.len(),
        })
    }

    /// Read the answers of a piece. Returns whether all arrived.
    async fn receive(
        &mut self,
        piece: &mut Piece,
        mut answer: impl FnMut(usize, Reply<'_>),
    ) -> io::Result<bool> {
        let mut overflown = false;
        while piece.left > 0 {
            self.buffer.clear();
            let received = match self.socket.socket_ref().recv(&mut self.buffer, 0) {
                // Once there is nothing left to read, the missing answers are lost.
                Err(error) if would_block(&error) && overflown => return Ok(false),
                Err(error) if would_block(&error) => {
                    match timeout(WAIT, self.socket.recv(&mut self.buffer)).await {
                        Ok(received) => received,
                        Err(_) => return Ok(false),
                    }
                }
                received => received.map(drop),
            };
            match received {
                Ok(()) => piece.read(&self.buffer, &mut answer)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => {
                    overflown = true;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

impl Piece {
    fn read(
        &mut self,
        datagram: &[u8],
        answer: &mut impl FnMut(usize, Reply<'_>),
    ) -> io::Result<()> {
        for message in message::messages(datagram) {
            let message = message?;
            // A late answer to an earlier piece that was given up: its question was asked again.
            let at = message.sequence.wrapping_sub(self.first) as usize;
            let Some(answered) = self.answered.get_mut(at) else {
                continue;
            };
            if std::mem::replace(answered, true) {
                continue;
            }
            self.left -= 1;
            let reply = match message.kind {
                NLMSG_ERROR => {
                    let outcome = message::outcome(message.payload);
                    Reply::Error(outcome.err().unwrap_or(Errno::UnknownErrno))
                }
                kind => Reply::Message(kind, message.payload),
            };
            answer(at, reply);
        }
        Ok(())
    }
}

fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage};
    use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

    use super::*;
    use crate::netlink::message::RTM_NEWROUTE;

    fn question(address: Ipv4Addr) -> RouteNetlinkMessage {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.destination_prefix_length = 32;
        let destination = RouteAddress::Inet(address);
        message.attributes = vec![RouteAttribute::Destination(destination)];
        RouteNetlinkMessage::GetRoute(message)
    }

    fn ask(room: usize, count: u32) -> (Vec<u32>, usize) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            // The test only asks, and every machine has a loopback interface.
            let mut questions = Questions::with_room(room).unwrap();
            let asked: Vec<_> = (0..count)
                .map(|at| question(Ipv4Addr::from(0x7f00_0000 + at)))
                .collect();
            let mut answers = vec![0; count as usize];
            let answered = questions.ask(&asked, |at, reply| {
                if let Reply::Message(RTM_NEWROUTE, payload) = reply {
                    message::attributes(&payload[12..], |kind, value| {
                        let expected = Ipv4Addr::from(0x7f00_0000 + at as u32);
                        assert!(kind != 1 || value == expected.octets(), "{at}");
                    });
                }
                answers[at] += 1;
            });
            answered.await.unwrap();
            (answers, questions.size)
        })
    }

    #[test]
    fn every_question_is_answered_once_however_small_the_buffer() {
        let (answers, size) = ask(1, 2_000);
        assert!(answers.iter().all(|count| *count == 1));
        assert!(size < MOST, "the buffer has overflown: {size}");
        assert_eq!(ask(ROOM, 1).0, [1]);
        assert!(ask(ROOM, 0).0.is_empty());
    }

    #[test]
    fn late_and_repeated_answers_are_not_taken_twice() {
        let mut piece = Piece {
            first: 10,
            answered: vec![false; 2],
            left: 2,
        };
        let error = |sequence: u32, code: i32| {
            let mut bytes = 20_u32.to_ne_bytes().to_vec();
            bytes.extend([2, 0, 0, 0]);
            bytes.extend(sequence.to_ne_bytes());
            bytes.extend(0_u32.to_ne_bytes());
            bytes.extend(code.to_ne_bytes());
            bytes
        };
        let mut answers = Vec::new();
        for (sequence, code) in [(9, -22), (12, -22), (11, -22), (11, -13), (10, -113)] {
            let mut answer = |at, reply: Reply<'_>| answers.push(format!("{at} {reply:?}"));
            piece.read(&error(sequence, code), &mut answer).unwrap();
        }
        assert_eq!(answers, ["1 Error(EINVAL)", "0 Error(EHOSTUNREACH)"]);
        assert_eq!(piece.left, 0);
    }
}
