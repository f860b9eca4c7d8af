//! Every destination against a receiver on a real socket: what it gets, and what its answers mean.

mod alertmanager;
mod alike;
mod customers;
mod later;
mod mail;
mod matrix;
mod metrics;
mod microsoft;
mod microsoft_mail;
mod names;
mod operator;
mod pagerduty;
mod pictures;
mod receivers;
mod report;
mod reports;
mod samples;
mod slack;
mod smtp;
mod smtp_matrix;
mod standing_in;
mod teams;
mod templates;
mod tls;
mod verdicts;
mod webhook;
