#!/bin/sh
# Creates the namespace and the search attributes that the worker needs, or shows where they are there. Safe to run again.
set -eu
tries=0
until temporal operator cluster health >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { echo "Temporal does not become healthy" >&2; exit 1; }
  sleep 1
done
temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1 || temporal operator namespace create --namespace "$NAMESPACE" --retention 30d
known=$(temporal operator search-attribute list --namespace "$NAMESPACE")
for attribute in RunbookTarget:KeywordList RunbookOutcome:Keyword RunbookState:Keyword; do
  name=${attribute%%:*}
  case "$known" in *"$name"*) continue ;; esac
  temporal operator search-attribute create --namespace "$NAMESPACE" --name "$name" --type "${attribute##*:}"
done
