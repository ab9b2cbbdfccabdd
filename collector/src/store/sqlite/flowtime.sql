-- How long of a sensor's up-time its flows are known: of intervals that brought them, or had none to bring.
ALTER TABLE uptime_day_raw ADD COLUMN with_flows INTEGER NOT NULL DEFAULT 0;
UPDATE uptime_day_raw SET with_flows = nanoseconds;

-- What the intervals that are kept tell of. Of days whose intervals are gone, all is taken to be known.
WITH RECURSIVE
    lost(sensor, day, "from", "to") AS (
        SELECT sensor, start / 86400000000000, start, "end" FROM interval_raw
        WHERE flow_state = 0 AND observed > 0 AND "end" > start
        UNION ALL
        SELECT sensor, day + 1, "from", "to" FROM lost WHERE (day + 1) * 86400000000000 < "to"),
    by_day AS (
        SELECT sensor, day, CAST(min(total(min("to", (day + 1) * 86400000000000) - max("from", day * 86400000000000)),
            9e18) AS INTEGER) AS nanoseconds
        FROM lost GROUP BY sensor, day)
UPDATE uptime_day_raw SET with_flows = max(uptime_day_raw.nanoseconds - by_day.nanoseconds, 0)
FROM by_day WHERE by_day.sensor = uptime_day_raw.sensor AND by_day.day = uptime_day_raw.day;
