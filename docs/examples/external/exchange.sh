#!/bin/sh
# What it takes to hand states of 1,000 and 30,000 values to a worker and back: a forecast with it, and the worker's own part.
# From this folder, on an idle machine: make exchange && ./exchange.sh. DAUNCE names the program.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
program=$(command -v "${DAUNCE:-daunce-mpi}")
cp exchange "$folder"
cd "$folder"
for count in 1000 30000; do
  printf 'time_step: 1\naxes: [{name: cell, period: %s}]\ndimensions: [{name: cell, length: %s}]\nfields: [{name: x, scale: 2}]\n' \
    $count $count > model.yaml
  for format in doubles netcdf; do
    rm -rf members report
    "$program" check-model --quiet --set model.name=external --set model.description=model.yaml --set model.format=$format \
      --set "model.worker=./exchange $count $folder/report" --set filter.half_width=null |
      sed -n "s/^ *speed  */$count values, $format: /p"
    tail -n 1 report
  done
done
