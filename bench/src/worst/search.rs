//! Climbs to the request that takes the decision code longest.

use std::hint::black_box;
use std::time::{Duration, Instant};

use jwt_rbac::decision::decide;
use jwt_rbac::document::Document;
use jwt_rbac::request;
use jwt_rbac::worker::Worker;
use jwt_rbac::{response, telemetry};
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::garbage::Garbage;
use jwt_rbac_e2e::wire;

use super::shape::{NUMBERS, Shape};

/// How often a request is decided for one time: the fastest counts, which the machine disturbed least.
const REPETITIONS: usize = 7;
/// What is slower must be slower by this part, or it is noise.
const LEAST_GAIN: f64 = 1.02;

/// A request and how long its decision takes.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The request.
    pub shape: Shape,
    /// The time.
    pub time: Duration,
}

/// The slowest refused request that is found from this many starts, with this many steps each.
pub fn worst(document: &Document, starts: usize, steps: usize) -> Found {
    let mut garbage = Garbage::new();
    let mut worst: Option<Found> = None;
    for _ in 0..starts {
        let found = climb(document, &mut garbage, steps);
        if worst.is_none_or(|worst| found.time > worst.time) {
            worst = Some(found);
        }
    }
    worst.expect("at least one start")
}

fn climb(document: &Document, garbage: &mut Garbage, steps: usize) -> Found {
    let mut best = start(document, garbage);
    for _ in 0..steps {
        let shape = changed(best.shape, garbage);
        let Some(time) = time(document, &shape) else { continue };
        if time.as_secs_f64() > best.time.as_secs_f64() * LEAST_GAIN {
            best = Found { shape, time };
        }
    }
    best
}

/// A random request that Envoy takes: a few of the numbers are not small.
fn start(document: &Document, garbage: &mut Garbage) -> Found {
    loop {
        let mut shape = Shape([0; NUMBERS.len()]);
        for (number, (_, most)) in shape.0.iter_mut().zip(NUMBERS) {
            if garbage.below(3) == 0 {
                *number = garbage.below(most + 1) / (1 + garbage.below(8));
            }
        }
        shape.0[10] = shape.0[10].max(1_000);
        if let Some(time) = time(document, &shape) {
            return Found { shape, time };
        }
    }
}

/// One or two numbers changed: by a little, by half, to nothing, to the most.
fn changed(mut shape: Shape, garbage: &mut Garbage) -> Shape {
    for _ in 0..=garbage.below(2) {
        let place = garbage.below(NUMBERS.len());
        let most = NUMBERS[place].1;
        let number = &mut shape.0[place];
        *number = match garbage.below(6) {
            0 => garbage.below(most + 1),
            1 => number.saturating_mul(2).max(1),
            2 => *number / 2,
            3 => 0,
            4 => most,
            _ => *number + garbage.below(most / 16 + 2),
        }
        .min(most);
    }
    shape
}

/// How long the decision about a request takes, with all that is written about it; `None` if Envoy
/// does not take the request, or the decision lets it pass.
fn time(document: &Document, shape: &Shape) -> Option<Duration> {
    let request = shape.request()?;
    let lines = lines(&request);
    let lines: Vec<request::Header<'_>> =
        lines.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    let mut worker = Worker::new(document);
    let times = (0..REPETITIONS).map(|_| {
        let start = Instant::now();
        let request = request::Request::read(&lines).ok()?;
        let decision = decide(document, &mut worker, &request, 1_800_000_000);
        let refusal = decision.verdict.refusal()?;
        black_box(response::local_reply(refusal, &decision, Some(document), Some(&request)));
        black_box(telemetry::line(&decision, document, &request, 0));
        Some(start.elapsed())
    });
    times.min().flatten()
}

fn lines(request: &Request) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pseudo = [
        (":method", request.method.as_str()),
        (":path", &request.target),
        (":authority", request.authority()),
        (":scheme", "http"),
    ];
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    pseudo
        .into_iter()
        .chain(headers)
        .map(|(name, value)| (name.to_ascii_lowercase().into_bytes(), wire::bytes(value)))
        .collect()
}
