#!/bin/sh
# Builds the programs of this folder that are named, or all, into FOLDER: build.sh FOLDER [NAME…]
set -e
out=$1
shift
here=$(dirname "$0")
[ $# -gt 0 ] || set -- $(cd "$here" && ls *.cu | sed 's/\.cu$//')
for name; do
  flags=$(sed -n 's,^// build: ,,p' "$here/$name.cu" | sed "s,HERE,$here,g")
  nvcc -std=c++17 -cudart shared -arch=compute_75 $flags -o "$out/$name" "$here/$name.cu"
  strip "$out/$name"
done
