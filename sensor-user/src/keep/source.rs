//! The spool as the shipper sees it.

use bytes::Bytes;
use wire::Name;

use crate::ship::{Source, SourceError};
use crate::spool::{Spool, SpoolError};

impl Source for Spool {
    fn oldest(&self, most: usize, without: &[Name]) -> Vec<Name> {
        Self::oldest(self, most, without)
    }

    fn read(&self, name: &Name) -> Result<Option<Vec<Bytes>>, SourceError> {
        match Self::read(self, name) {
            Ok(batch) => Ok(Some(std::iter::once(batch.counts).chain(batch.flows).collect())),
            Err(SpoolError::Unknown { .. }) => Ok(None),
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
