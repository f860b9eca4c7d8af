//! What polls raise and keep silent: rules and records in, text out.

mod budgets;
mod claims;
mod clock;
mod history;
mod incidents;
mod known_items;
mod life;
mod life_in_slices;
mod marks;
mod messages;
mod mirror;
mod operator;
mod periods;
mod places;
mod quality;
mod reasons;
mod reports;
mod slices;
mod spikes;
mod subscriptions;
mod turn;
mod years;
