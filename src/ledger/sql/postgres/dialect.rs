//! Puts a statement that is written for SQLite into the words of PostgreSQL: where values are
//! bound, and without hints for SQLite's planner. What differs otherwise is written as both know
//! it.

/// A statement as PostgreSQL takes it, and the names of what is bound to it, in their order; none
/// where it is bound by position.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Translated {
    pub(super) sql: String,
    pub(super) names: Vec<String>,
}

/// Translates a statement.
pub(super) fn translate(sqlite: &str) -> Translated {
    let (mut sql, mut names) = (String::with_capacity(sqlite.len()), Vec::new());
    let unhinted = without_hints(sqlite);
    let mut rest = unhinted.as_str();
    while let Some(letter) = rest.chars().next() {
        let after = rest.get(letter.len_utf8()..).unwrap_or_default();
        rest = match letter {
            '\'' | '"' => {
                let end = after.find(letter).map_or(after.len(), |end| end + 1);
                let (quoted, after) = after.split_at(end);
                sql.push(letter);
                sql.push_str(quoted);
                after
            }
            '?' => {
                sql.push('$');
                after
            }
            ':' if after.starts_with(|c: char| c.is_ascii_lowercase()) => {
                let end = after.find(|c: char| !is_of_name(c)).unwrap_or(after.len());
                let (name, after) = after.split_at(end);
                let known = names.iter().position(|known| known == name);
                let number = known.unwrap_or_else(|| {
                    names.push(name.to_owned());
                    names.len() - 1
                });
                sql.extend(["$", &(number + 1).to_string()]);
                after
            }
            _ => {
                sql.push(letter);
                after
            }
        };
    }
    Translated { sql, names }
}

/// A statement without what SQLite's planner is told: a CROSS JOIN is a join in the order as
/// written, INDEXED BY names the index to use.
fn without_hints(sqlite: &str) -> String {
    let mut pieces = sqlite.split(" INDEXED BY ");
    let mut sql = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        sql.push_str(piece.trim_start_matches(is_of_name));
    }
    sql.replace("CROSS JOIN", "JOIN")
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bound_is_numbered() {
        let of = |sql: &str| {
            let Translated { sql, names } = translate(sql);
            (sql, names.join(" "))
        };
        assert_eq!(
            of("SELECT a FROM b WHERE c = ?1 AND d = ?12"),
            ("SELECT a FROM b WHERE c = $1 AND d = $12".into(), String::new())
        );
        assert_eq!(
            of("UPDATE a SET b = :now WHERE c > :from AND d < :now AND e = ':now' AND f = '?1'"),
            (
                "UPDATE a SET b = $1 WHERE c > $2 AND d < $1 AND e = ':now' AND f = '?1'".into(),
                "now from".into()
            )
        );
        assert_eq!(
            of("SELECT 1 FROM a INDEXED BY a_1 CROSS JOIN b ON b.c = a.c"),
            ("SELECT 1 FROM a JOIN b ON b.c = a.c".into(), String::new())
        );
    }
}
