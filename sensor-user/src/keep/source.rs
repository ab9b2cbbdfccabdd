//! The spool as the shipper sees it.

use bytes::Bytes;
use wire::Name;

use crate::ship::{Source, SourceError};
use crate::spool::{Spool, SpoolError};

impl Source for Spool {
    fn oldest(&self, most: usize, is_out: &dyn Fn(&Name) -> bool) -> Vec<Name> {
        Self::oldest(self, most, is_out)
    }

    fn read(&self, name: &Name) -> Result<Option<Vec<Bytes>>, SourceError> {
        match Self::read(self, name) {
            Ok(batch) => Ok(Some(std::iter::once(batch.counts).chain(batch.flows).collect())),
            // What is damaged was told of, and given up.
            Err(SpoolError::Unknown { .. } | SpoolError::Damaged { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn mark_attempted(&self, name: &Name) -> Result<(), SourceError> {
        Ok(Self::mark_attempted(self, name)?)
    }

    fn mark_stored(&self, name: &Name) -> Result<(), SourceError> {
        Ok(Self::mark_stored(self, name)?)
    }
}
