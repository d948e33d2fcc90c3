//! 6: a server. Trains a network on iris, or loads a model, and answers predictions over HTTP, in JSON.
//!
//! cargo run --release --example 06_serve -- 127.0.0.1:8000 [MODEL.onebit]
//!
//! `docs/guide/program-to-server.md` walks through it.

mod rows;

use std::{env, error::Error, io::Read, thread};

use onebit::{
    Batch, Engine, FlipOptions, Model, Network, Phase, Split, Trainer, Training, data, flip::thresholds,
    model::Session,
};
use rows::{Rows, columns_of};
use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response, Server};

/// Longest body that is read, in bytes.
const MAX_BODY: u64 = 4 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().ok_or("usage: 06_serve ADDRESS [MODEL.onebit]")?;
    let threads = thread::available_parallelism()?.get();
    let engine = Engine::new(threads)?;
    let model = match arguments.next() {
        Some(file) => Model::load(file)?,
        None => train(&engine)?,
    };

    let rows = Rows::new(columns_of(&model)?);
    // Packs the weights once, for all requests.
    let session = model.session(&engine)?;
    let server = Server::http(&address).map_err(|e| format!("{address}: {e}"))?;
    println!("listening on http://{}", server.server_addr());

    // Each thread takes the next request. They share the session: a single large batch is split over all threads of
    // the engine, and requests that arrive together each run on the thread that took them.
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Ok(mut request) = server.recv() {
                    let (status, answer) = match answer(&mut request, &model, &session, &rows) {
                        Ok(answer) => (200, answer),
                        Err((status, message)) => (status, json!({ "error": message })),
                    };
                    // A client that has gone away is no reason to stop.
                    let _ = request.respond(json_response(status, &answer));
                }
            });
        }
    });
    Ok(())
}

/// Flip backprop on the built-in flowers; takes a fraction of a second.
fn train(engine: &Engine) -> Result<Model, Box<dyn Error>> {
    let split = Split::random(&data::iris(), 0.2, 42)?;
    let mut net = Network::flip(4, &[64], 3, &FlipOptions::new(&thresholds(3)?), 42)?;
    let phases = vec![Phase::new(10, Batch::Size(32), 1.0), Phase::new(10, Batch::All, 0.5)];
    let outcome = Training::new(Trainer::flip(phases, 42), &mut net, &split).engine(engine).run()?;
    println!("accuracy on held-out flowers: {:.1} %", 100.0 * outcome.kept().test_accuracy.unwrap_or(0.0));
    Ok(outcome.into_model()?)
}

/// The answer to one request, or an HTTP status and what is wrong with the request.
fn answer(
    request: &mut Request,
    model: &Model,
    session: &Session,
    rows: &Rows,
) -> Result<Value, (u16, String)> {
    match (request.method(), request.url()) {
        (Method::Get, "/") => Ok(json!({ "columns": rows.names(), "classes": model.labels() })),
        (Method::Post, "/predict") => {
            let mut body = String::new();
            let length = request.as_reader().take(MAX_BODY + 1).read_to_string(&mut body);
            let length = length.map_err(|e| (400, format!("body: {e}")))?;
            if length as u64 > MAX_BODY {
                return Err((413, format!("body: expected at most {MAX_BODY} bytes")));
            }
            predict(&body, model, session, rows).map_err(|message| (400, message))
        }
        (_, "/" | "/predict") => Err((405, "expected GET / or POST /predict".into())),
        (_, url) => Err((404, format!("expected / or /predict, got {url}"))),
    }
}

/// Classifies all rows of a body as one batch.
fn predict(body: &str, model: &Model, session: &Session, rows: &Rows) -> Result<Value, String> {
    let x = rows.read(body)?;
    let scores = session.scores(&x).map_err(|e| e.to_string())?;
    let predictions = scores.chunks_exact(model.classes()).map(|scores| {
        let class = onebit::model::best(scores);
        json!({ "class": model.labels()[class], "score": scores[class] })
    });
    Ok(json!({ "predictions": predictions.collect::<Vec<_>>() }))
}

fn json_response(status: u16, value: &Value) -> Response<std::io::Cursor<Vec<u8>>> {
    let header = Header::from_bytes("Content-Type", "application/json").expect("a valid header");
    Response::from_string(format!("{value}\n")).with_status_code(status).with_header(header)
}
