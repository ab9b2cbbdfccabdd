#!/bin/busybox sh
# The first process of the virtual machine: runs /apus/steps, a line each, and says on the second serial line what came
# of it, in lines that begin with "@apus". The first serial line is the kernel's.
/bin/busybox --install -s /bin
export PATH=/tools/bin:/bin HOME=/tmp TMPDIR=/tmp APUS_PRIVILEGED=required RUST_BACKTRACE=0
export APUS_SENSOR=/apus/bin/apus-sensor APUS_ALONE=1
# On Linux 5.10 CPUs were seen that never came back from a test run while another program was put into the dispatcher of XDP
# programs: older kernels write its code anew while a slow CPU may still be on its way through it. So tests go in turn.
export RUST_TEST_THREADS=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs run /run
grep -q apus.emulated /proc/cmdline && export APUS_EMULATED=1
exec </dev/null >/dev/ttyS1 2>&1
stty -F /dev/ttyS1 raw
echo "@apus up $(uname -r)"
for module in /modules/*.ko; do
    [ -e "$module" ] && { insmod "$module" || echo "insmod $module failed"; }
done
ip link set dev lo up
. /apus/environment
# Packets that a veth pair has taken in are received by these threads where there is much to do; on older kernels nothing
# else receives meanwhile, and the pair's ring of 256 overflows while the sender has the processor.
ps -o pid,comm | while read -r thread name; do
    case $name in ksoftirqd/*) chrt --fifo --pid 1 "$thread" ;; esac
done

now() { cut -d ' ' -f 1 /proc/uptime; }

while read -r name limit command; do
    before=$(now)
    echo "@apus begin $name"
    timeout -s KILL "$limit" sh -c "$command" </dev/null
    code=$?
    # What a step has begun, changed or hidden ends with it: this process is the only one that is left.
    kill -KILL -1
    echo 1 2>/dev/null >/proc/sys/net/core/bpf_jit_enable
    umount /sys/kernel/btf 2>/dev/null
    echo
    echo "@apus end $name $code $before $(now)"
done </apus/steps

if [ -d /tmp/results ]; then
    echo "@apus results"
    tar -C /tmp/results -c -z . | base64
    echo "@apus end-of-results"
fi
echo "@apus done"
poweroff -f
