-- The days that there are sums of, as people write them: by which questions about days find the sums' keys.
CREATE TABLE calendar (
    day INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- From one day to the next by the keys: to read all sums would take as long as the store is large.
WITH RECURSIVE
    port(day) AS (SELECT min(day) FROM port_day_raw
        UNION ALL SELECT (SELECT min(day) FROM port_day_raw d WHERE d.day > port.day) FROM port WHERE day IS NOT NULL),
    source(day) AS (SELECT min(day) FROM source_day_raw
        UNION ALL SELECT (SELECT min(day) FROM source_day_raw d WHERE d.day > source.day) FROM source WHERE day IS NOT NULL),
    counter(day) AS (SELECT min(day) FROM counter_day_raw
        UNION ALL SELECT (SELECT min(day) FROM counter_day_raw d WHERE d.day > counter.day) FROM counter WHERE day IS NOT NULL),
    uptime(day) AS (SELECT min(day) FROM uptime_day_raw
        UNION ALL SELECT (SELECT min(day) FROM uptime_day_raw d WHERE d.day > uptime.day) FROM uptime WHERE day IS NOT NULL)
INSERT INTO calendar (day, text)
SELECT day, date(day * 86400, 'unixepoch') FROM (
    SELECT day FROM port UNION SELECT day FROM source UNION SELECT day FROM counter UNION SELECT day FROM uptime)
WHERE day IS NOT NULL;
