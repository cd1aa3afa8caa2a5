import { HOST_FUNCTIONS } from "../hosts.ts";
import { I32, I64, NONE, type Value } from "../ir/ir.ts";
import type { Operand, PtxFunction, Variable } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import type { Frame } from "./function.ts";
import type { Lowering } from "./instructions.ts";
import { ParamStore } from "./params.ts";
import { ptxType } from "./types.ts";

/** How a real function passes a parameter or a result: chunks of 4 or 8 bytes. */
export interface Chunk {
  variable: Variable;
  offset: number;
  size: number;
  type: typeof I32 | typeof I64;
}

/** The chunks of a list of parameters: 8 bytes where aligned so, else 4. */
export function chunks(variables: Variable[]): Chunk[] {
  const list: Chunk[] = [];
  for (const variable of variables) {
    const unit = variable.align >= 8 || variable.size === 8 ? 8 : 4;
    if (variable.size <= 4) {
      list.push({ variable, offset: 0, size: Math.max(variable.size, 1), type: I32 });
      continue;
    }
    let offset = 0;
    while (offset < variable.size) {
      const size = variable.size - offset >= unit ? unit : 4;
      list.push({ variable, offset, size, type: size === 8 ? I64 : I32 });
      offset += size;
    }
  }
  return list;
}

const listOf = (o: Operand | undefined) => (o?.kind === "list" ? o.elements : []);

/** call{.uni} (returns), target, (arguments){, prototype}; (PTX ISA §9.7.11 call). */
const call: Lowering = (b, i) => {
  const first = i.operands[0];
  const hasReturns = first.kind === "list";
  const returns = hasReturns ? first.elements : [];
  const target = i.operands[hasReturns ? 1 : 0];
  const rest = i.operands.slice(hasReturns ? 2 : 1);
  const args = listOf(rest[0]);
  if (target.kind === "symbol" && target.symbol.kind !== "variable") {
    const fn = target.symbol.aliasOf ?? target.symbol;
    if (!fn.body) return hostCall(b, fn, returns, args);
    if (b.fn.context.recursive.has(fn.index)) {
      realCall(b, [fn], undefined, returns, args);
      return true;
    }
    inlineCall(b, fn, returns, args);
    return true;
  }
  const proto = rest.find((o) => o.kind === "proto");
  const { addressTaken } = b.fn.context;
  let candidates = addressTaken.filter((fn) => fn.body && fn.kind === "func");
  if (proto?.kind === "proto") {
    candidates =
      proto.proto.kind === "calltargets"
        ? proto.proto.functions
        : candidates.filter((fn) => sameShape(fn, proto.proto.returns, proto.proto.params));
  }
  if (candidates.length === 0) throw b.unsupported("a call through a pointer without candidates");
  realCall(b, candidates, b.read(target, ptxType("u64")), returns, args);
  return true;
};

function sameShape(fn: PtxFunction, returns: Variable[], params: Variable[]): boolean {
  const shape = (list: Variable[]) => list.map((v) => v.size).join();
  return shape(fn.returns) === shape(returns) && shape(fn.params) === shape(params);
}

/** Binds arguments to the callee's parameters and inlines its body. */
function inlineCall(b: Builder, fn: PtxFunction, returns: Operand[], args: Operand[]): void {
  if (args.length !== fn.params.length || returns.length !== fn.returns.length) {
    throw b.error(
      `${fn.name} takes ${fn.params.length} arguments and returns ${fn.returns.length}`,
    );
  }
  const values = fn.params.map((param, k) => {
    const o = args[k];
    if (o.kind === "symbol" && o.symbol.kind === "variable" && o.symbol.space === "param") {
      return b.fn.paramStore(o.symbol);
    }
    return b.read(o, ptxType(param.type));
  });
  const outerStores = returns.map((o) =>
    o.kind === "symbol" && o.symbol.kind === "variable" && o.symbol.space === "param"
      ? b.fn.paramStore(o.symbol)
      : undefined,
  );
  const after: (() => void)[] = [];
  let frame: Frame | undefined;
  const outer = b.fn.frame;
  b.fn.inline(fn, (inner) => {
    frame = inner;
    fn.params.forEach((param, k) => {
      const v = values[k];
      if (v instanceof ParamStore) {
        if (param.space === "param") inner.stores.set(param.id, v);
        else bindRegister(b, inner, param, v.read(b, 0, param.size || 4));
      } else if (param.space === "param") {
        const store = new ParamStore(b.fn, param.name, param.size);
        store.write(b, 0, param.size, b.coerce(v, param.size === 8 ? I64 : I32));
        inner.stores.set(param.id, store);
      } else bindRegister(b, inner, param, v);
    });
    fn.returns.forEach((result, k) => {
      const store = outerStores[k];
      if (result.space === "param" && store) inner.stores.set(result.id, store);
      else after.push(() => finishReturn(b, inner, outer, result, returns[k], store));
    });
  });
  if (frame) for (const finish of after) finish();
}

function bindRegister(b: Builder, frame: Frame, reg: Variable, v: Value): void {
  const type = ptxType(reg.type);
  const index = b.fn.newRegister(reg.name, type.type);
  frame.registers.set(reg.id, index);
  b.writeRegister(index, b.coerce(v, type.type));
}

/** Copies a result that is a register, or goes to one, when the callee has returned. */
function finishReturn(
  b: Builder,
  inner: Frame,
  outer: Frame,
  result: Variable,
  target: Operand,
  store: ParamStore | undefined,
): void {
  b.fn.frame = inner;
  const type = ptxType(result.type);
  const v =
    result.space === "param"
      ? b.coerce(b.fn.paramStore(result).read(b, 0, result.size), type.type)
      : b.readRegister(result);
  b.fn.frame = outer;
  if (store) store.write(b, 0, result.size, b.coerce(v, result.size === 8 ? I64 : I32));
  else b.write(target, v, type);
}

/** A call of a WebAssembly function: one candidate, or chosen by a function pointer. */
function realCall(
  b: Builder,
  candidates: PtxFunction[],
  pointer: Value | undefined,
  returns: Operand[],
  args: Operand[],
): void {
  const [fn] = candidates;
  if (args.length !== fn.params.length || returns.length !== fn.returns.length) {
    throw b.error(
      `${fn.name} takes ${fn.params.length} arguments and returns ${fn.returns.length}`,
    );
  }
  const { realFunctions } = b.fn.context;
  for (const c of candidates) if (!realFunctions.has(c)) realFunctions.set(c, realFunctions.size);
  const values = chunks(fn.params).map((c) => {
    const o = args[fn.params.indexOf(c.variable)];
    if (o.kind === "symbol" && o.symbol.kind === "variable" && o.symbol.space === "param") {
      return b.fn.paramStore(o.symbol).read(b, c.offset, c.size);
    }
    return b.coerce(b.read(o, ptxType(c.variable.type)), c.type);
  });
  const name = candidates.map((c) => realFunctions.get(c)).join();
  const stackTop = b.fn.localAddress(b, 0);
  const inputs = pointer ? [stackTop, pointer, ...values] : [stackTop, ...values];
  const addresses = pointer ? candidates.map((c) => b.fn.context.functionAddress(c)).join() : "";
  const done = b.emit("call", NONE, inputs, {
    name,
    atomic: addresses,
    site: b.site(),
  });
  chunks(fn.returns).forEach((c, k) => {
    const v = b.emit("result", c.type, [done], {}, k);
    const o = returns[fn.returns.indexOf(c.variable)];
    if (o.kind === "symbol" && o.symbol.kind === "variable" && o.symbol.space === "param") {
      b.fn.paramStore(o.symbol).write(b, c.offset, c.size, v);
    } else b.write(o, b.coerce(v, ptxType(c.variable.type).type), ptxType(c.variable.type));
  });
}

/** A call of an undefined function: one of the runtime's, else an error. */
function hostCall(b: Builder, fn: PtxFunction, returns: Operand[], args: Operand[]): boolean {
  const host = Object.hasOwn(HOST_FUNCTIONS, fn.name) ? HOST_FUNCTIONS[fn.name] : undefined;
  if (!host) throw b.error(`unresolved external function ${fn.name}`);
  if (args.length !== host.args.length)
    throw b.error(`${fn.name} takes ${host.args.length} arguments`);
  const values = host.args.flatMap((size, k): Value | Value[] => {
    const o = args[k];
    if (size === 12) {
      if (o.kind !== "symbol" || o.symbol.kind !== "variable") throw b.error("unexpected argument");
      const store = b.fn.paramStore(o.symbol);
      return [0, 4, 8].map((at) => store.read(b, at, 4));
    }
    const type = size === 8 ? I64 : I32;
    if (o.kind === "symbol" && o.symbol.kind === "variable" && o.symbol.space === "param") {
      return b.fn.paramStore(o.symbol).read(b, 0, size);
    }
    return b.coerce(b.read(o, ptxType(size === 8 ? "b64" : "b32")), type);
  });
  b.fn.hosts.add(fn.name);
  const type = host.result === 8 ? I64 : host.result === 4 ? I32 : NONE;
  const v = b.emit("host", type, values, { name: fn.name, site: b.site() });
  const [target] = returns;
  if (target && type !== NONE) {
    if (target.kind === "symbol" && target.symbol.kind === "variable") {
      b.fn.paramStore(target.symbol).write(b, 0, host.result, v);
    } else b.write(target, v, ptxType(host.result === 8 ? "b64" : "b32"));
  }
  if (fn.name === "__assertfail") b.block.terminator = { kind: "exit" };
  return true;
}

/** Calls (PTX ISA §9.7.11). */
export const calls: Record<string, Lowering> = { call };
