#!/bin/sh
# Creates Temporal's two databases and brings their schema up to date. Safe to run again; runs before each start of the server.
set -eu
for database in temporal temporal_visibility; do
  schema=temporal
  [ "$database" = temporal ] || schema=visibility
  tool="temporal-sql-tool --plugin postgres12 --endpoint $POSTGRES_SEEDS --user $POSTGRES_USER --password $POSTGRES_PWD --port $DB_PORT --database $database"
  $tool create || echo "$database exists"
  $tool setup-schema --version 0.0 || echo "$database has a schema"
  $tool update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$schema/versioned"
done
