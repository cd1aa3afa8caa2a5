#!/bin/sh
# Records anew, on a machine with a GPU, bun, g++ and the toolkit's cuda.h, and puts it among the tests:
# record-all.sh SCRATCH-FOLDER
#
#   tests/conformance/memory                     atomic operations and ordered accesses
#   tests/ptx/fixtures/gpu-kernels-wide.json     400 generated kernels of the wider kind
#   tests/compiler/textures                      textures and surfaces
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

bun scripts/oracle/textures.ts "$out"
g++ $flags -I "${CUDA:-/usr/local/cuda}/include" -o "$out/record-textures" scripts/oracle/record-textures.cpp -ldl
"$out/record-textures" "$out/textures" "$out/surfaces"
bun scripts/oracle/textures.ts --pack "$out"
