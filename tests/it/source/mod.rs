//! Reading usage: what comes over the wire or from a file, and the records and sentences that come
//! out.

mod broken;
mod customers;
mod logs;
mod partner_center;
mod person;
mod records;
mod saved;
mod script;
mod sign_in;
mod stage;
