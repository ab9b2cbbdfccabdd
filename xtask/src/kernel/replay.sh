#!/bin/sh
# Replays each capture of a folder in both ways to tell flows apart, and leaves what the sensor said for the oracle.
for capture in "$1"/*.pcap; do
    for key in source flowtuple; do
        folder=/tmp/results/oracle/$(basename "$capture")/$key
        mkdir -p "$folder"
        "$APUS_SENSOR" replay --json --flow-key $key --flows "$folder/flows.csv" "$capture" \
            >"$folder/output" 2>"$folder/errors"
        echo $? >"$folder/code"
    done
done
