#!/bin/sh
# The rules and the captures with the program interpreted, where this kernel can.
switch=/proc/sys/net/core/bpf_jit_enable
if [ ! -e $switch ]; then
    echo "this kernel never compiles, or has no switch for it"
    exit 1
fi
if ! echo 0 2>/dev/null >$switch; then
    echo "this kernel always compiles"
    exit 4
fi
export APUS_FALLBACKS=interpreter
/apus/bin/floor && /apus/bin/fixtures && /apus/bin/captures
