-- Airlines by their code.
CREATE TABLE airline (
    iata CHAR(2) NOT NULL PRIMARY KEY,
    name VARCHAR(100) NOT NULL
);
INSERT INTO airline (iata, name) VALUES ('LH', 'Lufthansa; Cologne');
