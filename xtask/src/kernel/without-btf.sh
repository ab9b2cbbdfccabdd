#!/bin/sh
# The same where the kernel does not describe its types: what it has of that is hidden.
if [ -e /sys/kernel/btf ]; then
    mount -t tmpfs none /sys/kernel/btf || exit 1
fi
export APUS_FALLBACKS=no_btf
/apus/bin/floor && /apus/bin/fixtures && /apus/bin/captures
