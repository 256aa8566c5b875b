-- +goose Up
-- Events of before this version are not counted; row 0 is that of all streams.
INSERT INTO experiment_progress (stream_no, seq)
SELECT s.stream_no, s.last_seq FROM ingest_stream s WHERE NOT EXISTS (SELECT 1 FROM experiment_progress p WHERE p.stream_no = 0)
UNION ALL
SELECT 0, 1 FROM config_revision c WHERE c.id = 1 AND NOT EXISTS (SELECT 1 FROM experiment_progress p WHERE p.stream_no = 0);
