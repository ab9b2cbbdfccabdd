//! Rows of a table, as record batches.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder, TimestampNanosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use rusqlite::{Connection, Row, params};

use super::failure::failure;
use super::interval::signed;
use super::views;
use crate::store::{Column, ColumnKind, Period, StoreError, Table};

/// Rows of a record batch.
const ROWS_AT_ONCE: usize = 1 << 16;
/// Every library understands it, where names need a table of time zones.
const UTC: &str = "+00:00";

/// Hands over the rows of a table in a period.
pub fn scan(
    connection: &Connection,
    table: Table,
    period: Period,
    take: &mut dyn FnMut(RecordBatch) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let fields: Vec<Field> = table
        .columns()
        .iter()
        .map(|column| Field::new(column.name, data_type(column.kind), column.optional))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let mut builders: Vec<Builder> = table.columns().iter().map(Builder::new).collect();
    let mut statement = connection.prepare(&views::scan(table, period)).map_err(failure)?;
    let mut rows = statement.query(params![signed(period.from), signed(period.to)]).map_err(failure)?;
    let mut waiting = 0;
    while let Some(row) = rows.next().map_err(failure)? {
        for (place, builder) in builders.iter_mut().enumerate() {
            builder.push(row, place).map_err(failure)?;
        }
        waiting += 1;
        if waiting == ROWS_AT_ONCE {
            waiting = 0;
            take(record(&schema, &mut builders)?)?;
        }
    }
    // A table without rows still has columns.
    take(record(&schema, &mut builders)?)
}

fn record(schema: &SchemaRef, builders: &mut [Builder]) -> Result<RecordBatch, StoreError> {
    let columns = builders.iter_mut().map(Builder::finish).collect();
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|error| StoreError::Rows(error.to_string()))
}

fn data_type(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Text => DataType::Utf8,
        ColumnKind::Integer => DataType::Int64,
        ColumnKind::Real => DataType::Float64,
        ColumnKind::Flag => DataType::Boolean,
        ColumnKind::Date => DataType::Date32,
        ColumnKind::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some(UTC.into())),
    }
}

enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Real(Float64Builder),
    Flag(BooleanBuilder),
    Date(Date32Builder),
    Time(TimestampNanosecondBuilder),
}

impl Builder {
    fn new(column: &Column) -> Self {
        match column.kind {
            ColumnKind::Text => Self::Text(StringBuilder::new()),
            ColumnKind::Integer => Self::Integer(Int64Builder::new()),
            ColumnKind::Real => Self::Real(Float64Builder::new()),
            ColumnKind::Flag => Self::Flag(BooleanBuilder::new()),
            ColumnKind::Date => Self::Date(Date32Builder::new()),
            ColumnKind::Time => Self::Time(TimestampNanosecondBuilder::new().with_timezone(UTC)),
        }
    }

    fn push(&mut self, row: &Row<'_>, place: usize) -> rusqlite::Result<()> {
        match self {
            Self::Text(builder) => {
                let text = row.get_ref(place)?.as_str_or_null()?;
                builder.append_option(text);
            }
            Self::Integer(builder) => builder.append_option(row.get(place)?),
            Self::Real(builder) => builder.append_option(row.get(place)?),
            Self::Flag(builder) => builder.append_option(row.get(place)?),
            Self::Date(builder) => builder.append_option(row.get(place)?),
            Self::Time(builder) => builder.append_option(row.get(place)?),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Real(builder) => Arc::new(builder.finish()),
            Self::Flag(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
        }
    }
}
