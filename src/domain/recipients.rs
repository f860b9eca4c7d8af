//! To whom a notifier's messages go; each recipient is a delivery of its own.

/// To whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// The destination is the one recipient: a channel, a URL.
    Destination,
    /// These mail addresses; none where they are each customer's contacts.
    Addresses(Vec<String>),
}

impl Recipients {
    /// Each of them as a delivery has it: its address, `None` for the destination itself.
    pub fn each(&self) -> Vec<Option<&str>> {
        match self {
            Self::Destination => vec![None],
            Self::Addresses(addresses) => addresses.iter().map(|to| Some(to.as_str())).collect(),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Destination => 1,
            Self::Addresses(addresses) => addresses.len(),
        }
    }

    /// The addresses that are wanted, or the destination.
    #[must_use]
    pub fn only(&self, is_wanted: impl Fn(&str) -> bool) -> Self {
        match self {
            Self::Destination => Self::Destination,
            Self::Addresses(addresses) => {
                Self::Addresses(addresses.iter().filter(|to| is_wanted(to)).cloned().collect())
            }
        }
    }
}
