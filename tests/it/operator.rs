//! News for the operator all the way: from the sign-in, the workers and the running daemon to a
//! receiver.

mod daemon;
mod emergency;
mod sign_in;
mod workers;
