//! News for the operator all the way: from the sign-in, the couriers and the running daemon to a receiver.

mod couriers;
mod daemon;
mod emergency;
mod sign_in;
