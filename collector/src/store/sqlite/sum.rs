//! `sum()` that ends at the highest number, in place of SQLite's, which fails there.
//!
//! One sensor whose counters cannot be must not keep anybody from the figures of all the others: neither the commands,
//! nor whoever asks in SQL.

use rusqlite::Result;
use rusqlite::functions::{Aggregate, Context, WindowAggregate};
use rusqlite::types::{Value, ValueRef};

/// What has been added: integers exactly, and the rest as SQLite does.
#[derive(Clone, Debug, Default)]
pub struct Added {
    integers: i128,
    reals: f64,
    /// Values that were added, and of those the ones that are no integers.
    values: u64,
    real_values: u64,
}

impl Added {
    fn change(&mut self, value: ValueRef<'_>, add: bool) {
        let real = match value {
            ValueRef::Null => return,
            ValueRef::Integer(number) => {
                let number = i128::from(number);
                self.integers = self.integers.saturating_add(if add { number } else { -number });
                None
            }
            ValueRef::Real(number) => Some(number),
            // As SQLite has it: text is the number that it is, or zero.
            ValueRef::Text(text) | ValueRef::Blob(text) => {
                Some(std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0.0))
            }
        };
        let change = |count: &mut u64| *count = count.saturating_add_signed(if add { 1 } else { -1 });
        change(&mut self.values);
        if let Some(real) = real {
            change(&mut self.real_values);
            self.reals += if add { real } else { -real };
        }
    }

    fn value(&self) -> Value {
        match (self.values, self.real_values) {
            (0, _) => Value::Null,
            (_, 0) => {
                let most = if self.integers < 0 { i64::MIN } else { i64::MAX };
                Value::Integer(i64::try_from(self.integers).unwrap_or(most))
            }
            _ => Value::Real(self.integers as f64 + self.reals),
        }
    }
}

pub struct Sum;

impl Aggregate<Added, Value> for Sum {
    fn init(&self, _: &mut Context<'_>) -> Result<Added> {
        Ok(Added::default())
    }

    fn step(&self, context: &mut Context<'_>, added: &mut Added) -> Result<()> {
        added.change(context.get_raw(0), true);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, added: Option<Added>) -> Result<Value> {
        Ok(added.map_or(Value::Null, |added| added.value()))
    }
}

impl WindowAggregate<Added, Value> for Sum {
    fn value(&self, added: Option<&mut Added>) -> Result<Value> {
        Ok(added.map_or(Value::Null, |added| added.value()))
    }

    fn inverse(&self, context: &mut Context<'_>, added: &mut Added) -> Result<()> {
        added.change(context.get_raw(0), false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn sums_are_those_of_sqlite_and_end_at_the_highest_number() {
        let plain = Connection::open_in_memory().unwrap();
        let ours = Connection::open_in_memory().unwrap();
        super::super::functions::register(&ours).unwrap();
        let ask = |connection: &Connection, sql: &str| -> Result<Value> {
            connection.query_row(sql, [], |row| row.get(0))
        };
        for values in ["(1), (2)", "(NULL)", "(1), (NULL)", "(1), (2.5)", "('7'), (1)", "('x')", "(-3), (-4)"]
        {
            let of = |expression: &str| format!("SELECT {expression} FROM (VALUES {values})");
            let alike = |value: Value| match value {
                Value::Integer(number) => Some(number as f64),
                Value::Real(number) => Some(number),
                _ => None,
            };
            for expression in
                ["sum(column1)", "sum(DISTINCT column1)", "sum(column1) OVER (ROWS 0 PRECEDING)"]
            {
                let found = ask(&ours, &of(expression)).unwrap();
                assert_eq!(
                    alike(found),
                    alike(ask(&plain, &of(expression)).unwrap()),
                    "{expression} {values}"
                );
            }
        }
        for (values, expected) in [
            ("(9223372036854775807), (1)", i64::MAX),
            ("(-9223372036854775807), (-9)", i64::MIN),
            ("(9223372036854775807), (9223372036854775807), (-9223372036854775807)", i64::MAX),
        ] {
            let sql = format!("SELECT sum(column1) FROM (VALUES {values})");
            assert_eq!(ask(&ours, &sql).unwrap(), Value::Integer(expected));
        }
        let none = "SELECT sum(column1) FROM (VALUES (1)) WHERE 0";
        assert_eq!(ask(&ours, none).unwrap(), Value::Null);
    }
}
