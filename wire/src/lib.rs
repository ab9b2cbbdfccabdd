//! The interval batch.
