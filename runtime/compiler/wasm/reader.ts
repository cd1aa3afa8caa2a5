/** A cursor over a module's bytes. */
export class Reader {
  pos: number;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, pos = 0) {
    this.bytes = bytes;
    this.pos = pos;
  }

  u8(): number {
    return this.bytes[this.pos++];
  }

  u32(): number {
    let result = 0;
    let shift = 0;
    for (;;) {
      const byte = this.bytes[this.pos++];
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result >>> 0;
      shift += 7;
    }
  }

  skipLeb(): void {
    while (this.bytes[this.pos++] >= 0x80);
  }

  name(): string {
    const length = this.u32();
    this.pos += length;
    return new TextDecoder().decode(this.bytes.subarray(this.pos - length, this.pos));
  }
}

/** Skips the immediates of an instruction, other than a block's type, a branch's label and a call's function. */
export function skipImmediates(r: Reader, op: number): void {
  if (op >= 0x20 && op <= 0x22) r.skipLeb();
  else if (op === 0x0e) for (let n = r.u32(); n >= 0; n--) r.skipLeb();
  else if (op >= 0x28 && op <= 0x3e) {
    r.skipLeb();
    r.skipLeb();
  } else if (op === 0x41 || op === 0x42) r.skipLeb();
  else if (op === 0x43) r.pos += 4;
  else if (op === 0x44) r.pos += 8;
  else if (op === 0x3f || op === 0x40) r.pos += 1;
  else if (op === 0x1c) for (let n = r.u32(); n > 0; n--) r.u8();
  else if (op === 0xfc) {
    const sub = r.u32();
    if (sub === 10) r.pos += 2;
    else if (sub === 11) r.pos += 1;
    else if (sub > 7) throw new Error(`instruction 0xfc ${sub}`);
  } else if (op === 0xfd) {
    const sub = r.u32();
    if (sub <= 0x0b || sub === 0x5c || sub === 0x5d) {
      r.skipLeb();
      r.skipLeb();
    } else if (sub === 0x0c || sub === 0x0d) r.pos += 16;
    else if (sub >= 0x15 && sub <= 0x22) r.pos += 1;
    else if (sub >= 0x54 && sub <= 0x5b) {
      r.skipLeb();
      r.skipLeb();
      r.pos += 1;
    }
  } else if (op === 0xfe) {
    const sub = r.u32();
    if (sub === 3) r.pos += 1;
    else {
      r.skipLeb();
      r.skipLeb();
    }
  } else if (op === 0x11) {
    r.skipLeb();
    r.skipLeb();
  } else if (op >= 0x23 && op <= 0x26) r.skipLeb();
}
