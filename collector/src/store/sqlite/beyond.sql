-- Bytes beyond the 40 that each packet has of IPv4 and TCP alone: most are SYNs of that length or little more, and a
-- small number takes no byte or one.
ALTER TABLE flow_raw RENAME COLUMN bytes TO beyond;
ALTER TABLE tuple_raw RENAME COLUMN bytes TO beyond;
UPDATE flow_raw SET beyond = beyond - 40 * packets;
UPDATE tuple_raw SET beyond = beyond - 40 * packets;
