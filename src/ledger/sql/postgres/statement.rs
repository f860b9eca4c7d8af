//! A statement that a PostgreSQL server has ready, and what is bound to it.

use crate::ledger::sql::error::{Error, Result};
use crate::ledger::sql::failure::{Failure, Kind};
use crate::ledger::sql::params::Bound;
use crate::ledger::sql::postgres::value::Parameter;

/// A statement, and the names of what is bound to it.
#[derive(Clone)]
pub(super) struct Ready {
    pub(super) statement: tokio_postgres::Statement,
    pub(super) names: Vec<String>,
}

impl Ready {
    /// The values in the order in which the server has them.
    pub(super) fn values<'b>(&self, bound: Bound<'b>) -> Result<Vec<Parameter<'b>>> {
        let values: Vec<Parameter<'b>> = match bound {
            Bound::ByPosition(values) => {
                values.iter().map(|value| Ok(Parameter(value.to_sql()?))).collect::<Result<_>>()?
            }
            Bound::ByName(values) => {
                let named = |name: &String| {
                    let known =
                        values.iter().find(|(known, _)| known.strip_prefix(':') == Some(name));
                    let (_, value) = known
                        .ok_or_else(|| Error::value(format!("nothing is bound to :{name}")))?;
                    Ok(Parameter(value.to_sql()?))
                };
                self.names.iter().map(named).collect::<Result<_>>()?
            }
        };
        let wanted = self.statement.params().len();
        if wanted == values.len() {
            Ok(values)
        } else {
            let what = format!("{} values for {wanted} parameters", values.len());
            Err(Failure::new(Kind::Other, what).into())
        }
    }
}
