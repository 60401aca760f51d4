//! What a connection runs over: a socket, or anything that reads and writes asynchronously.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};

use crate::pubsub::outbox::DirectWrite;

/// Bytes in both directions.
pub trait Transport: Send + Unpin + 'static {
    /// Reads what is there; nothing read and no error is the end.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>>;
    /// Writes what fits.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;
    /// From now on reads and writes go past the runtime's watch over the socket, or not any more; false where they
    /// cannot.
    fn bypass(&mut self, is_bypassed: bool) -> bool;
    /// The way for other threads to write, if there is one.
    fn direct_writer(&self) -> Option<Arc<dyn DirectWrite>>;
}

/// A kind of socket. Its halves are used apart so that a publisher's thread can write to it.
macro_rules! socket {
    ($(#[$doc:meta])* $name:ident, $stream:ty, $read:ty, $write:ty) => {
        $(#[$doc])*
        pub struct $name {
            read: $read,
            write: Arc<$write>,
            is_bypassed: bool,
        }

        impl $name {
            /// Takes the socket over.
            pub fn new(stream: $stream) -> $name {
                let (read, write) = stream.into_split();
                $name { read, write: Arc::new(write), is_bypassed: false }
            }
        }

        impl DirectWrite for $write {
            fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
                <$write>::try_write(self, bytes)
            }
        }

        impl Transport for $name {
            #[inline]
            fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                if self.is_bypassed {
                    return read_now(self.read.as_ref(), buffer);
                }
                // This one forgets its readiness after a read that did not fill the buffer, which saves the read that
                // would only find out that nothing is left.
                Pin::new(&mut self.read).poll_read(cx, buffer)
            }

            #[inline]
            fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
                if self.is_bypassed {
                    let stream: &$stream = self.write.as_ref().as_ref();
                    return write_now(stream, bytes);
                }
                loop {
                    match self.write.try_write(bytes) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            let stream: &$stream = self.write.as_ref().as_ref();
                            ready!(stream.poll_write_ready(cx))?;
                        }
                        result => return Poll::Ready(result),
                    }
                }
            }

            fn bypass(&mut self, is_bypassed: bool) -> bool {
                self.is_bypassed = is_bypassed;
                true
            }

            fn direct_writer(&self) -> Option<Arc<dyn DirectWrite>> {
                Some(self.write.clone())
            }
        }
    };
}

socket!(
    /// A TCP socket.
    Tcp,
    TcpStream,
    tcp::OwnedReadHalf,
    tcp::OwnedWriteHalf
);

socket!(
    /// A Unix socket.
    Unix,
    UnixStream,
    unix::OwnedReadHalf,
    unix::OwnedWriteHalf
);

/// Reads what the system has for a socket, whatever its runtime knows of it.
#[cold]
fn read_now(stream: &impl AsFd, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    let read = (&*SockRef::from(stream)).read(buffer.initialize_unfilled());
    now(read.map(|n| buffer.advance(n)))
}

/// Writes what the system takes.
#[cold]
fn write_now(stream: &impl AsFd, bytes: &[u8]) -> Poll<io::Result<usize>> {
    now((&*SockRef::from(stream)).write(bytes))
}

fn now<R>(result: io::Result<R>) -> Poll<io::Result<R>> {
    match result {
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Poll::Pending,
        other => Poll::Ready(other),
    }
}

/// Any other stream; only its own task writes to it.
pub struct Stream<S>(pub S);

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for Stream<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.0).poll_write(cx, bytes))?;
        // Buffered streams (TLS) send when they are flushed; what they cannot send now they keep.
        match Pin::new(&mut self.0).poll_flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(written)),
        }
    }

    /// What has arrived only its own layers know.
    fn bypass(&mut self, _: bool) -> bool {
        false
    }

    fn direct_writer(&self) -> Option<Arc<dyn DirectWrite>> {
        None
    }
}
