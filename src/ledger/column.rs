//! How values stand in columns: decimals as exact text, instants as nanoseconds, identities as 16
//! bytes.

use crate::ledger::sql::{
    self, FromSql, FromSqlError, FromSqlResult, Index, Row, ToSql, ToSqlResult, ValueRef,
};

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

/// A decimal, as text with the digits it has.
pub(super) struct Exact(pub(super) Decimal);

impl ToSql for Exact {
    fn to_sql(&self) -> ToSqlResult<'_> {
        Ok(self.0.to_string().into())
    }
}

impl FromSql for Exact {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Decimal::from_str_exact(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// An instant, as nanoseconds since 1970; what lies before 1678 or after 2262 is clamped.
pub(super) struct Instant(pub(super) Timestamp);

impl Instant {
    /// As it stands in the column.
    pub(super) fn nanoseconds(&self) -> i64 {
        let nanoseconds = self.0.as_nanosecond();
        let far = if nanoseconds < 0 { i64::MIN } else { i64::MAX };
        i64::try_from(nanoseconds).unwrap_or(far)
    }
}

impl ToSql for Instant {
    fn to_sql(&self) -> ToSqlResult<'_> {
        Ok(self.nanoseconds().into())
    }
}

impl FromSql for Instant {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Timestamp::from_nanosecond(value.as_i64()?.into()).map(Self).map_err(FromSqlError::other)
    }
}

/// An identity.
pub(super) struct Id(pub(super) Uuid);

impl ToSql for Id {
    fn to_sql(&self) -> ToSqlResult<'_> {
        Ok(self.0.as_bytes().as_slice().into())
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Uuid::from_slice(value.as_blob()?).map(Self).map_err(FromSqlError::other)
    }
}

/// A count; SQLite's integers are signed.
pub(super) struct Count(pub(super) u64);

impl ToSql for Count {
    fn to_sql(&self) -> ToSqlResult<'_> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let stored = value.as_i64()?;
        u64::try_from(stored).map(Self).map_err(|_| FromSqlError::OutOfRange(stored))
    }
}

/// A length of time, as nanoseconds.
pub(super) struct Length(pub(super) std::time::Duration);

impl ToSql for Length {
    fn to_sql(&self) -> ToSqlResult<'_> {
        Ok(i64::try_from(self.0.as_nanos()).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Length {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Count::column_result(value).map(|count| Self(std::time::Duration::from_nanos(count.0)))
    }
}

/// A decimal from a column.
pub(super) fn decimal<I: Index>(row: &Row<'_>, column: I) -> sql::Result<Decimal> {
    row.get::<_, Exact>(column).map(|value| value.0)
}

/// A decimal from a column that may be empty.
pub(super) fn decimal_if_any<I: Index>(row: &Row<'_>, column: I) -> sql::Result<Option<Decimal>> {
    row.get::<_, Option<Exact>>(column).map(|value| value.map(|value| value.0))
}

/// An instant from a column.
pub(super) fn instant<I: Index>(row: &Row<'_>, column: I) -> sql::Result<Timestamp> {
    row.get::<_, Instant>(column).map(|value| value.0)
}

/// An instant from a column that may be empty.
pub(super) fn instant_if_any<I: Index>(row: &Row<'_>, column: I) -> sql::Result<Option<Timestamp>> {
    row.get::<_, Option<Instant>>(column).map(|value| value.map(|value| value.0))
}

/// An identity from a column.
pub(super) fn id<I: Index>(row: &Row<'_>, column: I) -> sql::Result<Uuid> {
    row.get::<_, Id>(column).map(|value| value.0)
}

/// A count from a column.
pub(super) fn count<I: Index>(row: &Row<'_>, column: I) -> sql::Result<u64> {
    row.get::<_, Count>(column).map(|value| value.0)
}

/// A value written as text in a column, read by `parse`.
pub(super) fn read<T, I: Index>(
    row: &Row<'_>,
    column: I,
    parse: impl FnOnce(&str) -> Option<T>,
) -> sql::Result<T> {
    let text = row.get::<_, String>(column)?;
    parse(&text).ok_or_else(|| unreadable(format!("\"{text}\" is not known here")))
}

/// The error of a column whose value makes no sense.
pub(super) fn unreadable(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sql::Error {
    sql::Error::value(why)
}
