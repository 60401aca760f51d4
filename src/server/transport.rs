//! What a connection runs over: a socket, or anything that reads and writes asynchronously.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};

use crate::pubsub::outbox::DirectWrite;

/// Bytes in both directions.
pub trait Transport: Send + Unpin + 'static {
    /// Reads what is there; nothing read and no error is the end.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>>;
    /// Writes what fits.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;
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
        }

        impl $name {
            /// Takes the socket over.
            pub fn new(stream: $stream) -> $name {
                let (read, write) = stream.into_split();
                $name { read, write: Arc::new(write) }
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
                // This one forgets its readiness after a read that did not fill the buffer, which saves the read that
                // would only find out that nothing is left.
                Pin::new(&mut self.read).poll_read(cx, buffer)
            }

            #[inline]
            fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
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

    fn direct_writer(&self) -> Option<Arc<dyn DirectWrite>> {
        None
    }
}
