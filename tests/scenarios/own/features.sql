-- Monthly rents of flats: the target first, then the features, then the part of the data a row belongs to.
WITH typed AS (
    SELECT
        TRY_CAST(input.rent_eur AS DOUBLE) AS rent_eur,
        TRY_CAST(input.size_m2 AS DOUBLE) AS area,
        TRY_CAST(input.rooms AS DOUBLE) AS rooms,
        CAST(2026 AS DOUBLE) - TRY_CAST(input.built AS DOUBLE) AS age,
        input.balcony AS balcony,
        input.district AS district,
        SUBSTR(
            MD5(CONCAT_WS('|', input.size_m2, input.rooms, input.built, input.balcony, input.district, input.rent_eur)),
            1, 4
        ) AS bucket
    FROM input
)
SELECT
    rent_eur,
    area,
    rooms,
    age,
    balcony,
    district,
    CASE WHEN bucket < 'b333' THEN 'train' WHEN bucket < 'cccd' THEN 'validation' ELSE 'test' END AS split
FROM typed
WHERE rent_eur > 100 AND rent_eur < 20000
    AND area > 5 AND area < 1000
    AND rooms > 0 AND rooms < 30
    AND (age IS NULL OR age >= 0 AND age < 500)
