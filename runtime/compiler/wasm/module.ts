import { rareBranches } from "./hints.ts";
import { OP, VALTYPE } from "./opcodes.ts";
import { CodeWriter } from "./writer.ts";

/** A function signature: value types (bytes of the binary format) in and out. */
export interface FuncType {
  params: readonly number[];
  results: readonly number[];
}

interface Import {
  module: string;
  name: string;
  type: number;
}

interface Body {
  type: number;
  locals: number[];
  code: Uint8Array;
}

/**
 * Assembles a WebAssembly module that imports one shared memory and some functions, and exports
 * some of its own. Function indices are handed out before the bodies exist, so that bodies can
 * call each other in any order.
 */
export class ModuleBuilder {
  private types: FuncType[] = [];
  private typeKeys = new Map<string, number>();
  private imports: Import[] = [];
  private bodies: (Body | undefined)[] = [];
  private exports: { name: string; index: number }[] = [];
  private customs: { name: string; bytes: Uint8Array }[] = [];
  private rare = new Set<number>();
  private table = false;
  private globals: { type: number; bytes: Uint8Array }[] = [];
  private globalKeys = new Map<string, number>();

  /** The index of a signature, interned. */
  typeIndex(type: FuncType): number {
    const key = `${type.params.join()}>${type.results.join()}`;
    let index = this.typeKeys.get(key);
    if (index === undefined) {
      index = this.types.length;
      this.types.push(type);
      this.typeKeys.set(key, index);
    }
    return index;
  }

  /** Imports a function; all imports come before the first {@link declare}. */
  importFunction(module: string, name: string, type: FuncType): number {
    if (this.bodies.length > 0) throw new Error("imports must precede functions");
    this.imports.push({ module, name, type: this.typeIndex(type) });
    return this.imports.length - 1;
  }

  /** Imports the worker's function table (`env.table`), for indirect calls. */
  importTable(): void {
    this.table = true;
  }

  /**
   * The index of a global of type v128 that starts as these 16 bytes, interned. It is mutable, though
   * nobody sets it: an engine that knew the value would make it anew at each use.
   */
  vectorGlobal(bytes: Uint8Array): number {
    const key = bytes.join();
    let index = this.globalKeys.get(key);
    if (index === undefined) {
      index = this.globals.push({ type: VALTYPE.v128, bytes: bytes.slice() }) - 1;
      this.globalKeys.set(key, index);
    }
    return index;
  }

  /** The index of a new global of type i32 that starts as 0: each thread that runs kernels has its own. */
  counter(): number {
    return this.globals.push({ type: VALTYPE.i32, bytes: new Uint8Array([0]) }) - 1;
  }

  /** Reserves a function index; its body follows by {@link define}. */
  declare(): number {
    this.bodies.push(undefined);
    return this.imports.length + this.bodies.length - 1;
  }

  /** Gives a declared function its signature, extra locals (value types) and code without `end`. */
  define(index: number, type: FuncType, locals: number[], code: Uint8Array): void {
    this.bodies[index - this.imports.length] = {
      type: this.typeIndex(type),
      locals,
      code: code.slice(),
    };
  }

  /** Says that a function is hardly ever called: neither are the `if`s around its calls entered. */
  callRarely(index: number): void {
    this.rare.add(index);
  }

  export(name: string, index: number): void {
    this.exports.push({ name, index });
  }

  /** Adds a custom section (metadata for whoever loads the module ahead of time). */
  custom(name: string, bytes: Uint8Array): void {
    this.customs.push({ name, bytes });
  }

  /** The module's bytes. The memory is imported as `env.memory`, shared, up to 65,536 pages. */
  build(): Uint8Array<ArrayBuffer> {
    const out = new CodeWriter(4096);
    out.raw(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    const section = (id: number, fill: (w: CodeWriter) => void) => {
      const w = new CodeWriter(1024);
      fill(w);
      out.u8(id);
      out.u32(w.length);
      out.raw(w.view());
    };
    section(1, (w) => {
      w.u32(this.types.length);
      for (const type of this.types) {
        w.u8(0x60);
        w.u32(type.params.length);
        for (const p of type.params) w.u8(p);
        w.u32(type.results.length);
        for (const r of type.results) w.u8(r);
      }
    });
    section(2, (w) => {
      w.u32(this.imports.length + 1 + (this.table ? 1 : 0));
      for (const { module, name, type } of this.imports) {
        w.name(module);
        w.name(name);
        w.u8(0);
        w.u32(type);
      }
      w.name("env");
      w.name("memory");
      w.u8(2);
      w.u8(3);
      w.u32(1);
      w.u32(65536);
      if (this.table) {
        w.name("env");
        w.name("table");
        w.u8(1);
        w.u8(0x70);
        w.u8(0);
        w.u32(0);
      }
    });
    section(3, (w) => {
      w.u32(this.bodies.length);
      for (const body of this.bodies) {
        if (!body) throw new Error("a declared function has no body");
        w.u32(body.type);
      }
    });
    if (this.globals.length > 0) {
      section(6, (w) => {
        w.u32(this.globals.length);
        for (const { type, bytes } of this.globals) {
          w.u8(type);
          w.u8(1);
          w.op(type === VALTYPE.v128 ? OP.v128_const : OP.i32_const);
          w.raw(bytes);
          w.end();
        }
      });
    }
    section(7, (w) => {
      w.u32(this.exports.length);
      for (const { name, index } of this.exports) {
        w.name(name);
        w.u8(0);
        w.u32(index);
      }
    });
    const bodies = (this.bodies as Body[]).map(({ locals, code }) => ({
      head: localRuns(locals),
      code,
    }));
    this.hints(bodies, (fill) => section(0, fill));
    section(10, (w) => {
      w.u32(bodies.length);
      for (const { head, code } of bodies) {
        w.u32(head.length + code.length + 1);
        w.raw(head);
        w.raw(code);
        w.u8(0x0b);
      }
    });
    for (const { name, bytes } of this.customs) {
      section(0, (w) => {
        w.name(name);
        w.raw(bytes);
      });
    }
    return out.bytes.slice(0, out.length) as Uint8Array<ArrayBuffer>;
  }

  /** The branch hints (WebAssembly 3.0, metadata.code.branch_hint), in front of the code. */
  private hints(
    bodies: { head: Uint8Array; code: Uint8Array }[],
    section: (fill: (w: CodeWriter) => void) => void,
  ): void {
    const found = bodies
      .map(({ head, code }, k) => ({ k, head, branches: rareBranches(code, this.rare) }))
      .filter(({ branches }) => branches.length > 0);
    if (found.length === 0) return;
    section((w) => {
      w.name("metadata.code.branch_hint");
      w.u32(found.length);
      for (const { k, head, branches } of found) {
        w.u32(this.imports.length + k);
        w.u32(branches.length);
        for (const { at, taken } of branches) {
          w.u32(head.length + at);
          w.u32(1);
          w.u8(taken ? 1 : 0);
        }
      }
    });
  }
}

/** A function's locals, as runs of one type. */
function localRuns(locals: readonly number[]): Uint8Array {
  const head = new CodeWriter(64);
  const runs: [number, number][] = [];
  for (const type of locals) {
    const last = runs[runs.length - 1];
    if (last && last[1] === type) last[0]++;
    else runs.push([1, type]);
  }
  head.u32(runs.length);
  for (const [count, type] of runs) {
    head.u32(count);
    head.u8(type);
  }
  return head.view().slice();
}
