#!/bin/sh
# Records what has not been recorded yet, on a machine with a GPU, bun and g++: record-all.sh SCRATCH-FOLDER
#
#   tests/conformance/memory                     atomic operations and ordered accesses
#   tests/ptx/fixtures/gpu-kernels-wide.json     400 generated kernels of the wider kind
set -e
out=$1
cd "$(dirname "$0")/../.."
mkdir -p "$out/memory" "$out/kernels" "$out/answers"
flags="-O1 -static-libstdc++ -static-libgcc"

bun scripts/oracle/make_memory_cases.ts "$out/memory" 1
g++ $flags -o "$out/record" scripts/oracle/record.cpp -ldl
"$out/record" "$out/memory"
bun scripts/oracle/pack.ts "$out/memory" memory

bun scripts/kernels/export.ts "$out/kernels" 400 1000
g++ $flags -o "$out/record-kernels" scripts/kernels/record.cpp -ldl
"$out/record-kernels" "$out/kernels" "$out/answers"
bun scripts/kernels/export.ts --compare "$out/kernels" "$out/answers"
