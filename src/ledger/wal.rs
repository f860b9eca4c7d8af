//! Reads the write-ahead log before SQLite does, which ends it silently at the first frame that is
//! not sound: after a power cut that is right, after damage it would undo what was recorded, and
//! told, since.
//!
//! Each commit is on disk before the next begins. So a power cut breaks the last transaction only,
//! and there it leaves blocks that were never written; a broken frame with anything else after it
//! is damage. The format is described at sqlite.org/fileformat2.html, "The Write-Ahead Log".

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use crate::fs;
use crate::ledger::error::LedgerError;
use crate::ledger::lock::beside;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The first number of a log; its last bit says in which order its checksums take bytes.
const MAGIC: u32 = 0x377f_0682;
/// So many logs back, what they left in the file is known by its salt.
const GENERATIONS: u32 = 1 << 20;

type Sum = (u32, u32);

/// Refuses a log that is damaged.
pub(super) fn check(ledger: &Path) -> Result<(), LedgerError> {
    let path = beside(ledger, "-wal");
    let mut file = match fs::open_own(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(LedgerError::io(&path))?,
    };
    match damage(&mut file).map_err(LedgerError::io(&path))? {
        Some(at) => Err(LedgerError::DamagedLog { path, at }),
        None => Ok(()),
    }
}

/// Where the log is damaged. Whoever writes the ledger meanwhile can be at that very place, or
/// begin the log again: damage is still there at a second look.
fn damage(file: &mut File) -> io::Result<Option<u64>> {
    let Some(first) = header_of(file)? else { return Ok(None) };
    let Some(at) = scan(file, &first)? else { return Ok(None) };
    file.rewind()?;
    if header_of(file)? != Some(first) {
        return Ok(None);
    }
    Ok(scan(file, &first)?.filter(|again| *again == at))
}

fn header_of(file: &mut File) -> io::Result<Option<[u8; HEADER]>> {
    let mut header = [0; HEADER];
    Ok(fill(file, &mut header)?.then_some(header))
}

/// Fills the buffer; false where the file ends before.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

/// What is known of the frames from the header.
struct Shape {
    big_endian: bool,
    page: usize,
    /// None where the header is broken: each frame's are then held against those of the frame
    /// before.
    salts: Option<[u8; 8]>,
    sum: Sum,
}

impl Shape {
    /// In each form that a log with this header can have: one, unless it is broken.
    fn all(header: &[u8; HEADER]) -> Vec<Self> {
        let (begin, stored) = header.split_at(HEADER - 8);
        let page = usize::try_from(number(header, 8)).unwrap_or(0);
        let (sum, salts) = ((number(stored, 0), number(stored, 4)), salts(header, 16));
        let form = |big_endian| Self { big_endian, page, salts: Some(salts), sum };
        let is_sound = number(header, 0) & !1 == MAGIC
            && page.is_power_of_two()
            && (512..=65_536).contains(&page);
        let whole = form(number(header, 0) & 1 == 1);
        if is_sound && checksum((0, 0), begin, whole.big_endian) == sum {
            return vec![whole];
        }
        [true, false].map(|big_endian| Self { page: 4096, salts: None, ..form(big_endian) }).into()
    }
}

/// Looks through the frames that follow the header.
fn scan(file: &mut File, header: &[u8; HEADER]) -> io::Result<Option<u64>> {
    for shape in Shape::all(header) {
        file.seek(io::SeekFrom::Start(u64::try_from(HEADER).unwrap_or(0)))?;
        let mut walk = Walk {
            salts: shape.salts,
            sum: shape.sum,
            true_sum: shape.sum,
            broken_at: shape.salts.is_none().then_some(0),
            ..Walk::default()
        };
        let mut frames = BufReader::with_capacity(1 << 18, &mut *file);
        let mut frame = vec![0; FRAME_HEADER + shape.page];
        let mut at = HEADER;
        while fill(&mut frames, &mut frame)? {
            walk.take(&frame, shape.salts.is_some(), shape.big_endian, at);
            at += frame.len();
        }
        if walk.is_damage(shape.salts.is_none()) {
            return Ok(walk.broken_at.and_then(|at| u64::try_from(at).ok()));
        }
    }
    Ok(None)
}

/// What was seen of the frames so far.
#[derive(Default)]
struct Walk {
    /// Those of this log.
    salts: Option<[u8; 8]>,
    /// That of the frame before, as it is written there.
    sum: Sum,
    /// The same as it should be written there, by what is in that frame.
    true_sum: Sum,
    /// Where SQLite would end.
    broken_at: Option<usize>,
    /// Commits after that, and whether a sound one is among them.
    commits: u32,
    sound: bool,
    /// Whether something between that and the first of them was never written.
    gap: bool,
}

impl Walk {
    fn take(&mut self, frame: &[u8], salts_are_known: bool, big_endian: bool, at: usize) {
        let (header, page) = frame.split_at(FRAME_HEADER);
        let stored = (number(header, 16), number(header, 20));
        let begin = header.get(..8).unwrap_or_default();
        let own_salts = salts(header, 8);
        let is_ours = self.salts == Some(own_salts);
        let sum = |from| checksum(checksum(from, begin, big_endian), page, big_endian);
        let mut true_sum = sum(self.sum);
        if true_sum != stored && self.true_sum != self.sum {
            true_sum = sum(self.true_sum);
        }
        let is_sound = is_ours && true_sum == stored;
        if !is_sound {
            self.broken_at.get_or_insert(at);
        }
        if self.broken_at.is_some() {
            let is_commit = is_ours && number(header, 4) != 0;
            self.commits += u32::from(is_commit);
            self.sound |= is_commit && is_sound;
            self.gap |= self.commits == 0 && self.was_never_written(header);
        }
        (self.sum, self.true_sum) = (stored, true_sum);
        if !salts_are_known {
            self.salts = Some(own_salts);
        }
    }

    /// Nothing, or what an earlier log left there.
    fn was_never_written(&self, header: &[u8]) -> bool {
        let age = self.salts.map(|salts| number(&salts, 0).wrapping_sub(number(header, 8)));
        header.iter().all(|byte| *byte == 0)
            || age.is_some_and(|age| (1..GENERATIONS).contains(&age))
    }

    /// A header is on disk before any frame, so that without a sound one nothing was committed.
    fn is_damage(&self, without_header: bool) -> bool {
        self.sound && (self.commits > 1 || without_header || !self.gap)
    }
}

fn salts(bytes: &[u8], at: usize) -> [u8; 8] {
    bytes.get(at..at + 8).and_then(|salts| salts.try_into().ok()).unwrap_or_default()
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// Goes on with a checksum over bytes in words of four, two at a time.
fn checksum(from: Sum, bytes: &[u8], big_endian: bool) -> Sum {
    let word = |word: [u8; 4]| {
        if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    };
    bytes.as_chunks::<8>().0.iter().fold(from, |(first, second), &[a, b, c, d, e, f, g, h]| {
        let first = first.wrapping_add(word([a, b, c, d])).wrapping_add(second);
        (first, second.wrapping_add(word([e, f, g, h])).wrapping_add(first))
    })
}
