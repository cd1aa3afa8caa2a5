// Accessors for 64-bit fields as numbers: addresses and sizes stay below 2⁵³, and bigint costs 30
// times a number's arithmetic in Bun.

const TWO_32 = 4294967296;

/**
 * Reads a little-endian u64 as a number.
 * @param view the structure
 * @param offset of the field, in bytes
 * @returns exact below 2⁵³; above it rounds, and stays above every valid address and size
 */
export function readU64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * TWO_32;
}

/**
 * Writes a number as a little-endian u64.
 * @param view the structure
 * @param offset of the field, in bytes
 * @param value an integer of 0 … 2⁵³ - 1; 2⁶⁴ and more, as which 2⁶⁴ - 1 reads, gives 2⁶⁴ - 1
 */
export function writeU64(view: DataView, offset: number, value: number): void {
  if (value >= TWO_32 * TWO_32) {
    view.setUint32(offset, 0xffffffff, true);
    view.setUint32(offset + 4, 0xffffffff, true);
    return;
  }
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, (value / TWO_32) >>> 0, true);
}
