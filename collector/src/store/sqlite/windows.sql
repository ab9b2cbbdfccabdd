-- How long of its up-time with flows a sensor watched a window: intervals tell it, too, but go before the sums by day.
CREATE TABLE window_day_raw (
    day INTEGER NOT NULL,
    sensor INTEGER NOT NULL,
    watched_window INTEGER NOT NULL,
    nanoseconds INTEGER NOT NULL,
    PRIMARY KEY (day, sensor, watched_window)
) STRICT, WITHOUT ROWID;

-- Observed packets that are in no flow that came, of the intervals whose last moment is of the day.
ALTER TABLE uptime_day_raw ADD COLUMN missing INTEGER NOT NULL DEFAULT 0;

-- Of days some of whose intervals are gone, nothing tells which windows were watched: what comes late must not seem to.
INSERT INTO horizon (what, day) SELECT 'windows', day FROM horizon WHERE what = 'counters';

-- Damaged intervals, and lists that are none, tell nothing. Lists are few: by list first, then by window.
WITH RECURSIVE
    span(sensor, list, day, "from", "to") AS (
        SELECT sensor, watched_windows, start / 86400000000000, start, "end" FROM interval_raw
        WHERE (flow_state > 0 OR observed = 0) AND watched_windows <> '[]'
            AND 0 <= start AND start < "end" AND "end" <= 7258118400000000000
        UNION ALL
        SELECT sensor, list, day + 1, "from", "to" FROM span WHERE (day + 1) * 86400000000000 < "to"),
    by_list AS (
        SELECT sensor, list, day,
            sum(min("to", (day + 1) * 86400000000000) - max("from", day * 86400000000000)) AS nanoseconds
        FROM span WHERE day >= (SELECT coalesce(max(day), 0) FROM horizon WHERE what IN ('windows', 'sums'))
        GROUP BY sensor, list, day),
    by_array AS (
        SELECT *, iif(json_valid(list), iif(json_type(list) = 'array', list, '[]'), '[]') AS array FROM by_list),
    by_window AS (
        SELECT DISTINCT sensor, list, day, nanoseconds, w.value AS watched_window
        FROM by_array, json_each(array) w
        WHERE NOT EXISTS (
            SELECT 1 FROM json_each(array) e WHERE e.type <> 'integer' OR e.value NOT BETWEEN 0 AND 65535))
INSERT INTO window_day_raw (day, sensor, watched_window, nanoseconds)
SELECT day, sensor, watched_window, sum(nanoseconds) FROM by_window GROUP BY day, sensor, watched_window;

INSERT INTO uptime_day_raw (day, sensor, nanoseconds, with_flows, missing)
SELECT max(start, "end" - 1) / 86400000000000, sensor, 0, 0, sum(missing)
FROM interval_raw
WHERE missing > 0 AND 0 <= start AND start <= "end" AND "end" <= 7258118400000000000
    AND max(start, "end" - 1) / 86400000000000 >= (SELECT coalesce(max(day), 0) FROM horizon WHERE what = 'sums')
GROUP BY 1, 2
ON CONFLICT DO UPDATE SET missing = excluded.missing;
