#!/usr/bin/env python3
"""Runs OUTDIR/cases.json on a real GPU (CuPy) and writes OUTDIR/golden.bin: every case's output vector, in
case order, little-endian, back to back. Cases that the driver refuses, or whose result is not
repeatable, are no oracle: they are taken out of cases.json and listed."""
import json, sys, numpy as np, cupy
from concurrent.futures import ThreadPoolExecutor
out = sys.argv[1]
d = json.load(open(f'{out}/cases.json'))
n, block = d['n'], d['block']
W = {'f32': 4, 'f64': 8, 'f16': 2, 'bf16': 2, 'i32': 4, 'i64': 8, 'i16': 2, 'f16x2': 4, 'bf16x2': 4, 'i8': 1}
pools = {t: cupy.asarray(np.fromfile(f'{out}/pool.{t}.bin', dtype=np.uint8).reshape(3, n * w)) for t, w in W.items()}
def load(c):
    try:
        cupy.cuda.Device(0).use()
        m = cupy.cuda.function.Module(); m.load(c['ptx'].encode() + b'\0')
        return m, None
    except Exception as e:
        return None, repr(e)[:120]
with ThreadPoolExecutor(12) as pool: modules = list(pool.map(load, d['cases']))
gold, bad, kept = bytearray(), [], []
for c, (m, error) in zip(d['cases'], modules):
    if error: bad.append((c['name'], error)); continue
    w = W[c['out']]
    dst = cupy.full(n * w, 0xcd, dtype=cupy.uint8)
    f = m.get_function('t')
    res = []
    for _ in range(2):
        dst.fill(0xcd)
        args = [pools[t][k] for k, t in enumerate(c['in'])]
        args += [dst] * (3 - len(args))
        f(((n + block - 1) // block, 1, 1), (block, 1, 1), (*[np.uint64(a.data.ptr) for a in args], np.uint64(dst.data.ptr), np.uint32(n)))
        cupy.cuda.Device().synchronize()
        res.append(dst.get().tobytes())
    if res[0] != res[1]: bad.append((c['name'], 'not repeatable')); continue
    gold += res[0]; kept.append(c)
open(f'{out}/golden.bin', 'wb').write(gold)
d['cases'] = kept
json.dump(d, open(f'{out}/cases.json', 'w'))
props = cupy.cuda.runtime.getDeviceProperties(0)
print(props['name'].decode(), 'kept', len(kept), 'bytes', len(gold))
for name, why in bad: print('dropped', name, why)
