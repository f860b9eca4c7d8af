//! Every destination against a receiver on a real socket: what it gets, and what its answers mean.

mod mail;
mod names;
mod pictures;
mod receivers;
mod samples;
mod slack;
mod smtp;
mod tls;
mod verdicts;
mod webhook;
