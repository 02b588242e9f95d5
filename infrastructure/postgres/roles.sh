#!/bin/bash
# Who may do what. Runs when the database is made, and may be run again after a restore:
#   docker compose exec postgres bash /docker-entrypoint-initdb.d/10-roles.sh
# vitte owns the tables and migrates; vitte_app reads and writes rows; vitte_monitor sees statistics, and no row.
set -euo pipefail

PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    -v database="$POSTGRES_DB" -v owner_password="$POSTGRES_OWNER_PASSWORD" -v app_password="$POSTGRES_APP_PASSWORD" \
    -v monitor_password="$POSTGRES_MONITOR_PASSWORD" <<'SQL'
select format('create role %I login', name) from unnest(array['vitte', 'vitte_app', 'vitte_monitor']) as name
where not exists (select from pg_roles where rolname = name) \gexec
alter role vitte password :'owner_password';
alter role vitte_app password :'app_password';
alter role vitte_monitor password :'monitor_password';
grant pg_monitor to vitte_monitor;

create extension if not exists vector;
create extension if not exists pg_stat_statements;

alter database :"database" owner to vitte;
alter schema public owner to vitte;
revoke all on database :"database" from public;
revoke create on schema public from public;
grant connect on database :"database" to vitte_app, vitte_monitor;
grant usage on schema public to vitte_app;
grant select, insert, update, delete on all tables in schema public to vitte_app;
grant usage, select on all sequences in schema public to vitte_app;
alter default privileges for role vitte in schema public grant select, insert, update, delete on tables to vitte_app;
alter default privileges for role vitte in schema public grant usage, select on sequences to vitte_app;
SQL
