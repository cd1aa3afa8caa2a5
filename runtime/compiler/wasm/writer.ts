import { OP } from "./opcodes.ts";

const scratch = new DataView(new ArrayBuffer(8));

/** A growing byte buffer with the encodings of the WebAssembly binary format. */
export class CodeWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  private reserve(extra: number): void {
    if (this.length + extra <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + extra));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** The bytes written so far (a view, valid until the next write). */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Unsigned LEB128 of a number below 2³². */
  u32(value: number): void {
    this.reserve(5);
    let v = value >>> 0;
    while (v > 0x7f) {
      this.bytes[this.length++] = (v & 0x7f) | 0x80;
      v >>>= 7;
    }
    this.bytes[this.length++] = v;
  }

  /** Signed LEB128 of a 32-bit integer (only its low 32 bits count). */
  s32(value: number): void {
    this.reserve(5);
    let v = value | 0;
    for (;;) {
      const byte = v & 0x7f;
      v >>= 7;
      if ((v === 0 && (byte & 0x40) === 0) || (v === -1 && (byte & 0x40) !== 0)) {
        this.bytes[this.length++] = byte;
        return;
      }
      this.bytes[this.length++] = byte | 0x80;
    }
  }

  /** Signed LEB128 of a 64-bit integer (only its low 64 bits count). */
  s64(value: bigint): void {
    let v = BigInt.asIntN(64, value);
    if (v >= -0x80000000n && v <= 0x7fffffffn) {
      this.s32(Number(v));
      return;
    }
    this.reserve(10);
    for (;;) {
      const byte = Number(v & 0x7fn);
      v >>= 7n;
      if ((v === 0n && (byte & 0x40) === 0) || (v === -1n && (byte & 0x40) !== 0)) {
        this.bytes[this.length++] = byte;
        return;
      }
      this.bytes[this.length++] = byte | 0x80;
    }
  }

  /** A name: its UTF-8 length and bytes. */
  name(text: string): void {
    const utf8 = new TextEncoder().encode(text);
    this.u32(utf8.length);
    this.raw(utf8);
  }

  /** An opcode of {@link OP}: one byte, or a prefix and a LEB128 sub-opcode. */
  op(code: number): void {
    if (code < 0x100) {
      this.u8(code);
    } else {
      this.u8(code >>> 16);
      this.u32(code & 0xffff);
    }
  }

  localGet(index: number): void {
    this.u8(OP.local_get);
    this.u32(index);
  }

  localSet(index: number): void {
    this.u8(OP.local_set);
    this.u32(index);
  }

  localTee(index: number): void {
    this.u8(OP.local_tee);
    this.u32(index);
  }

  i32Const(value: number): void {
    this.u8(OP.i32_const);
    this.s32(value);
  }

  i64Const(value: bigint): void {
    this.u8(OP.i64_const);
    this.s64(value);
  }

  /** A constant by its bit pattern, so that NaN payloads survive. */
  f32ConstBits(bits: number): void {
    this.u8(OP.f32_const);
    scratch.setUint32(0, bits >>> 0, true);
    for (let k = 0; k < 4; k++) this.u8(scratch.getUint8(k));
  }

  f64ConstBits(bits: bigint): void {
    this.u8(OP.f64_const);
    scratch.setBigUint64(0, BigInt.asUintN(64, bits), true);
    for (let k = 0; k < 8; k++) this.u8(scratch.getUint8(k));
  }

  /** A memory instruction: opcode, log2 of the alignment, static offset in bytes. */
  mem(code: number, alignLog2: number, offset = 0): void {
    this.op(code);
    this.u32(alignLog2);
    this.u32(offset);
  }

  call(index: number): void {
    this.u8(OP.call);
    this.u32(index);
  }

  block(type = 0x40): void {
    this.u8(OP.block);
    this.u8(type);
  }

  loop(type = 0x40): void {
    this.u8(OP.loop);
    this.u8(type);
  }

  if(type = 0x40): void {
    this.u8(OP.if);
    this.u8(type);
  }

  end(): void {
    this.u8(OP.end);
  }

  br(depth: number): void {
    this.u8(OP.br);
    this.u32(depth);
  }

  brIf(depth: number): void {
    this.u8(OP.br_if);
    this.u32(depth);
  }
}
