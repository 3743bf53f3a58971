-- Roles and the database, for a PostgreSQL that has neither. Run by psql as a superuser; running it
-- again changes nothing. The exchange does so for its private server; for a server of your own:
--
--   psql -U postgres -f sql/cluster.sql
--
-- hoga        owns the database: hoga-reporter migrates it and writes it
-- compliance  reads the views and nothing else; its sessions are read-only

\set ON_ERROR_STOP on

SELECT 'CREATE ROLE hoga LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hoga') \gexec

SELECT 'CREATE ROLE compliance LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'compliance') \gexec

ALTER ROLE hoga NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 16;
ALTER ROLE compliance NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 16;
ALTER ROLE compliance SET default_transaction_read_only = on;

SELECT 'CREATE DATABASE hoga OWNER hoga'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'hoga') \gexec

REVOKE ALL ON DATABASE hoga FROM PUBLIC;
GRANT CONNECT ON DATABASE hoga TO compliance;
