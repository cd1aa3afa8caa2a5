// Copies between address ranges that the caller has checked (PTX ISA §9.7.9.25 cp.async).

/** Copies `bytes` bytes. */
export function copy_bytes(to: usize, from: usize, bytes: i32): void {
  memory.copy(to, from, <usize>(<u32>bytes));
}

/** cp.async with a source size: `size` bytes from `from`, and zeros up to `bytes`. */
export function copy_zero_filled(to: usize, from: usize, bytes: i32, size: i32): void {
  const n = min<u32>(<u32>size, <u32>bytes);
  memory.copy(to, from, n);
  memory.fill(to + n, 0, <u32>bytes - n);
}
