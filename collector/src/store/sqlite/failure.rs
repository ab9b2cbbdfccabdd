//! SQLite's errors in the store's words.

use rusqlite::ffi::SQLITE_CONSTRAINT_DATATYPE;
use rusqlite::{Error, ErrorCode};

use crate::store::StoreError;

/// What an error of SQLite means to who uses a store.
pub fn failure(error: Error) -> StoreError {
    let what = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full { what },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { what },
        Some(
            ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OutOfMemory,
        ) => StoreError::Disk { what },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { what },
        // A sum that leaves 64 bits becomes a real number, which no column takes.
        Some(ErrorCode::ConstraintViolation)
            if error
                .sqlite_error()
                .is_some_and(|error| error.extended_code == SQLITE_CONSTRAINT_DATATYPE) =>
        {
            StoreError::Range { what }
        }
        _ => StoreError::Failed { what },
    }
}
