#!/bin/sh
# Builds the programs of this folder that are named, or all, into FOLDER: build.sh FOLDER [NAME…]
# A line "// build: FLAGS" in a program adds to nvcc's arguments; HERE in it is this folder. With
# "// library: FLAGS" the same file makes a shared library, NAME.so, besides.
set -e
out=$1
shift
here=$(dirname "$0")
[ $# -gt 0 ] || set -- $(cd "$here" && ls *.cu | sed 's/\.cu$//')
flags_of() { sed -n "s,^// $1: ,,p" "$2" | sed "s,HERE,$here,g"; }
compile() {
  output=$1
  shift
  nvcc -std=c++17 -O2 -cudart shared -arch=compute_75 -Xfatbin -compress-all -o "$output" "$@"
  strip "$output"
}
for name; do
  source=$here/$name.cu
  compile "$out/$name" $(flags_of build "$source") "$source"
  library=$(flags_of library "$source")
  [ -z "$library" ] || compile "$out/$name.so" $library "$source"
done
