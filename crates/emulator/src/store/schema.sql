-- Version 1 of the state file. JSON where only the emulator looks inside; `place` counts from 0.
CREATE TABLE workspace (
    enterprise TEXT NOT NULL,
    seed TEXT NOT NULL, -- a workspace file, to which a reset goes back
    answers TEXT NOT NULL, -- the same with the options that leads created
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

CREATE TABLE entry ( -- of a lead's timeline
    lead INTEGER NOT NULL,
    place INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (lead, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE waiting ( -- taken by the Async API, and not processed
    ticket INTEGER PRIMARY KEY,
    json TEXT NOT NULL
) STRICT;
