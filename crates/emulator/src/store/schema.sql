-- Version 1 of the state file. Only the emulator reads the JSON columns. `place` counts from 0.
CREATE TABLE workspace (
    enterprise TEXT NOT NULL,
    seed TEXT NOT NULL, -- the workspace file that a reset returns to
    answers TEXT NOT NULL, -- the same file with the options that leads have created
    members TEXT NOT NULL
) STRICT;

CREATE TABLE counters (
    last_id INTEGER NOT NULL,
    last_ticket INTEGER NOT NULL,
    clock TEXT NOT NULL
) STRICT;

CREATE TABLE lead (
    place INTEGER PRIMARY KEY,
    identifier TEXT NOT NULL,
    json TEXT NOT NULL
) STRICT;

CREATE TABLE entry ( -- an entry of a timeline
    lead INTEGER NOT NULL,
    place INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (lead, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE waiting ( -- accepted by the Async API and not processed yet
    ticket INTEGER PRIMARY KEY,
    json TEXT NOT NULL
) STRICT;
