import type { FuncType, ModuleBuilder } from "./module.ts";
import { OP, VALTYPE } from "./opcodes.ts";
import { Reader, skipImmediates } from "./reader.ts";
import { CodeWriter } from "./writer.ts";

/** call_indirect, global.get and global.set, table.get and table.set. */
const USES_TABLES: ReadonlySet<number> = new Set([0x11, 0x23, 0x24, 0x25, 0x26]);

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
      else if (id === 7) this.readExports(r, end);
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

  private readExports(r: Reader, end: number): void {
    // Names are ASCII: decoding all of them at once takes a tenth of the time.
    const start = r.pos;
    const text = new TextDecoder("latin1").decode(this.bytes.subarray(start, end));
    for (let n = r.u32(); n > 0; n--) {
      const length = r.u32();
      const name = text.slice(r.pos - start, r.pos - start + length);
      r.pos += length;
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

  /** Links functions into `module`. */
  linker(module: ModuleBuilder): LibraryLinker {
    return new LibraryLinker(this, module);
  }

  typeOf(index: number): FuncType {
    return this.types[this.functionTypes[index]];
  }

  /** Bytes of a function's code. */
  sizeOf(index: number): number {
    const [start, end] = this.bodies[index];
    return end - start;
  }

  /** Reads a function's own locals, and leaves its instructions to be copied. */
  private open(index: number): { r: Reader; end: number; locals: number[] } {
    const [start, end] = this.bodies[index];
    const r = new Reader(this.bytes, start);
    const locals: number[] = [];
    for (let runs = r.u32(); runs > 0; runs--) {
      const count = r.u32();
      const type = r.u8();
      for (let k = 0; k < count; k++) locals.push(type);
    }
    return { r, end, locals };
  }

  /** A function's locals and code, with callees and types of `linker`'s module. */
  relocate(index: number, linker: LibraryLinker): { locals: number[]; code: Uint8Array } {
    const { r, end, locals } = this.open(index);
    const out = new CodeWriter(end - r.pos + 16);
    this.copy(r, end, out, linker);
    return { locals, code: out.view() };
  }

  /** Writes a function's code in place of a call: the operands are on the stack. */
  inline(index: number, linker: LibraryLinker, w: CodeWriter, into: InlineTarget): void {
    const { params, results } = this.typeOf(index);
    const { r, end, locals } = this.open(index);
    const own = into.takeLocals([...params, ...locals]);
    for (let k = params.length - 1; k >= 0; k--) w.localSet(own[k]);
    const body = new CodeWriter(end - r.pos + 64);
    const { unset, leaves } = this.copy(r, end, body, linker, { own, into, params: params.length });
    for (const k of unset) {
      pushZero(w, locals[k - params.length]);
      w.localSet(own[k]);
    }
    if (leaves) w.block(results[0]);
    w.raw(body.view());
    if (leaves) w.end();
  }

  /**
   * Copies instructions up to `end`, without the final one. In place of a call, locals are those of
   * `own` instead, and the function's end is that of a block around it. Returns the locals that may
   * be read before they are set, and whether the code leaves before its end.
   */
  private copy(
    r: Reader,
    end: number,
    out: CodeWriter,
    linker: LibraryLinker,
    inline?: { own: number[]; params: number; into: InlineTarget },
  ): { unset: Set<number>; leaves: boolean } {
    let copied = r.pos;
    let depth = 0;
    let leaves = false;
    const set = new Set<number>();
    const unset = new Set<number>();
    const flush = (upTo: number) => {
      out.raw(this.bytes.subarray(copied, upTo));
      copied = upTo;
    };
    while (r.pos < end) {
      const at = r.pos;
      const op = r.u8();
      if (op === OP.call) {
        flush(at);
        out.call(linker.place(r.u32()));
        copied = r.pos;
      } else if (op >= OP.block && op <= OP.if) {
        depth++;
        // Block types are a value type, "none" (all single bytes ≥ 0x40) or a type index.
        if (this.bytes[r.pos] < 0x40 || this.bytes[r.pos] >= 0x80) {
          const type = r.u32();
          flush(at + 1);
          out.s32(linker.module.typeIndex(this.types[type]));
          copied = r.pos;
        } else r.pos++;
      } else if (op === OP.end) depth--;
      else if (inline && op >= OP.local_get && op <= OP.local_tee) {
        flush(at + 1);
        const k = r.u32();
        out.u32(inline.own[k]);
        copied = r.pos;
        if (op !== OP.local_get && depth === 0) set.add(k);
        else if (k >= inline.params && !set.has(k)) unset.add(k);
      } else if (inline && op === OP.return) {
        flush(at);
        out.br(depth);
        copied = r.pos;
        leaves = true;
      } else if (op === OP.br || op === OP.br_if) {
        if (r.u32() === depth) leaves = true;
      } else {
        if (USES_TABLES.has(op))
          throw new Error("device library functions use no globals and no tables");
        skipImmediates(r, op);
        if (!inline || op !== 0xfd || r.pos !== at + 18 || this.bytes[at + 1] !== 0x0c) continue;
        flush(at);
        inline.into.pushConstant(this.bytes.subarray(at + 2, r.pos), out);
        copied = r.pos;
      }
    }
    flush(end - 1);
    return { unset, leaves };
  }
}

/** What a function that is written in place of its call needs of the code around it. */
export interface InlineTarget {
  /** Locals of the types asked for, for its own use. */
  takeLocals(types: number[]): number[];
  /** Pushes a v128 constant of 16 bytes to the writer `w`. */
  pushConstant(bytes: Uint8Array, w: CodeWriter): void;
}

/** Functions beyond this many bytes are called, not written in place. */
const MAX_INLINE_BYTES = 384;

/** Puts device library functions into a module: each once, or in place of its calls. */
export class LibraryLinker {
  private readonly placed = new Map<number, number>();
  private readonly library: DeviceLibrary;
  readonly module: ModuleBuilder;

  constructor(library: DeviceLibrary, module: ModuleBuilder) {
    this.library = library;
    this.module = module;
  }

  /** The index in the module of the library's function `index`. */
  place(index: number): number {
    const known = this.placed.get(index);
    if (known !== undefined) return known;
    const target = this.module.declare();
    this.placed.set(index, target);
    const { locals, code } = this.library.relocate(index, this);
    this.module.define(target, this.library.typeOf(index), locals, code);
    return target;
  }

  /**
   * Writes a call, or the function itself if it is small: calls make both engines save every vector
   * register. Returns the bytes written in place. See {@link DeviceLibrary.inline}.
   */
  call(fn: LibraryFunction, w: CodeWriter, into: InlineTarget | undefined): number {
    const small = this.library.sizeOf(fn.index) <= MAX_INLINE_BYTES;
    if (!into || !small || fn.type.results.length !== 1) {
      w.call(this.place(fn.index));
      return 0;
    }
    const before = w.length;
    this.library.inline(fn.index, this, w, into);
    return w.length - before;
  }
}

/** Pushes a local's initial value. */
function pushZero(w: CodeWriter, type: number): void {
  if (type === VALTYPE.v128) {
    w.op(OP.v128_const);
    for (let k = 0; k < 16; k++) w.u8(0);
  } else if (type === VALTYPE.i64) w.i64Const(0n);
  else if (type === VALTYPE.f32) w.f32ConstBits(0);
  else if (type === VALTYPE.f64) w.f64ConstBits(0n);
  else w.i32Const(0);
}
