//! Finds the items of a collection in a body that comes in chunks, holding back no more than one
//! cut item. It knows the outline `{"items": [...], "totalCount": n, "links": {...}}` and where a
//! JSON value ends; what an item means is the sink's business.

use crate::source::json_span::Walk;
use crate::source::sink::Settle;

/// One item may be this large, in bytes; a larger one is passed over.
pub(crate) const ITEM_CAP: usize = 1 << 20;
/// What is kept of an item that is larger, in bytes.
const START: usize = 1 << 14;
/// What is kept of `totalCount` and `links`, in bytes each; also of a name at the top level.
const OUTLINE_CAP: usize = 1 << 16;

/// Takes the items as they are found.
pub(crate) trait ItemSink {
    /// Tries to take an item from the start of `bytes`, which may hold less than one item and more.
    /// Answers how many bytes were taken; `None` leaves the item for [`ItemSink::whole`] or for the
    /// next chunk.
    fn at_start(&mut self, bytes: &[u8]) -> Option<usize>;
    /// Takes a whole item, of whatever quality.
    fn whole(&mut self, item: &[u8]);
    /// An item went by that is larger than [`ITEM_CAP`], of which this is the start.
    fn too_large(&mut self, start: &[u8]);
    /// Waits until what was taken may be followed by more.
    fn settle(&mut self) -> Settle<'_> {
        Box::pin(std::future::ready(()))
    }
}

/// What a collection says beside its items, as raw JSON.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// `totalCount`.
    pub(crate) total_count: Vec<u8>,
    /// `links`, or what stands in its place.
    pub(crate) links: Vec<u8>,
}

/// How a collection is written: names with their quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// What its items are called.
    items: &'static [u8],
    /// What leads to the next page.
    links: &'static [u8],
    /// Whether it is nothing but the list of its items.
    is_bare: bool,
}

impl Form {
    /// Of Partner Center.
    pub(crate) const PARTNER_CENTER: Self =
        Self { items: b"\"items\"", links: b"\"links\"", is_bare: false };
    /// As Microsoft Graph writes it.
    pub(crate) const ODATA: Self =
        Self { items: b"\"value\"", links: b"\"@odata.nextLink\"", is_bare: false };
    /// A list.
    pub(crate) const LIST: Self = Self { items: b"", links: b"", is_bare: true };
}

/// Why a body is no collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScanError {
    /// Not even the start of one.
    #[error("is not JSON, or not an object")]
    NotAnObject,
    /// Something at the top level is not where it belongs.
    #[error("is garbled JSON")]
    Garbled,
    /// It ends too early.
    #[error("is cut off")]
    Cut,
    /// It is an object, but no collection.
    #[error("has no items")]
    NoItems,
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
}

/// What is being read at the top level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    TotalCount,
    Links,
    Other,
    Item,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    BeforeName,
    AfterName,
    BeforeValue,
    Within(Part),
    AfterValue,
    Items,
    End,
}

/// The scanner of one body.
#[derive(Debug)]
pub(crate) struct Scanner {
    form: Form,
    state: State,
    walk: Walk,
    /// The bytes of the value being read that came in earlier chunks.
    carry: Vec<u8>,
    overflow: bool,
    name: Vec<u8>,
    items_seen: bool,
    /// A part of the outline was too large to be kept.
    unkept: bool,
    outline: Outline,
}

impl Scanner {
    /// A scanner before the first byte.
    pub(crate) fn new() -> Self {
        Self::of(Form::PARTNER_CENTER)
    }

    /// The same for a collection that is written in this way.
    pub(crate) fn of(form: Form) -> Self {
        Self {
            form,
            state: State::Start,
            walk: Walk::starting(b'n'),
            carry: Vec::new(),
            overflow: false,
            name: Vec::new(),
            items_seen: false,
            unkept: false,
            outline: Outline::default(),
        }
    }

    /// Reads on; each item that is complete goes to the sink.
    pub(crate) fn feed(
        &mut self,
        mut bytes: &[u8],
        sink: &mut dyn ItemSink,
    ) -> Result<(), ScanError> {
        while let Some(&first) = bytes.first() {
            let used = match self.state {
                State::Within(part) => self.read_on(part, bytes, sink),
                State::Items => self.next_item(bytes, sink),
                State::Start
                | State::BeforeName
                | State::AfterName
                | State::BeforeValue
                | State::AfterValue
                | State::End => self.step(first)?,
            };
            bytes = bytes.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    /// The body is over.
    pub(crate) fn finish(self) -> Result<Outline, ScanError> {
        match self.state {
            State::End if self.unkept => Err(ScanError::Garbled),
            State::End if self.items_seen => Ok(self.outline),
            State::End => Err(ScanError::NoItems),
            State::Start => Err(ScanError::Empty),
            State::BeforeName
            | State::AfterName
            | State::BeforeValue
            | State::Within(_)
            | State::AfterValue
            | State::Items => Err(ScanError::Cut),
        }
    }

    /// One byte between values. Answers how many bytes were used: none where the byte begins a
    /// value.
    fn step(&mut self, byte: u8) -> Result<usize, ScanError> {
        if byte.is_ascii_whitespace() {
            return Ok(1);
        }
        let (state, used) = match (self.state, byte) {
            // The bytes of a BOM, whole or cut.
            (State::Start, 0xEF | 0xBB | 0xBF) => (State::Start, 1),
            (State::Start, b'{') if !self.form.is_bare => (State::BeforeName, 1),
            (State::AfterValue, b',') => (State::BeforeName, 1),
            (State::Start, b'[') if self.form.is_bare => (State::Items, 1),
            (State::Start, _) => return Err(ScanError::NotAnObject),
            (State::BeforeName, b'"') => (self.begin(Part::Name, byte), 0),
            (State::AfterName, b':') => (State::BeforeValue, 1),
            (State::BeforeValue, b'[') if self.name == self.form.items => (State::Items, 1),
            (State::BeforeValue, b',' | b'}' | b']' | b':') => return Err(ScanError::Garbled),
            (State::BeforeValue, _) => (self.begin_named(byte), 0),
            (State::AfterValue | State::BeforeName, b'}') => (State::End, 1),
            _ => return Err(ScanError::Garbled),
        };
        self.items_seen |= state == State::Items;
        self.state = state;
        Ok(used)
    }

    fn begin_named(&mut self, first: u8) -> State {
        let part = match self.name.as_slice() {
            b"\"totalCount\"" => Part::TotalCount,
            name if name == self.form.links => Part::Links,
            // `"items": null` is a collection without items.
            name if name == self.form.items => {
                self.items_seen |= first == b'n';
                Part::Other
            }
            _ => Part::Other,
        };
        self.begin(part, first)
    }

    fn begin(&mut self, part: Part, first: u8) -> State {
        self.walk = Walk::starting(first);
        self.carry.clear();
        self.overflow = false;
        State::Within(part)
    }

    fn next_item(&mut self, bytes: &[u8], sink: &mut dyn ItemSink) -> usize {
        let Some(at) =
            bytes.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b','))
        else {
            return bytes.len();
        };
        let rest = bytes.get(at..).unwrap_or_default();
        let first = rest.first().copied().unwrap_or_default();
        if first == b']' {
            self.state = if self.form.is_bare { State::End } else { State::AfterValue };
            return at + 1;
        }
        if first == b'{'
            && let Some(taken) = sink.at_start(rest)
        {
            return at + taken;
        }
        self.state = self.begin(Part::Item, first);
        at
    }

    /// Reads on in a value, which may end in this chunk or not.
    fn read_on(&mut self, part: Part, bytes: &[u8], sink: &mut dyn ItemSink) -> usize {
        let end = self.walk.advance(bytes);
        let used = end.unwrap_or(bytes.len());
        let seen = bytes.get(..used).unwrap_or_default();
        if end.is_some() && self.carry.is_empty() && !self.overflow && seen.len() <= cap(part) {
            self.complete(part, seen, sink);
            return used;
        }
        self.keep(part, seen);
        if end.is_some() {
            let value = std::mem::take(&mut self.carry);
            self.complete(part, &value, sink);
            self.carry = value;
        }
        used
    }

    fn keep(&mut self, part: Part, seen: &[u8]) {
        self.overflow |= self.carry.len() + seen.len() > cap(part);
        if self.overflow {
            // Enough to say whose it is.
            let kept = if part == Part::Item { START } else { 0 };
            let room = kept.saturating_sub(self.carry.len());
            self.carry.extend_from_slice(seen.get(..room).unwrap_or(seen));
            self.carry.truncate(kept);
        } else {
            self.carry.extend_from_slice(seen);
        }
    }

    fn complete(&mut self, part: Part, value: &[u8], sink: &mut dyn ItemSink) {
        self.state = match part {
            Part::Name => State::AfterName,
            Part::Item => State::Items,
            Part::TotalCount | Part::Links | Part::Other => State::AfterValue,
        };
        match part {
            Part::Item if self.overflow => sink.too_large(value),
            Part::Item => sink.whole(value),
            Part::Other => {}
            _ if self.overflow => self.unkept = true,
            Part::Name => self.name = value.to_vec(),
            Part::TotalCount => self.outline.total_count = value.to_vec(),
            Part::Links => self.outline.links = value.to_vec(),
        }
    }
}

fn cap(part: Part) -> usize {
    match part {
        Part::Item => ITEM_CAP,
        Part::Name | Part::TotalCount | Part::Links => OUTLINE_CAP,
        Part::Other => 0,
    }
}

#[cfg(test)]
mod tests;
