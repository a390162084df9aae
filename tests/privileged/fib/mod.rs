//! Our routes in real kernels: at full speed, watched, covered, beside others.

mod answers_lost;
mod batches;
mod calls;
mod covers;
mod hands;
mod million;
mod races;
mod unsure;
mod urgent;
mod watched;
