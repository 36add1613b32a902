CREATE TABLE item(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  lead_key TEXT NOT NULL,
  idem TEXT,             -- the caller's key
  digest BLOB NOT NULL,  -- of the lead as the caller gave it
  body TEXT,             -- NULL once pruned; the key stays
  state INTEGER NOT NULL,
  settled_ms INTEGER,
  detail TEXT NOT NULL   -- JSON: what nobody searches for
);
CREATE INDEX item_open ON item(lead_key, seq) WHERE state IN (0, 1);
CREATE INDEX item_accepted ON item(lead_key, seq) WHERE state = 2;
CREATE INDEX item_dead ON item(seq) WHERE state = 6;
CREATE UNIQUE INDEX item_idem ON item(idem) WHERE idem IS NOT NULL;

-- The lock, the timer and the order of one lead.
CREATE TABLE lane(
  kind INTEGER NOT NULL,  -- 0 send, 1 verify
  lead_key TEXT NOT NULL,
  rank INTEGER NOT NULL,
  due INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  leased INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  PRIMARY KEY(kind, lead_key)
) WITHOUT ROWID;
CREATE INDEX lane_due ON lane(kind, rank, due) WHERE leased = 0;
CREATE INDEX lane_leased ON lane(kind) WHERE leased = 1;

-- The workspace, limits, and why nothing is sent.
CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Items by state, so that counting a million is one read.
CREATE TABLE total(state INTEGER PRIMARY KEY, items INTEGER NOT NULL);
INSERT INTO total VALUES (0,0),(1,0),(2,0),(3,0),(4,0),(5,0),(6,0),(7,0),(8,0);
CREATE TRIGGER item_added AFTER INSERT ON item BEGIN
  UPDATE total SET items = items + 1 WHERE state = new.state;
END;
CREATE TRIGGER item_changed AFTER UPDATE OF state ON item WHEN old.state <> new.state BEGIN
  UPDATE total SET items = items - 1 WHERE state = old.state;
  UPDATE total SET items = items + 1 WHERE state = new.state;
END;
CREATE TRIGGER item_removed AFTER DELETE ON item BEGIN
  UPDATE total SET items = items - 1 WHERE state = old.state;
END;
