-- Bodies of events may be compressed.

ALTER TABLE event_bodies ADD COLUMN size INTEGER; -- bytes that the LZ4 block in `body` holds; NULL: `body` is as it came
