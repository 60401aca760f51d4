//! An instance with a manual clock, and connections that are asked in words.

use std::sync::Arc;

use crate::base::clock::Clock;
use crate::base::config::Config;
use crate::base::words;
use crate::engine::clients::Origin;
use crate::engine::dispatch;
use crate::engine::instance::Engine;
use crate::engine::session::Session;
use crate::protocol::request::OwnedRequest;

/// An instance at second 1000.
pub struct Instance {
    pub engine: Arc<Engine>,
}

/// A connection to it.
pub struct Connection {
    engine: Arc<Engine>,
    pub session: Session,
}

impl Instance {
    pub fn new() -> Instance {
        Instance::with(&[])
    }

    pub fn with(settings: &[(&str, &str)]) -> Instance {
        let mut config = Config::new();
        for (name, value) in settings {
            config.load_arguments(&[format!("--{name}").as_str(), value]).unwrap();
        }
        Instance { engine: Engine::new(config, Clock::manual(1_000_000)).unwrap() }
    }

    /// A caller in this process.
    pub fn local(&self) -> Connection {
        self.connect(Origin::in_process())
    }

    /// A connection from another machine; its port is the id that it gets.
    pub fn remote(&self) -> Connection {
        let port = self.engine.clients.all().last().map_or(1, |client| client.id + 1);
        self.connect(Origin {
            peer: format!("10.0.0.1:{port}"),
            local: "10.0.0.9:6379".into(),
            descriptor: -1,
            is_local: false,
            in_process: false,
        })
    }

    fn connect(&self, origin: Origin) -> Connection {
        Connection { engine: self.engine.clone(), session: self.engine.connect(origin, None) }
    }
}

impl Connection {
    /// Runs one command, written as in redis-cli, and returns the reply's bytes.
    pub fn ask(&mut self, command: &str) -> String {
        let request = OwnedRequest::new(&words::split(command.as_bytes()).unwrap()).unwrap();
        let reply = dispatch::run_request(&self.engine, &mut self.session, request.request(), Vec::new());
        String::from_utf8(reply).unwrap()
    }

    /// What others have sent to it.
    pub fn messages(&mut self) -> String {
        let mut out = Vec::new();
        assert!(self.session.client.outbox.drain(&mut out));
        String::from_utf8(out).unwrap()
    }
}
