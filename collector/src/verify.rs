//! `verify`: the store, read again.

use std::io::{self, Write};

use crate::store::{Finding, FindingKind, StoreArguments, StoreError};

#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub store: StoreArguments,
}

/// Why a store does not pass.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "{0} things are wrong in the store, or cannot be read: see above; take the last backup that passes"
    )]
    Breaches(u64),
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

/// Prints what is found, and what cannot be read. Gaps are none of the store's doing, and no error.
///
/// # Errors
/// Where something is wrong in the store, or it cannot be read.
pub fn run(arguments: &Arguments, output: &mut impl Write) -> Result<(), VerifyError> {
    let (mut gaps, mut reported, mut breaches) = (0_u64, 0_u64, 0_u64);
    let mut printed = Ok(());
    arguments.store.reader()?.verify(&mut |Finding { kind, what }| {
        let (count, word) = match kind {
            FindingKind::Gap => (&mut gaps, "gap"),
            FindingKind::Reported => (&mut reported, "reported"),
            FindingKind::Breach => (&mut breaches, "BREACH"),
        };
        *count += 1;
        if printed.is_ok() {
            printed = writeln!(output, "{word}: {what}");
        }
    })?;
    printed?;
    writeln!(output, "{breaches} breaches, {gaps} gaps, {reported} breaches that agents reported")?;
    if breaches == 0 { Ok(()) } else { Err(VerifyError::Breaches(breaches)) }
}
