//! The usage resources as they come over the wire, with every value left as raw JSON: numbers keep
//! all their digits, and one odd field does not cost the others. What the fields mean is decided in
//! `record` and `summaries`.

use std::borrow::Cow;
use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::{NumberError, parse_wire_number};
use crate::source::json_span::Walk;

/// A field as it was written, which need not be JSON; absent and `null` are told apart by nobody.
pub(crate) type Raw<'a> = Option<&'a str>;

/// `CustomerMonthlyUsageRecord`, `SubscriptionMonthlyUsageRecord` and `SubscriptionUsageSummary` in
/// one: they share most fields. Unknown fields are ignored, of a repeated one the last counts.
#[derive(Debug, Default)]
pub(crate) struct WireUsage<'a> {
    pub(crate) resource_id: Raw<'a>,
    pub(crate) id: Raw<'a>,
    pub(crate) resource_name: Raw<'a>,
    pub(crate) name: Raw<'a>,
    pub(crate) total_cost: Raw<'a>,
    pub(crate) usd_total_cost: Raw<'a>,
    pub(crate) currency_code: Raw<'a>,
    pub(crate) is_upgraded: Raw<'a>,
    pub(crate) percent_used: Raw<'a>,
    pub(crate) budget: Raw<'a>,
    pub(crate) last_modified: Raw<'a>,
    pub(crate) billing_start: Raw<'a>,
    pub(crate) billing_end: Raw<'a>,
}

/// `SpendingBudget`.
#[derive(Debug, Default)]
pub(crate) struct WireBudget<'a> {
    pub(crate) amount: Raw<'a>,
    pub(crate) attributes: Raw<'a>,
}

/// `attributes` of any resource.
#[derive(Debug, Default)]
pub(crate) struct WireAttributes<'a> {
    pub(crate) object_type: Raw<'a>,
}

/// A struct of raw fields that is read from an object by name.
pub(crate) trait RawFields<'a>: Default {
    /// Where the field of this name goes; `None` for one that is ignored.
    fn slot(&mut self, name: &str) -> Option<&mut Raw<'a>>;
}

impl<'a> RawFields<'a> for WireUsage<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Raw<'a>> {
        Some(match name {
            "resourceId" => &mut self.resource_id,
            "id" => &mut self.id,
            "resourceName" => &mut self.resource_name,
            "name" => &mut self.name,
            "totalCost" => &mut self.total_cost,
            "usdTotalCost" => &mut self.usd_total_cost,
            "currencyCode" => &mut self.currency_code,
            "isUpgraded" => &mut self.is_upgraded,
            "percentUsed" => &mut self.percent_used,
            "budget" => &mut self.budget,
            "lastModifiedDate" => &mut self.last_modified,
            "billingStartDate" => &mut self.billing_start,
            "billingEndDate" => &mut self.billing_end,
            _ => return None,
        })
    }
}

impl<'a> RawFields<'a> for WireBudget<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Raw<'a>> {
        match name {
            "amount" => Some(&mut self.amount),
            "attributes" => Some(&mut self.attributes),
            _ => None,
        }
    }
}

impl<'a> RawFields<'a> for WireAttributes<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Raw<'a>> {
        (name == "objectType").then_some(&mut self.object_type)
    }
}

/// Reads an object into a struct of raw fields.
pub(crate) struct Fields<T>(pub(crate) T);

impl<'de, T: RawFields<'de>> Deserialize<'de> for Fields<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor(T::default()))
    }
}

struct FieldsVisitor<T>(T);

impl<'de, T: RawFields<'de>> Visitor<'de> for FieldsVisitor<T> {
    type Value = Fields<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        while let Some(name) = map.next_key::<Name<'de>>()? {
            match self.0.slot(&name.0) {
                Some(slot) => *slot = Some(map.next_value::<&'de RawValue>()?.get()),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Fields(self.0))
    }
}

/// A text, borrowed where it has no escapes, in which what is no Unicode is replaced (a lone
/// surrogate in a name must not cost the record).
pub(crate) struct Name<'a>(pub(crate) Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Name(String::from_utf8_lossy(bytes)))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Name(Cow::Owned(String::from_utf8_lossy(bytes).into_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Owned(text.to_owned())))
    }
}

/// The field's JSON, unless it is absent or `null`.
pub(crate) fn given(raw: Raw<'_>) -> Option<&str> {
    raw.filter(|json| *json != "null")
}

/// The field as a text; `None` for anything else.
pub(crate) fn text(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    let json = given(raw)?;
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<Name<'_>>(json).ok().map(|name| name.0)
}

/// The first of two texts that is not blank.
pub(crate) fn either<'a>(first: Raw<'a>, second: Raw<'a>) -> Option<Cow<'a, str>> {
    let written = |raw| text(raw).filter(|text| !text.trim().is_empty());
    written(first).or_else(|| written(second))
}

/// The field as a number, plain or in quotes, `None` where it is absent; `on_rounded` is told of
/// lost digits.
pub(crate) fn number(
    raw: Raw<'_>,
    on_rounded: &mut dyn FnMut(),
) -> Option<Result<Decimal, NumberError>> {
    let parsed = parse_wire_number(given(raw)?);
    if parsed.is_ok_and(|number| number.rounded) {
        on_rounded();
    }
    Some(parsed.map(|number| number.value))
}

/// An object at the start of `bytes` and how many bytes it takes.
pub(crate) fn object_at_start<'a, T: RawFields<'a>>(bytes: &'a [u8]) -> Option<(T, usize)> {
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<Fields<T>>();
    let object = stream.next()?.ok()?.0;
    Some((object, stream.byte_offset()))
}

/// A whole object.
pub(crate) fn object<'a, T: RawFields<'a>>(bytes: &'a [u8]) -> Option<T> {
    serde_json::from_slice::<Fields<T>>(bytes).ok().map(|fields| fields.0)
}

/// A whole object; where it is no JSON, every field of it whose end can be found, so that an odd
/// one (`NaN`) costs no other.
pub(crate) fn object_of<'a, T: RawFields<'a>>(text: &'a str) -> Option<T> {
    object(text.as_bytes()).or_else(|| fields_of(text))
}

/// The fields of an object one by one, up to where it ends or is cut off.
pub(crate) fn fields_of<'a, T: RawFields<'a>>(text: &'a str) -> Option<T> {
    let mut rest = text.trim_ascii_start().strip_prefix('{')?;
    let mut fields = T::default();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.starts_with(['}', ']']) {
            return Some(fields);
        }
        let Some((name, after)) = value_at_start(rest, &[',', ':', '}', ']']) else {
            return Some(fields);
        };
        rest = after;
        // What is no name with a value is passed over.
        let Some(after) = after.trim_ascii_start().strip_prefix(':') else { continue };
        let Some((value, after)) = value_at_start(after.trim_ascii_start(), &[',', '}', ']'])
        else {
            return Some(fields);
        };
        rest = after;
        if let Some(slot) = self::text(Some(name)).and_then(|name| fields.slot(&name)) {
            *slot = Some(value).filter(|value| !value.is_empty());
        }
    }
}

/// The value that `text` begins with, of whatever quality, and what follows; none where it is cut
/// off. One without quotes or brackets goes up to one of `ends`, and may be nothing at all.
fn value_at_start<'a>(text: &'a str, ends: &[char]) -> Option<(&'a str, &'a str)> {
    let first = *text.as_bytes().first()?;
    let end = match first {
        b'"' | b'{' | b'[' => Walk::starting(first).advance(text.as_bytes())?,
        _ => text.find(ends)?,
    };
    let (value, rest) = text.split_at_checked(end)?;
    Some((value.trim_ascii(), rest))
}

/// Whether `text` is an object as a whole, whatever is in it.
pub(crate) fn is_whole_object(text: &str) -> bool {
    let text = text.trim_ascii();
    text.starts_with('{') && Walk::starting(b'{').advance(text.as_bytes()) == Some(text.len())
}

/// The bytes as text in which what is no UTF-8 is replaced and control characters are blanks, so
/// that a name with such things in it does not cost the record.
pub(crate) fn repaired(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| if c.is_ascii_control() { ' ' } else { c })
        .collect()
}
