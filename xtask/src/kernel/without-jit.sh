#!/bin/sh
# The rules and the captures with the program interpreted, where this kernel can.
switch=/proc/sys/net/core/bpf_jit_enable
if ! echo 0 2>/dev/null >$switch; then
    echo "this kernel always compiles"
    exit 0
fi
export APUS_FALLBACKS=interpreter
/apus/bin/floor && /apus/bin/fixtures && /apus/bin/captures
code=$?
echo 1 >$switch
exit $code
