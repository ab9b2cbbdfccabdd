//! Questions in SQL, which can change nothing.

use std::time::{Duration, Instant};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};

use super::failure::failure;
use crate::store::{Answer, StoreError, Value};

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 10_000;
/// Pragmas that only tell what there is.
const PRAGMAS: [&str; 4] = ["table_info", "table_xinfo", "table_list", "index_list"];

/// Answers one statement, within some time.
pub fn answer(
    connection: &mut Connection,
    sql: &str,
    most_rows: usize,
    within: Duration,
) -> Result<Answer, StoreError> {
    connection.authorizer(Some(authorize)).map_err(failure)?;
    let begin = Instant::now();
    connection.progress_handler(STEPS, Some(move || begin.elapsed() > within)).map_err(failure)?;
    let answer = read(connection, sql, most_rows);
    connection.progress_handler(0, None::<fn() -> bool>).map_err(failure)?;
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>).map_err(failure)?;
    answer.map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => StoreError::Timeout { seconds: within.as_secs_f64() },
        Some(ErrorCode::AuthorizationForStatementDenied) => StoreError::Question {
            what: format!("{error}; only SELECT is answered, and nothing can be changed"),
        },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure | ErrorCode::DatabaseBusy) => {
            failure(error)
        }
        _ => StoreError::Question { what: error.to_string() },
    })
}

/// Reads what one answer needs, all of it as of the same moment, within some time.
pub fn timed<T>(
    connection: &mut Connection,
    within: Duration,
    read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    let begin = Instant::now();
    connection.progress_handler(STEPS, Some(move || begin.elapsed() > within)).map_err(failure)?;
    let found = connection.unchecked_transaction().and_then(|transaction| read(&transaction));
    connection.progress_handler(0, None::<fn() -> bool>).map_err(failure)?;
    found.map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => StoreError::Timeout { seconds: within.as_secs_f64() },
        _ => failure(error),
    })
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Function { .. }
        | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Pragma { pragma_name, .. } if PRAGMAS.contains(&pragma_name) => Authorization::Allow,
        _ => Authorization::Deny,
    }
}

fn read(connection: &Connection, sql: &str, most_rows: usize) -> rusqlite::Result<Answer> {
    let mut statement = connection.prepare(sql)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut answer = Answer { columns, ..Answer::default() };
    let count = answer.columns.len();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if answer.rows.len() == most_rows {
            answer.is_cut = true;
            break;
        }
        let values = (0..count).map(|column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Null => Value::Nothing,
                ValueRef::Integer(number) => Value::Integer(number),
                ValueRef::Real(number) => Value::Real(number),
                ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
            })
        });
        answer.rows.push(values.collect::<rusqlite::Result<_>>()?);
    }
    Ok(answer)
}
