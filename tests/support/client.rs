//! A blocking client: commands out, replies in, and the raw bytes where a test wants those.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::{PATIENCE, Reply, encode, words};

/// One connection. Every read fails the test after [`PATIENCE`] instead of hanging it.
pub struct Client {
    input: BufReader<TcpStream>,
    output: TcpStream,
}

impl Client {
    /// Connects, or says why not.
    pub fn try_connect(address: SocketAddr) -> io::Result<Client> {
        let output = TcpStream::connect(address)?;
        output.set_nodelay(true)?;
        output.set_read_timeout(Some(PATIENCE))?;
        output.set_write_timeout(Some(PATIENCE))?;
        Ok(Client { input: BufReader::with_capacity(1 << 16, output.try_clone()?), output })
    }

    /// Whether the server is still loading its data; a server that says so of nothing else is not.
    pub fn is_loading(&mut self) -> bool {
        let asked = self.try_write(b"PING\r\n").and_then(|()| self.try_read());
        matches!(asked, Ok(Reply::Error(text)) if text.starts_with(b"LOADING"))
    }

    /// Sends one command and reads its reply.
    pub fn call<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Reply {
        self.send(arguments);
        self.read()
    }

    /// Sends one command given as words without quoting, and reads its reply.
    pub fn line(&mut self, line: &str) -> Reply {
        self.call(&words(line))
    }

    /// Sends one command.
    pub fn send<A: AsRef<[u8]>>(&mut self, arguments: &[A]) {
        let mut bytes = Vec::new();
        encode(arguments, &mut bytes);
        self.write(&bytes);
    }

    /// Sends bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).expect("the server takes the bytes");
    }

    /// Sends bytes as they are; the server may have closed.
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)
    }

    /// Reads one reply.
    pub fn read(&mut self) -> Reply {
        self.try_read().expect("a reply")
    }

    /// Reads one reply, or says why there is none.
    pub fn try_read(&mut self) -> io::Result<Reply> {
        Reply::read(&mut self.input)
    }

    /// Sends these bytes, which hold `count` commands, and reads the replies.
    pub fn pipeline(&mut self, bytes: &[u8], count: usize) -> io::Result<Vec<Reply>> {
        let mut replies = Vec::with_capacity(count);
        self.pipeline_into(bytes, count, &mut replies).map(|()| replies)
    }

    /// The same; after an error `replies` holds those that came before it.
    ///
    /// Long requests are sent by another thread, so that neither side fills the other's buffers and waits for it.
    pub fn pipeline_into(&mut self, bytes: &[u8], count: usize, replies: &mut Vec<Reply>) -> io::Result<()> {
        let mut output = self.output.try_clone()?;
        std::thread::scope(|scope| {
            if bytes.len() < 16 << 10 {
                output.write_all(bytes)?;
            } else {
                scope.spawn(move || output.write_all(bytes));
            }
            (0..count).try_for_each(|_| {
                replies.push(Reply::read(&mut self.input)?);
                Ok(())
            })
        })
    }

    /// Sends many commands at once and reads all their replies.
    pub fn batch<A: AsRef<[u8]>>(&mut self, commands: &[Vec<A>]) -> Vec<Reply> {
        let mut bytes = Vec::new();
        commands.iter().for_each(|command| encode(command, &mut bytes));
        self.pipeline(&bytes, commands.len()).expect("as many replies as commands")
    }

    /// Reads exactly so many bytes, or what came before the server closed.
    pub fn read_bytes(&mut self, count: usize) -> Vec<u8> {
        let mut data = Vec::new();
        let outcome = (&mut self.input).take(count as u64).read_to_end(&mut data);
        match outcome {
            Err(e) if e.kind() != io::ErrorKind::ConnectionReset => {
                panic!("{e} after {} of {count} bytes: \"{}\"", data.len(), data.escape_ascii())
            }
            _ => data,
        }
    }

    /// Reads until the server closes the connection.
    pub fn read_to_close(&mut self) -> Vec<u8> {
        self.read_bytes(usize::MAX)
    }

    /// Whether nothing more arrives within this time.
    pub fn is_silent(&mut self, time: Duration) -> bool {
        if !self.input.buffer().is_empty() {
            return false;
        }
        self.output.set_read_timeout(Some(time)).expect("a timeout can be set");
        let outcome = self.output.peek(&mut [0]);
        self.output.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        matches!(outcome, Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
    }

    /// No more will be sent; replies can still be read.
    pub fn finish_writing(&mut self) {
        self.output.shutdown(Shutdown::Write).expect("the connection is open");
    }

    /// The connection's own address, as `CLIENT LIST` shows it.
    pub fn address(&self) -> SocketAddr {
        self.output.local_addr().expect("a connected socket has an address")
    }

    /// A second handle of the same socket, for a thread that writes while this one reads.
    pub fn socket(&self) -> TcpStream {
        self.output.try_clone().expect("a socket can be cloned")
    }
}
