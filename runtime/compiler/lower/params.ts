import { I32, I64, type Type, type Value } from "../ir/ir.ts";
import type { Builder } from "./builder.ts";
import type { FunctionLowering } from "./function.ts";

interface Piece {
  offset: number;
  size: number;
  register: number;
}

/**
 * A `.param` variable of a function call, kept in virtual registers: one for each piece that the
 * code stores or loads (PTX ISA §7.1: such variables are accessed with constant offsets). Accesses
 * that don't fit the pieces are put together from them with shifts.
 */
export class ParamStore {
  private readonly fn: FunctionLowering;
  readonly name: string;
  readonly size: number;
  private readonly pieces: Piece[] = [];
  private local = -1;

  constructor(fn: FunctionLowering, name: string, size: number) {
    this.fn = fn;
    this.name = name;
    this.size = size;
  }

  private piece(offset: number, size: number): Piece | undefined {
    const exact = this.pieces.find((p) => p.offset === offset && p.size === size);
    if (exact) return exact;
    const overlaps = this.pieces.some(
      (p) => p.offset < offset + size && offset < p.offset + p.size,
    );
    if (overlaps) return undefined;
    const register = this.fn.newRegister(`${this.name}+${offset}`, size === 8 ? I64 : I32);
    const created = { offset, size, register };
    this.pieces.push(created);
    return created;
  }

  /** The `size` bytes at `offset` as an I64 (8 bytes) or a zero-extended I32. */
  read(b: Builder, offset: number, size: number): Value {
    const type: Type = size === 8 ? I64 : I32;
    const exact = this.piece(offset, size);
    if (exact) return b.emit("regread", type, [], undefined, exact.register);
    let sum: Value | undefined;
    for (const p of this.pieces) {
      if (p.offset >= offset + size || offset >= p.offset + p.size) continue;
      const pieceType: Type = p.size === 8 ? I64 : I32;
      const wide = b.coerce(b.emit("regread", pieceType, [], undefined, p.register), I64);
      const shift = (p.offset - offset) * 8;
      const moved =
        shift === 0
          ? wide
          : b.emit(shift > 0 ? "i64_shl" : "i64_shr_u", I64, [
              wide,
              b.i64(BigInt(Math.abs(shift))),
            ]);
      sum = sum ? b.emit("i64_or", I64, [sum, moved]) : moved;
    }
    const mask = size === 8 ? -1n : (1n << BigInt(size * 8)) - 1n;
    const whole = b.emit("i64_and", I64, [sum as Value, b.i64(mask)]);
    return b.coerce(whole, type);
  }

  /** Stores an I64 (8 bytes) or I32 at `offset`. */
  write(b: Builder, offset: number, size: number, value: Value): void {
    const exact = this.piece(offset, size);
    if (exact) {
      b.writeRegister(exact.register, value);
      return;
    }
    const wide = b.coerce(value, I64);
    for (const p of this.pieces) {
      if (p.offset >= offset + size || offset >= p.offset + p.size) continue;
      const type: Type = p.size === 8 ? I64 : I32;
      const from = Math.max(p.offset, offset);
      const to = Math.min(p.offset + p.size, offset + size);
      const ones = to - from === 8 ? -1n : (1n << BigInt((to - from) * 8)) - 1n;
      const part = b.emit("i64_and", I64, [
        b.emit("i64_shr_u", I64, [wide, b.i64(BigInt((from - offset) * 8))]),
        b.i64(ones),
      ]);
      const at = BigInt((from - p.offset) * 8);
      const old = b.coerce(b.emit("regread", type, [], undefined, p.register), I64);
      const kept = b.emit("i64_and", I64, [old, b.i64(~(ones << at))]);
      const placed = b.emit("i64_shl", I64, [part, b.i64(at)]);
      b.writeRegister(p.register, b.coerce(b.emit("i64_or", I64, [kept, placed]), type));
    }
    this.fillGaps(b, offset, size, wide);
  }

  /** Bytes of a store that no piece holds yet get pieces of one byte. */
  private fillGaps(b: Builder, offset: number, size: number, wide: Value): void {
    for (let k = 0; k < size; k++) {
      const at = offset + k;
      if (this.pieces.some((p) => p.offset <= at && at < p.offset + p.size)) continue;
      const created = this.piece(at, 1) as Piece;
      const byte = b.emit("i64_and", I64, [
        b.emit("i64_shr_u", I64, [wide, b.i64(BigInt(k * 8))]),
        b.i64(255n),
      ]);
      b.writeRegister(created.register, b.coerce(byte, I32));
    }
  }

  /** Copies the parameter to local memory, for code that takes its address; returns its offset. */
  spillToLocal(b: Builder): number {
    if (this.local < 0) this.local = this.fn.allocateLocal(Math.max(this.size, 8), 16);
    for (const p of this.pieces) {
      const type: Type = p.size === 8 ? I64 : I32;
      const v = b.emit("regread", type, [], undefined, p.register);
      const address = this.fn.localAddress(b, this.local + p.offset);
      const aux = { space: "local" as const, size: p.size, offset: 0, align: 1, site: b.site() };
      const ea = b.emit("check", I32, [address], aux);
      b.emit("store", 5, [ea, v], { size: p.size, offset: 0 });
    }
    return this.local;
  }
}
