-- Features of the taxi trips: the target first, then the features, then the part of the data a row belongs to.
--
-- Runs unchanged in Spark SQL and in DuckDB. The table `input` holds the rows that break no rule of the declaration
-- (docs/data.md), each column with its type; times are in UTC, and seconds are whole seconds.
-- `input.draw` is a row's lot, 32 hex digits: always the same for the same row, and nobody who uploads data can choose
-- it. A split by anything else lets whoever uploads decide what a model is tested on.
WITH typed AS (
    SELECT
        TRY_CAST(input.total AS DOUBLE) AS total,
        TRY_CAST(input.dropoff AS TIMESTAMP) - TRY_CAST(input.pickup AS TIMESTAMP) AS duration,
        TRY_CAST(input.passengers AS DOUBLE) AS passengers,
        TRY_CAST(input.distance AS DOUBLE) AS distance,
        input.draw,
        SUBSTR(input.draw, 1, 4) AS bucket
    FROM input
),
measured AS (
    SELECT
        total,
        CAST(
            EXTRACT(DAY FROM duration) * 86400
            + EXTRACT(HOUR FROM duration) * 3600
            + EXTRACT(MINUTE FROM duration) * 60
            + CAST(EXTRACT(SECOND FROM duration) AS INTEGER) AS DOUBLE
        ) / CAST(60 AS DOUBLE) AS duration_minutes,
        passengers,
        distance,
        draw,
        bucket
    FROM typed
)
SELECT
    total,
    duration_minutes,
    passengers,
    distance,
    CASE
        WHEN bucket < 'cccd' THEN 'train'       -- 80 %
        WHEN bucket < 'e667' THEN 'validation'  -- 10 %
        ELSE 'test'                             -- 10 %
    END AS split,
    draw  -- so that the job can tell a row that is both trained on and tested on
FROM measured
WHERE total > 0 AND total < 200
    AND duration_minutes > 0 AND duration_minutes < 120
    AND distance > 0 AND distance < 121
    AND passengers > 0 AND passengers < 100  -- the upper bound keeps NaN and infinity out
