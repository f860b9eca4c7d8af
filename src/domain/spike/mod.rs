//! Whether a day's spending is far above the usual: day rates from the dates of the data, the usual
//! from the days before, and the verdict. All days are UTC, all numbers exact; nothing is divided
//! before it is compared.

mod note;
mod rates;
mod reading;
mod recorded;
mod spending;
mod view;

pub use note::SpikeNote;
pub use rates::{CostDate, DayRate, DayRates, NoRate};
pub use reading::{Floor, Learning, Reading, SpikeDay, SpikeMark};
pub(crate) use recorded::expected_on;
pub use recorded::{RecordedSpike, RunEnd, RunSummary, SpikeRun};
pub use spending::{NoReading, Spending};
pub use view::SpikeView;
