#!/bin/sh
# Runs once, when the database folder is empty (the postgres image calls it): two roles and the database.
# mb_owner owns the tables and migrates; mb_app, which web and workers use, can read and write rows and nothing more.
# The same as config/embedded/roles.py does for the demo.
set -eu

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\set owner_password `cat "$OWNER_PASSWORD_FILE"`
\set app_password `cat "$APP_PASSWORD_FILE"`
SET password_encryption = 'scram-sha-256';
SET log_statement = 'none';
SET log_min_duration_statement = -1;
CREATE ROLE mb_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE mb_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
CREATE DATABASE mikrotik_billing OWNER mb_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE mikrotik_billing FROM PUBLIC;
GRANT CONNECT ON DATABASE mikrotik_billing TO mb_app;
\connect mikrotik_billing
ALTER SCHEMA public OWNER TO mb_owner;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO mb_app;
ALTER DEFAULT PRIVILEGES FOR ROLE mb_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO mb_app;
ALTER DEFAULT PRIVILEGES FOR ROLE mb_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO mb_app;
SQL
