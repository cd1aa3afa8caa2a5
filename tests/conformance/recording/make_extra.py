#!/usr/bin/env python3
"""Writes conformance cases beyond the first 806, in the same form: cases.json and the pools.

    make_extra.py OUTDIR SEED      ->  OUTDIR/cases.json, OUTDIR/pool.<type>.bin

Every kernel has the signature t(in0*, in1*, in2*, out*, n): thread i (grid of 128-thread blocks) reads
element i of each input, runs one instruction and stores one result. record.py executes them on a
real GPU and writes OUTDIR/golden.bin.
"""
import json, os, random, struct, sys

N = 256
out, seed = sys.argv[1], int(sys.argv[2])
rng = random.Random(seed)
os.makedirs(out, exist_ok=True)

# ---- input pools: three vectors (a, b, c) per type, specials first, then random ----
def f32bits(x): return struct.unpack('<I', struct.pack('<f', x))[0]
SPECIAL = {
  'f32': [0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffc00001,
          1, 0x80000001, 0x007fffff, 0x00800000, 0x807fffff, 0x7f7fffff, 0xff7fffff, 0x3f000000, 0x4b000000,
          0x4effffff, 0x4f000000, 0xcf000000, 0x4f800000, 0x5f000000, 0x33800000, 0x3f7fffff, 0x3f800001, 0x3fc00000, 0x40490fdb],
  'f64': [0, 1<<63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
          0x7ff0000000000001, 1, 0x8000000000000001, 0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff,
          0x41dfffffffc00000, 0x41e0000000000000, 0xc1e0000000000000, 0x43e0000000000000, 0x43f0000000000000,
          0x36a0000000000000, 0x380fffffe0000000, 0x47efffffe0000000, 0x47f0000000000000, 0x3fe0000000000000, 0x3ff8000000000000],
  'f16': [0, 0x8000, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 0x7e00, 0x7c01, 1, 0x8001, 0x3ff, 0x400, 0x7bff, 0xfbff, 0x3800, 0x3e00, 0x6400],
  'bf16': [0, 0x8000, 0x3f80, 0xbf80, 0x7f80, 0xff80, 0x7fc0, 0x7f81, 1, 0x8001, 0x7f, 0x80, 0x7f7f, 0xff7f, 0x3f00, 0x3fc0],
  'i32': [0, 1, 2, 0xffffffff, 0x7fffffff, 0x80000000, 0x80000001, 31, 32, 33, 0xff, 0x100, 0xffff, 0x10000, 0x55555555, 0xaaaaaaaa],
  'i64': [0, 1, 2, 2**64-1, 2**63-1, 2**63, 2**63+1, 63, 64, 65, 0xffffffff, 1<<32, 0x5555555555555555],
  'i16': [0, 1, 2, 0xffff, 0x7fff, 0x8000, 0x8001, 15, 16, 17, 0xff, 0x100],
}
BITS = {'f32': 32, 'f64': 64, 'f16': 16, 'bf16': 16, 'i32': 32, 'i64': 64, 'i16': 16, 'f16x2': 32, 'bf16x2': 32, 'i8': 8}
def rand(t):
    b = BITS[t]
    if t == 'f32':
        r = rng.random()
        if r < .25: return rng.getrandbits(32)
        return f32bits(rng.uniform(-1, 1) * 2.0 ** rng.choice([0, 1, 3, 8, 20, -4, -12]))
    if t == 'f64':
        if rng.random() < .25: return rng.getrandbits(64)
        return struct.unpack('<Q', struct.pack('<d', rng.uniform(-1, 1) * 2.0 ** rng.choice([0, 1, 3, 8, 31, 40, -4, -30])))[0]
    if t == 'f16':
        if rng.random() < .3: return rng.getrandbits(16)
        return struct.unpack('<H', struct.pack('<e', rng.uniform(-1, 1) * 2.0 ** rng.choice([0, 1, 3, 6, -4])))[0]
    if t == 'bf16':
        if rng.random() < .3: return rng.getrandbits(16)
        return f32bits(rng.uniform(-1, 1) * 2.0 ** rng.choice([0, 1, 3, 8, -4])) >> 16
    if t in ('i32', 'i64', 'i16', 'i8'):
        return rng.getrandbits(b) if rng.random() < .6 else rng.getrandbits(rng.choice([3, 5, 7, min(b, 13), b]))
    h = t[:-2]
    return rand(h) | rand(h) << 16
def pool(t):
    vs = []
    for k in range(3):
        sp = list(SPECIAL.get(t, []))
        if t in ('f16x2', 'bf16x2'):
            s = SPECIAL[t[:-2]]; sp = [x | rng.choice(s) << 16 for x in s]
        rng.shuffle(sp)
        if k < 2:  # specials meet specials
            sp = sp + [rng.choice(sp) for _ in range(64 - len(sp))] if sp else []
        vs.append((sp + [rand(t) for _ in range(N)])[:N])
    return vs
FMT = {8: 'B', 16: 'H', 32: 'I', 64: 'Q'}
for t in BITS:
    with open(f'{out}/pool.{t}.bin', 'wb') as f:
        for v in pool(t): f.write(struct.pack(f'<{N}{FMT[BITS[t]]}', *v))

# ---- cases ----
LD = {'f32': 'f32', 'f64': 'f64', 'f16': 'b16', 'bf16': 'b16', 'i32': 'b32', 'i64': 'b64', 'i16': 'b16', 'f16x2': 'b32', 'bf16x2': 'b32', 'i8': 'u8'}
REG = {'f32': 'f32', 'f64': 'f64', 'f16': 'b16', 'bf16': 'b16', 'i32': 'b32', 'i64': 'b64', 'i16': 'b16', 'f16x2': 'b32', 'bf16x2': 'b32', 'i8': 'b16'}
cases = []
def case(name, ins, o, body, tol=None, decl='', target='sm_90', pre=''):
    """tol: None = bit-exact (any NaN equals any NaN), else the largest error allowed, as documented by the PTX ISA."""
    lds = ''
    for k, t in enumerate(ins):
        sh = {8: 0, 16: 1, 32: 2, 64: 3}[BITS[t]]
        lds += f'''  ld.param.u64 %q0, [p{k}];
  cvta.to.global.u64 %q0, %q0;
  shl.b64 %q1, %qi, {sh};
  add.s64 %q0, %q0, %q1;
  ld.global.{LD[t]} %{'abc'[k]}, [%q0];
'''
    regs = ''.join(f'  .reg .{REG[t]} %{"abc"[k]};\n' for k, t in enumerate(ins))
    osh = {8: 0, 16: 1, 32: 2, 64: 3}[BITS[o]]
    body = body.replace('$d', '%d').replace('$a', '%a').replace('$b', '%b').replace('$c', '%c')
    ptx = f'''.version 8.6
.target {target}
.address_size 64
{pre}
.visible .entry t(.param .u64 p0, .param .u64 p1, .param .u64 p2, .param .u64 po, .param .u32 n)
{{
  .reg .b32 %i, %n, %x0, %x1, %lane, %t0, %t1, %t2, %t3;
  .reg .b64 %q0, %q1, %qi, %u0, %u1, %u2;
  .reg .b16 %h0, %h1;
  .reg .f32 %f0, %f1;
  .reg .pred %p, %p1, %p2;
  .reg .{REG[o]} %d;
{regs}{decl}
  mov.u32 %x0, %ctaid.x;
  mov.u32 %x1, %ntid.x;
  mov.u32 %i, %tid.x;
  mad.lo.u32 %i, %x0, %x1, %i;
  ld.param.u32 %n, [n];
  setp.ge.u32 %p, %i, %n;
  @%p bra DONE;
  mov.u32 %lane, %laneid;
  cvt.u64.u32 %qi, %i;
{lds}  {body}
  ld.param.u64 %q0, [po];
  cvta.to.global.u64 %q0, %q0;
  shl.b64 %q1, %qi, {osh};
  add.s64 %q0, %q0, %q1;
  st.global.{'u8' if BITS[o]==8 else 'b'+str(BITS[o]) if REG[o][0]!='f' else REG[o]} [%q0], %d;
DONE:
  ret;
}}
'''
    cases.append({'name': name, 'in': ins, 'out': o, 'tol': tol, 'ptx': ptx})


RND = ['rn', 'rz', 'rm', 'rp']
have = set()
def simple(name, ins, o, tol=None, operands=None):
    """One instruction whose mnemonic is the case's name."""
    if name in have: return
    have.add(name)
    case(name, ins, o, f"{name} $d, {operands or ', '.join('$' + 'abc'[k] for k in range(len(ins)))};", tol=tol)
def j(*parts): return '.'.join(p for p in parts if p)

# f32 and f64 arithmetic: .ftz and .sat in every rounding mode
for op, k in (('add', 2), ('sub', 2), ('mul', 2), ('fma', 3)):
    for r in RND:
        for f in ('', 'ftz'):
            for s in ('', 'sat'):
                if f or s: simple(j(op, r, f, s, 'f32'), ['f32'] * k, 'f32')
for op, k in (('div', 2), ('rcp', 1), ('sqrt', 1)):
    for r in RND: simple(j(op, r, 'ftz', 'f32'), ['f32'] * k, 'f32')
for op in ('min', 'max'):
    for f in ('', 'ftz'):
        for n in ('', 'NaN'):
            for x in ('', 'xorsign.abs'): simple(j(op, f, n, x, 'f32'), ['f32'] * 2, 'f32')
simple('abs.ftz.f32', ['f32'], 'f32'); simple('neg.ftz.f32', ['f32'], 'f32')
# products and quotients around the smallest normal number: when is a result flushed?
NEAR = 'and.b32 %t0, $a, 0x007fffff; or.b32 %t0, %t0, 0x3f000000; mov.b32 $a, %t0; and.b32 %t1, $b, 0x00ffffff; or.b32 %t1, %t1, 0x00800000; mov.b32 $b, %t1;'
for r in RND:
    for f in ('', '.ftz'):
        near = NEAR.replace('and.b32 %t0, $a', 'mov.b32 %t0, $a; and.b32 %t0, %t0').replace('and.b32 %t1, $b', 'mov.b32 %t1, $b; and.b32 %t1, %t1')
        case(f'mul.{r}{f}.f32 near 2^-126', ['f32'] * 2, 'f32', near + f'mul.{r}{f}.f32 $d, $a, $b;')
        case(f'fma.{r}{f}.f32 near 2^-126', ['f32'] * 3, 'f32', near + f'mul.f32 $c, $c, 0f00400000; fma.{r}{f}.f32 $d, $a, $b, 0f00000001;')
        case(f'fma.{r}{f}.f32 near 2^-126 cancel', ['f32'] * 3, 'f32', near + f'fma.{r}{f}.f32 $d, $a, $b, 0f80800000;')
        case(f'div.{r}{f}.f32 near 2^-126', ['f32'] * 2, 'f32', near + f'add.f32 $a, $a, $a; div.{r}{f}.f32 $d, $b, $a;')
        TOP = 'mov.b32 %t0, $a; and.b32 %t0, %t0, 15; or.b32 %t0, %t0, 0x3f7ffff0; mov.b32 $a, %t0; mov.b32 %t1, $b; and.b32 %t1, %t1, 15; add.u32 %t1, %t1, 0x00800000; mov.b32 $b, %t1;'
        case(f'mul.{r}{f}.f32 just below 2^-126', ['f32'] * 2, 'f32', TOP + f'mul.{r}{f}.f32 $d, $a, $b;')
        case(f'fma.{r}{f}.f32 just below 2^-126', ['f32'] * 2, 'f32', TOP + f'fma.{r}{f}.f32 $d, $a, $b, 0f80000000;')
        case(f'div.{r}{f}.f32 just below 2^-126', ['f32'] * 2, 'f32', TOP + f'mov.b32 %t1, $b; and.b32 %t0, %t0, 7; add.u32 %t0, %t0, 0x3f800000; mov.b32 $a, %t0; div.{r}{f}.f32 $d, $b, $a;')
        case(f'cvt.{r}{f}.f32.f64 just below 2^-126', ['f64'], 'f32', f'mov.b64 %u0, $a; and.b64 %u0, %u0, 0x7ffffff; add.u64 %u0, %u0, 0x380fffffd0000000; mov.b64 $a, %u0; cvt.{r}{f}.f32.f64 $d, $a;')
# approximate functions
for op in ('sin', 'cos'): simple(f'{op}.approx.ftz.f32', ['f32'], 'f32', {'abs': 2**-20.5, 'note': 'for |a| <= 2 pi; larger a loses accuracy with the range reduction'})
simple('div.full.ftz.f32', ['f32'] * 2, 'f32', {'ulp': 2})
# half precision
for T in ('f16', 'f16x2', 'bf16', 'bf16x2'):
    ftz = ('', 'ftz') if T.startswith('f16') else ('',)
    for op in ('add', 'sub', 'mul'):
        simple(f'{op}.{T}', [T] * 2, T)
        for f in ftz:
            for s in (('', 'sat') if T.startswith('f16') else ('',)):
                for r in ('', 'rn'):
                    if f or s: simple(j(op, r, f, s, T), [T] * 2, T)
    for f in ftz:
        for s in (('', 'sat', 'relu') if T.startswith('f16') else ('', 'relu')): simple(j('fma.rn', f, s, T), [T] * 3, T)
        for op in ('min', 'max'):
            for n in ('', 'NaN'):
                for x in ('', 'xorsign.abs'): simple(j(op, f, n, x, T), [T] * 2, T)
        simple(j('abs', f, T), [T], T); simple(j('neg', f, T), [T], T)
# half precision: products around the smallest normal number, when is a result flushed?
HALF = 'mov.b16 %h0, $a; and.b16 %h0, %h0, 15; or.b16 %h0, %h0, 0x3bf0; mov.b16 $a, %h0; mov.b16 %h1, $b; and.b16 %h1, %h1, 15; add.u16 %h1, %h1, 0x0400; mov.b16 $b, %h1;'
for f in ('', '.ftz'):
    case(f'mul.rn{f}.f16 just below 2^-14', ['f16'] * 2, 'f16', HALF + f'mul.rn{f}.f16 $d, $a, $b;')
    case(f'fma.rn{f}.f16 just below 2^-14', ['f16'] * 3, 'f16', HALF + f'mov.b16 %h0, $c; and.b16 %h0, %h0, 0x8000; mov.b16 $c, %h0; fma.rn{f}.f16 $d, $a, $b, $c;')
# conversions between floats
for r in RND:
    for f in ('', 'ftz'):
        for s in ('', 'sat'):
            simple(j('cvt', r, f, s, 'f32.f64'), ['f64'], 'f32')
            simple(j('cvt', r, f, s, 'f16.f32'), ['f32'], 'f16')
    for d, s in (('f16', 'f64'), ('bf16', 'f64'), ('bf16', 'f16'), ('f16', 'bf16'), ('bf16', 'f32')): simple(f'cvt.{r}.{d}.{s}', [s], d)
for r in ('rni', 'rzi', 'rmi', 'rpi'):
    for f in ('', 'ftz'):
        for s in ('', 'sat'): simple(j('cvt', r, f, s, 'f32.f32'), ['f32'], 'f32')
        for w in (8, 16, 32, 64):
            for g in 'us':
                if f: simple(f'cvt.{r}.ftz.{g}{w}.f32', ['f32'], f'i{w}')
    simple(f'cvt.{r}.sat.f64.f64', ['f64'], 'f64')
    simple(f'cvt.{r}.f16.f16', ['f16'], 'f16'); simple(f'cvt.{r}.bf16.bf16', ['bf16'], 'bf16')
    simple(f'cvt.{r}.sat.u8.f32', ['f32'], 'i8'); simple(f'cvt.{r}.sat.s16.f64', ['f64'], 'i16')
for n, i, o in (('cvt.ftz.f32.f32', 'f32', 'f32'), ('cvt.ftz.sat.f32.f32', 'f32', 'f32'), ('cvt.sat.f64.f64', 'f64', 'f64'), ('cvt.sat.f16.f16', 'f16', 'f16'),
                ('cvt.sat.f64.f32', 'f32', 'f64'), ('cvt.ftz.sat.f64.f32', 'f32', 'f64'), ('cvt.sat.f32.f16', 'f16', 'f32'), ('cvt.ftz.f32.f16', 'f16', 'f32'),
                ('cvt.sat.f64.f16', 'f16', 'f64'), ('cvt.f64.bf16', 'bf16', 'f64'), ('cvt.ftz.f32.bf16', 'bf16', 'f32')):
    simple(n, [i], o)
for r in ('rn', 'rz'):
    for T in ('f16', 'bf16'):
        for q in ('', 'relu', 'satfinite', 'relu.satfinite'):
            simple(j('cvt', r, q, T, 'f32'), ['f32'], T)
            simple(j('cvt', r, q, T + 'x2', 'f32'), ['f32'] * 2, T + 'x2')
    for q in ('', 'relu'): simple(j('cvt', r, q, 'tf32.f32'), ['f32'], 'i32')
simple('cvt.rna.satfinite.tf32.f32', ['f32'], 'i32')
for e in ('e4m3x2', 'e5m2x2'):
    for q in ('', 'relu'):
        simple(j('cvt.rn.satfinite', q, e, 'f32'), ['f32'] * 2, 'i16')
        simple(j('cvt.rn.satfinite', q, e, 'f16x2'), ['f16x2'], 'i16')
        simple(j('cvt.rn', q, 'f16x2', e), ['i16'], 'f16x2')
# integers to floats, in every mode
for it in (8, 16, 32, 64):
    for s in 'us':
        for ft in ('f16', 'bf16', 'f32', 'f64'):
            if ft == 'bf16' and it == 8: continue  # not in the ISA
            for r in RND: simple(f'cvt.{r}.{ft}.{s}{it}', [f'i{it}'], ft)
INTS = [s + str(w) for w in (8, 16, 32, 64) for s in 'us']
for d in INTS:
    for s in INTS:
        if d != s:
            simple(f'cvt.{d}.{s}', [f'i{s[1:]}'], f'i{d[1:]}')
            wider = int(d[1:]) > int(s[1:])
            # Not where nothing can be out of range.
            if not (wider and (d[0] == s[0] or d[0] == 's')): simple(f'cvt.sat.{d}.{s}', [f'i{s[1:]}'], f'i{d[1:]}')
# integers: what the ISA leaves open
for w in (16, 32, 64):
    for s in 'us':
        for op in ('div', 'rem'):
            case(f'{op}.{s}{w} any divisor', [f'i{w}'] * 2, f'i{w}', f'{op}.{s}{w} $d, $a, $b;')
            case(f'{op}.{s}{w} by zero', [f'i{w}'] * 2, f'i{w}', f'and.b{w} $b, $b, 0; {op}.{s}{w} $d, $a, $b;')
    simple(f'shr.b{w}', [f'i{w}', 'i32'], f'i{w}')
case('mad24.hi.sat.s32', ['i32'] * 3, 'i32', 'mad24.hi.sat.s32 $d, $a, $b, $c;')
case('fns.b32 far', ['i32'] * 3, 'i32', 'and.b32 $b, $b, 31; shr.s32 $c, $c, 26; fns.b32 $d, $a, $b, $c;')
case('fns.b32 lowest offset', ['i32'] * 2, 'i32', 'and.b32 $b, $b, 31; fns.b32 $d, $a, $b, 0x80000000;')
for w in (32, 64):
    I = f'i{w}'
    case(f'bfi.b{w} wide', [I, I, 'i32'], I, f'mov.u32 %t0, %lane; mul.lo.u32 %t0, %t0, 17; bfi.b{w} $d, $a, $b, %t0, $c;')
    for s in 'us': case(f'bfe.{s}{w} wide', [I, 'i32', 'i32'], I, f'and.b32 $b, $b, 127; and.b32 $c, $c, 511; bfe.{s}{w} $d, $a, $b, $c;')
    for s in 'us': case(f'bfe.{s}{w} inside', [I, 'i32', 'i32'], I, f'and.b32 $b, $b, {w - 1}; and.b32 $c, $c, {w - 1}; bfe.{s}{w} $d, $a, $b, $c;')
# packed integers, rectified integers, packing conversions
for t in ('u16x2', 's16x2'):
    for op in ('add', 'min', 'max'): simple(f'{op}.{t}', ['i32'] * 2, 'i32')
for op in ('min', 'max'):
    simple(f'{op}.relu.s16x2', ['i32'] * 2, 'i32'); simple(f'{op}.relu.s32', ['i32'] * 2, 'i32')
for t in ('u16', 's16'): simple(f'cvt.pack.sat.{t}.s32', ['i32'] * 2, 'i32')
for t in ('u8', 's8', 'u4', 's4', 'u2', 's2'): simple(f'cvt.pack.sat.{t}.s32.b32', ['i32'] * 3, 'i32')
# integers to floats with saturation
for it in (8, 16, 32, 64):
    for s in 'us':
        for ft in ('f16', 'f32', 'f64'): simple(f'cvt.rn.sat.{ft}.{s}{it}', [f'i{it}'], ft)
simple('cvt.rn.sat.f16.f64', ['f64'], 'f16'); simple('cvt.rzi.sat.f16.f16', ['f16'], 'f16')
# video
TY = ('u32', 's32')
for d in TY:
    for a in TY:
        for b in TY:
            for op in ('vadd', 'vsub', 'vabsdiff', 'vmin', 'vmax'):
                simple(f'{op}.{d}.{a}.{b}.sat', ['i32'] * 2, 'i32')
            # Saturating merges, saturating shifts of parts and most of vmad are left out: there the driver's
            # emulation departs from the ISA, which warpring follows.
            case(f'vadd.{d}.{a}.{b} merge', ['i32'] * 3, 'i32', f'vadd.{d}.{a}.{b} $d.h0, $a.h0, $b.b3, $c;')
            case(f'vsub.{d}.{a}.{b} merge b', ['i32'] * 3, 'i32', f'vsub.{d}.{a}.{b} $d.b2, $a.b0, $b.h1, $c;')
            case(f'vsub.{d}.{a}.{b}.min', ['i32'] * 3, 'i32', f'vsub.{d}.{a}.{b}.min $d, $a.b0, $b.h1, $c;')
            case(f'vsub.{d}.{a}.{b}.max', ['i32'] * 3, 'i32', f'vsub.{d}.{a}.{b}.max $d, $a.b0, $b.b1, $c;')
        for op in ('vshl', 'vshr'):
            for m in ('wrap', 'clamp'):
                simple(f'{op}.{d}.{a}.u32.{m}', ['i32'] * 2, 'i32')
                case(f'{op}.{d}.{a}.u32.{m} part', ['i32'] * 3, 'i32', f'{op}.{d}.{a}.u32.{m}.add $d, $a.h1, $b.b0, $c;')
        for c in ('eq', 'ne', 'lt', 'le', 'gt', 'ge'):
            case(f'vset.{d}.{a}.{c}', ['i32'] * 2, 'i32', f'vset.{d}.{a}.{c} $d, $a.b1, $b.b2;')
        for sc in ('', '.shr7', '.shr15'):
            t = 's32' if 's32' in (d, a) else 'u32'
            if t == 's32': case(f'vmad.{t}.{d}.{a}.sat{sc}', ['i32'] * 3, 'i32', f'vmad.{t}.{d}.{a}.sat{sc} $d, $a.h0, $b.h1, $c;')
        case(f'vmad.{t}.{d}.{a} word', ['i32'] * 3, 'i32', f'vmad.{t}.{d}.{a} $d, $a, $b, $c;')
for sc in ('', '.shr7', '.shr15'):
    case(f'vmad.s32.u32.u32.sat{sc} negated product', ['i32'] * 3, 'i32', f'vmad.s32.u32.u32.sat{sc} $d, -$a.h0, $b.h1, $c;')
    case(f'vmad.s32.u32.u32.sat{sc} negated c', ['i32'] * 3, 'i32', f'vmad.s32.u32.u32.sat{sc} $d, $a.h0, $b.h1, -$c;')
for n, h in ((2, ('h10', 'h32', 'h31')), (4, ('b3210', 'b7654', 'b7052'))):
    for op in ('vadd', 'vsub', 'vavrg', 'vabsdiff', 'vmin', 'vmax'):
        for t in TY:
            simple(f'{op}{n}.{t}.{t}.{t}.sat', ['i32'] * 3, 'i32')
            case(f'{op}{n}.{t}.{t}.{t}.add', ['i32'] * 3, 'i32', f'{op}{n}.{t}.{t}.{t}.add $d, $a, $b, $c;')
            m = 'h1' if n == 2 else 'b320'
            case(f'{op}{n}.{t}.{t}.{t} part', ['i32'] * 3, 'i32', f'{op}{n}.{t}.{t}.{t} $d.{m}, $a.{h[2]}, $b.{h[1]}, $c;')
        case(f'{op}{n}.s32.u32.s32.sat', ['i32'] * 3, 'i32', f'{op}{n}.s32.u32.s32.sat $d, $a, $b, $c;')
    for t in TY:
        for c in ('eq', 'ne', 'lt', 'le', 'gt', 'ge'):
            case(f'vset{n}.{t}.{t}.{c}', ['i32'] * 3, 'i32', f'vset{n}.{t}.{t}.{c} $d, $a, $b, $c;')
            case(f'vset{n}.{t}.{t}.{c}.add', ['i32'] * 3, 'i32', f'vset{n}.{t}.{t}.{c}.add $d, $a, $b, $c;')
names = [c['name'] for c in cases]
assert len(set(names)) == len(names), [n for n in names if names.count(n) > 1]
json.dump({'n': N, 'block': 128, 'seed': seed, 'cases': cases}, open(f'{out}/cases.json', 'w'))
print(len(cases), 'cases')
