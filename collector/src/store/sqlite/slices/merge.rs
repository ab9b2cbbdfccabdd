//! Rows of several days together, by source, without a room for all of them.
//!
//! Of one day, the key has the rows in the order of their sources already. A cursor for each day is all that it takes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rusqlite::{Connection, Result, Row, Rows, Statement};

use crate::store::sqlite::address::Address;

/// Hands over what each of these statements finds, the first column of which is a source that never falls: those of one
/// source follow each other, and sources rise.
pub fn by_source<T>(
    connection: &Connection,
    statements: &[String],
    read: impl Fn(&Row<'_>) -> Result<T>,
    mut take: impl FnMut(Address, T),
) -> Result<()> {
    let mut statements: Vec<Statement<'_>> =
        statements.iter().map(|sql| connection.prepare(sql)).collect::<Result<_>>()?;
    let mut cursors: Vec<Rows<'_>> =
        statements.iter_mut().map(|statement| statement.query([])).collect::<Result<_>>()?;
    let mut heads: Vec<Option<T>> = Vec::new();
    let mut order = BinaryHeap::new();
    let advance = |cursor: &mut Rows<'_>| -> Result<Option<(Address, T)>> {
        cursor.next()?.map(|row| Ok((row.get::<_, Address>(0)?, read(row)?))).transpose()
    };
    for (place, cursor) in cursors.iter_mut().enumerate() {
        let head = advance(cursor)?;
        order.extend(head.as_ref().map(|(source, _)| Reverse((*source, place))));
        heads.push(head.map(|(_, value)| value));
    }
    while let Some(Reverse((source, place))) = order.pop() {
        let (Some(head), Some(cursor)) = (heads.get_mut(place), cursors.get_mut(place)) else { continue };
        let next = advance(cursor)?;
        order.extend(next.as_ref().map(|(source, _)| Reverse((*source, place))));
        if let Some(value) = std::mem::replace(head, next.map(|(_, value)| value)) {
            take(source, value);
        }
    }
    Ok(())
}
