import type { FuncType, ModuleBuilder } from "./module.ts";
import { CodeWriter } from "./writer.ts";

/** A cursor over a module's bytes. */
class Reader {
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

/** A function of the device library: its signature and where its body lies. */
export interface LibraryFunction {
  name: string;
  index: number;
  type: FuncType;
}

/**
 * The device library: exact math, warp operations and matrix products, written in AssemblyScript
 * and compiled to one WebAssembly module that is never instantiated. The compiler copies the
 * functions that a kernel needs, with their callees, into the kernel's own module, so that a call
 * stays inside one module (a call across instances costs 3 to 4 ns).
 */
export class DeviceLibrary {
  private readonly bytes: Uint8Array;
  private readonly types: FuncType[] = [];
  private readonly functionTypes: number[] = [];
  private readonly bodies: [start: number, end: number][] = [];
  private readonly byName = new Map<string, LibraryFunction>();
  private importCount = 0;

  /** Reads the module's index; function bodies are decoded only when linked. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const r = new Reader(bytes, 8);
    while (r.pos < bytes.length) {
      const id = r.u8();
      const size = r.u32();
      const end = r.pos + size;
      if (id === 1) this.readTypes(r);
      else if (id === 2) this.readImports(r);
      else if (id === 3) for (let n = r.u32(); n > 0; n--) this.functionTypes.push(r.u32());
      else if (id === 7) this.readExports(r);
      else if (id === 10) this.readBodies(r);
      else if (id === 11 && r.u32() > 0) throw new Error("the device library has data segments");
      r.pos = end;
    }
  }

  private readTypes(r: Reader): void {
    for (let n = r.u32(); n > 0; n--) {
      r.u8();
      const params = Array.from({ length: r.u32() }, () => r.u8());
      const results = Array.from({ length: r.u32() }, () => r.u8());
      this.types.push({ params, results });
    }
  }

  private readImports(r: Reader): void {
    for (let n = r.u32(); n > 0; n--) {
      const name = `${r.name()}.${r.name()}`;
      const kind = r.u8();
      if (kind !== 2) throw new Error(`the device library imports ${name}`);
      const flags = r.u8();
      r.u32();
      if (flags & 1) r.u32();
    }
  }

  private readExports(r: Reader): void {
    for (let n = r.u32(); n > 0; n--) {
      const name = r.name();
      const kind = r.u8();
      const index = r.u32();
      if (kind !== 0) continue;
      const type = this.types[this.functionTypes[index - this.importCount]];
      this.byName.set(name, { name, index, type });
    }
  }

  private readBodies(r: Reader): void {
    for (let n = r.u32(); n > 0; n--) {
      const size = r.u32();
      this.bodies.push([r.pos, r.pos + size]);
      r.pos += size;
    }
  }

  /** The function of that name, or undefined: the library's names are PTX mnemonics. */
  find(name: string): LibraryFunction | undefined {
    return this.byName.get(name);
  }

  /** All names, in the module's order. */
  names(): string[] {
    return [...this.byName.keys()];
  }

  /** A linker that copies functions into `module`, each once. */
  linker(module: ModuleBuilder): (fn: LibraryFunction) => number {
    const placed = new Map<number, number>();
    const place = (index: number): number => {
      const known = placed.get(index);
      if (known !== undefined) return known;
      const target = module.declare();
      placed.set(index, target);
      const type = this.types[this.functionTypes[index]];
      const { locals, code } = this.relocate(index, module, place);
      module.define(target, type, locals, code);
      return target;
    };
    return (fn) => place(fn.index);
  }

  private relocate(
    index: number,
    module: ModuleBuilder,
    place: (index: number) => number,
  ): { locals: number[]; code: Uint8Array } {
    const [start, end] = this.bodies[index];
    const r = new Reader(this.bytes, start);
    const locals: number[] = [];
    for (let runs = r.u32(); runs > 0; runs--) {
      const count = r.u32();
      const type = r.u8();
      for (let k = 0; k < count; k++) locals.push(type);
    }
    const out = new CodeWriter(end - start + 16);
    let copied = r.pos;
    const flush = (upTo: number) => {
      out.raw(this.bytes.subarray(copied, upTo));
      copied = upTo;
    };
    while (r.pos < end) {
      const at = r.pos;
      const op = r.u8();
      if (op === 0x10) {
        flush(at);
        out.call(place(r.u32()));
        copied = r.pos;
      } else if (op >= 0x02 && op <= 0x04) {
        // Block types are a value type, "none" (all single bytes ≥ 0x40) or a type index.
        if (this.bytes[r.pos] < 0x40 || this.bytes[r.pos] >= 0x80) {
          const type = r.u32();
          flush(at + 1);
          out.s32(module.typeIndex(this.types[type]));
          copied = r.pos;
        } else r.pos++;
      } else skipImmediates(r, op);
    }
    flush(end - 1); // without the final `end`, which the builder adds
    return { locals, code: out.view() };
  }
}

/** Skips the immediates of an instruction that needs no relocation. */
function skipImmediates(r: Reader, op: number): void {
  if (op === 0x0c || op === 0x0d || (op >= 0x20 && op <= 0x22)) r.skipLeb();
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
    else if (sub > 7) throw new Error(`device library: instruction 0xfc ${sub}`);
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
  } else if (op === 0x11 || op === 0x23 || op === 0x24 || op === 0x25 || op === 0x26) {
    throw new Error("device library functions use no globals and no tables");
  }
}
