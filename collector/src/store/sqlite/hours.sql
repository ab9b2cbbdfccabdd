-- Sums by hour, 0 to 23 of a day of UTC, of the newest days alone: see horizon 'hours'.
CREATE TABLE port_hour_raw (
    day INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    sensor INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    place INTEGER NOT NULL,
    packets INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (day, hour, sensor, kind, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE uptime_hour_raw (
    day INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    sensor INTEGER NOT NULL,
    nanoseconds INTEGER NOT NULL,
    PRIMARY KEY (day, hour, sensor)
) STRICT, WITHOUT ROWID;

-- By which the last interval of a sensor is found.
CREATE INDEX interval_sensor_end ON interval_raw (sensor, "end");

-- Of days that were summed up before there were hours, there are none: the first whole one comes after them. The newest
-- may be tomorrow, or later: sensors have clocks of their own.
INSERT INTO horizon (what, day)
SELECT 'hours', max(day) + 1 FROM calendar HAVING max(day) IS NOT NULL;
