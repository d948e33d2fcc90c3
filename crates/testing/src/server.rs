//! An HTTP server on this machine that answers as a test wants it to, and remembers what it was asked.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// What a client asked for; of a proxy `CONNECT host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The path, or `CONNECT host:port`.
    pub path: String,
    /// The first byte that is wanted, of `Range: bytes=N-`.
    pub from: Option<usize>,
}

/// What it gets: these bytes, and then the connection is closed, at once or after some silence.
pub struct Reply {
    bytes: Vec<u8>,
    silence: Duration,
}

impl Reply {
    /// A status line with some headers, and a body.
    pub fn new(status: &str, headers: &[String], body: &[u8]) -> Self {
        let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
        headers.iter().for_each(|header| head += &format!("{header}\r\n"));
        Self { bytes: [head.as_bytes(), b"\r\n", body].concat(), silence: Duration::ZERO }
    }

    /// All of a file.
    pub fn file(body: &[u8]) -> Self {
        Self::new("200 OK", &[format!("Content-Length: {}", body.len())], body)
    }

    /// What was asked for of a file, as a server does that knows ranges.
    pub fn range(request: &Request, body: &[u8]) -> Self {
        let Some(from) = request.from else { return Self::file(body) };
        if from >= body.len() {
            return Self::status("416 Range Not Satisfiable");
        }
        let headers = [
            format!("Content-Length: {}", body.len() - from),
            format!("Content-Range: bytes {from}-{}/{}", body.len() - 1, body.len()),
        ];
        Self::new("206 Partial Content", &headers, &body[from..])
    }

    /// A status without a body.
    pub fn status(status: &str) -> Self {
        Self::new(status, &["Content-Length: 0".into()], b"")
    }

    /// What a proxy says before it passes on what comes.
    pub fn tunnel() -> Self {
        Self { bytes: b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), silence: Duration::ZERO }
    }

    /// The advice to ask elsewhere.
    pub fn redirect(to: &str) -> Self {
        Self::new("302 Found", &["Content-Length: 0".into(), format!("Location: {to}")], b"")
    }

    /// Without its last bytes.
    pub fn cut(mut self, bytes: usize) -> Self {
        self.bytes.truncate(self.bytes.len() - bytes);
        self
    }

    /// Silent at its end, before the connection is closed.
    pub fn stalled(mut self) -> Self {
        self.silence = Duration::from_secs(20);
        self
    }
}

/// A server; its thread ends with the test.
pub struct Server {
    /// `http://127.0.0.1:PORT/`
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts one that answers each request by `answer`, which also knows how many there were before.
    pub fn new(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (requests.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (seen.clone(), answer.clone());
                thread::spawn(move || serve(stream.unwrap(), &seen, &*answer));
            }
        });
        Self { url, requests }
    }

    /// One at whose address nobody listens.
    pub fn gone() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        Self { url, requests: Arc::default() }
    }

    /// What was asked for so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request, usize) -> Reply) {
    let mut reader = BufReader::new(&stream);
    while let Some(request) = read_request(&mut reader) {
        let before = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        let reply = answer(&request, before);
        // A client that has heard enough is no error of the server.
        let _ = (&stream).write_all(&reply.bytes);
        thread::sleep(reply.silence);
        // What is sent through a tunnel is answered by the same server.
        if reply.bytes != Reply::tunnel().bytes {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let path = match (words.next()?, words.next()?) {
        ("CONNECT", target) => format!("CONNECT {target}"),
        (_, path) => path.to_string(),
    };
    let mut from = None;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            return Some(Request { path, from });
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = Some(range.strip_suffix('-')?.parse().ok()?);
        }
    }
}
