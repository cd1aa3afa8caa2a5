// 128-bit accesses that must be one (PTX ISA §8.2.3: scoped loads, stores and atomics of .b128).
// WebAssembly's widest atomic has 64 bits, so all of them take one lock: a word in the null page,
// which no kernel can address. The caller has checked the addresses.

const LOCK: usize = 64;

function acquire(): void {
  while (atomic.cmpxchg<i32>(LOCK, 0, 1) != 0) {}
}

function release(): void {
  atomic.store<i32>(LOCK, 0);
}

/** Reads 16 bytes at `a` and writes them to `out`. */
export function ld_b128(a: usize, out: usize): void {
  acquire();
  v128.store(out, v128.load(a));
  release();
}

export function st_b128(a: usize, low: i64, high: i64): void {
  acquire();
  store<i64>(a, low);
  store<i64>(a + 8, high);
  release();
}

/** The old 16 bytes go to `out`. */
export function atom_exch_b128(a: usize, out: usize, low: i64, high: i64): void {
  acquire();
  v128.store(out, v128.load(a));
  store<i64>(a, low);
  store<i64>(a + 8, high);
  release();
}

/** Stores `low`, `high` if the old value is `compareLow`, `compareHigh`; the old one goes to `out`. */
export function atom_cas_b128(
  a: usize,
  out: usize,
  compareLow: i64,
  compareHigh: i64,
  low: i64,
  high: i64,
): void {
  acquire();
  const oldLow = load<i64>(a);
  const oldHigh = load<i64>(a + 8);
  store<i64>(out, oldLow);
  store<i64>(out + 8, oldHigh);
  if (oldLow == compareLow && oldHigh == compareHigh) {
    store<i64>(a, low);
    store<i64>(a + 8, high);
  }
  release();
}
