#!/bin/sh
# Builds the program, holds the model against the contract of models, and runs a short experiment.
set -e
cd "$(dirname "$0")"
swift build -c release
program=.build/release/NAME
$program check-model --config experiment.yaml
$program run --config experiment.yaml --cycles 60 --set truths.spinup_cycles=20 --set truths.test=2 --output results-test
