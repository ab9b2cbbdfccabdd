CREATE TABLE sensor (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Which sequence numbers were ever stored; ranges that touch are one.
CREATE TABLE ledger (
    sensor INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (sensor, epoch, first)
) STRICT, WITHOUT ROWID;

-- Ids are never given twice, for those of flows are made of them.
CREATE TABLE interval_raw (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sensor INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    clock_step INTEGER NOT NULL,
    program_version TEXT NOT NULL,
    abi_version INTEGER NOT NULL,
    signatures_version INTEGER NOT NULL,
    observed_ipv4 INTEGER NOT NULL,
    observed_ipv6_prefixes INTEGER NOT NULL,
    watched_windows TEXT NOT NULL,
    breaches TEXT NOT NULL,
    packets INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    observed INTEGER NOT NULL,
    written4 INTEGER,
    written6 INTEGER,
    lost4 INTEGER,
    lost6 INTEGER,
    unread4 INTEGER,
    unread6 INTEGER,
    off INTEGER,
    flow_key INTEGER,
    flow_rows INTEGER,
    flow_packets INTEGER,
    overflow_rows INTEGER,
    overflow_packets INTEGER,
    missing INTEGER NOT NULL,
    flow_state INTEGER NOT NULL,
    ring_most_waiting INTEGER NOT NULL,
    ring_records INTEGER NOT NULL,
    counts_hash BLOB NOT NULL,
    arrived INTEGER NOT NULL,
    sent INTEGER,
    UNIQUE (sensor, epoch, first)
) STRICT;
CREATE INDEX interval_end ON interval_raw ("end");
CREATE INDEX interval_flows ON interval_raw ("end") WHERE flow_state IN (1, 3);

-- counter: dimension * 65536 + key
CREATE TABLE counter_raw (
    interval INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    packets INTEGER NOT NULL,
    PRIMARY KEY (interval, counter)
) STRICT, WITHOUT ROWID;

-- id: interval * 2^25 + row; times: milliseconds, from the interval's start, and from the first to the last.
CREATE TABLE flow_raw (
    id INTEGER PRIMARY KEY,
    source ANY,
    kind INTEGER NOT NULL,
    packets INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    first INTEGER NOT NULL,
    lasting INTEGER NOT NULL,
    ttl INTEGER NOT NULL,
    targets INTEGER NOT NULL,
    more INTEGER NOT NULL,
    victim ANY
) STRICT;

CREATE TABLE tuple_raw (
    id INTEGER PRIMARY KEY,
    source ANY,
    destination ANY,
    kind INTEGER NOT NULL,
    ports INTEGER NOT NULL,
    packets INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    first INTEGER NOT NULL,
    lasting INTEGER NOT NULL,
    ttl INTEGER NOT NULL,
    packet INTEGER NOT NULL,
    syn INTEGER NOT NULL
) STRICT;

-- place: region + 1024 * version of the table of regions
CREATE TABLE port_day_raw (
    day INTEGER NOT NULL,
    sensor INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    place INTEGER NOT NULL,
    packets INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (day, sensor, kind, place)
) STRICT, WITHOUT ROWID;

-- first: milliseconds from the day's start; sensors: the id of the only one, or a bit for each
CREATE TABLE source_day_raw (
    day INTEGER NOT NULL,
    source ANY NOT NULL,
    kind INTEGER NOT NULL,
    place INTEGER NOT NULL,
    packets INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    first INTEGER NOT NULL,
    lasting INTEGER NOT NULL,
    sensors ANY NOT NULL,
    PRIMARY KEY (day, source, kind, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE counter_day_raw (
    day INTEGER NOT NULL,
    sensor INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    packets INTEGER NOT NULL,
    PRIMARY KEY (day, sensor, counter)
) STRICT, WITHOUT ROWID;

CREATE TABLE uptime_day_raw (
    day INTEGER NOT NULL,
    sensor INTEGER NOT NULL,
    nanoseconds INTEGER NOT NULL,
    PRIMARY KEY (day, sensor)
) STRICT, WITHOUT ROWID;

-- The first day of which everything is kept, of what retention has begun to remove.
CREATE TABLE horizon (
    what TEXT PRIMARY KEY,
    day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
