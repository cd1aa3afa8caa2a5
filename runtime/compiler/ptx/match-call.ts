// The operands of a call (PTX ISA §9.7.12): `call (ret), target, (arguments), prototype;`.

import type { ListOperand, Operand, Prototype, Variable } from "./ast.ts";
import type { Mismatch } from "./match.ts";
import { fitsRegister, typeBits } from "./types.ts";

interface Signature {
  returns: readonly Variable[];
  params: readonly Variable[];
  variadic: boolean;
}

/** Does an argument or result fit a parameter? Constants and other operands can only be arguments. */
function fits(operand: Operand, param: Variable, isResult: boolean): boolean {
  switch (operand.kind) {
    case "reg":
      return param.dims.length === 0 && fitsRegister(operand.reg.type, param.type, true);
    case "symbol": {
      const { symbol } = operand;
      if (symbol.kind !== "variable" || symbol.space !== "param") return false;
      return symbol.size === param.size;
    }
    case "int":
    case "float":
      return !isResult && param.dims.length === 0 && typeBits(param.type) <= 64;
    case "sink":
      return isResult;
    default:
      return false;
  }
}

function matchList(
  list: ListOperand | undefined,
  params: readonly Variable[],
  variadic: boolean,
  isResult: boolean,
): string | undefined {
  const what = isResult ? "result" : "argument";
  const elements = list?.elements ?? [];
  const fixed = variadic ? params.length - 1 : params.length;
  if (elements.length < fixed || (!variadic && elements.length > fixed)) {
    // A result may be left unused.
    if (!(isResult && elements.length === 0)) {
      return `${elements.length} ${what}${elements.length === 1 ? "" : "s"}, not ${fixed}`;
    }
  }
  for (let k = 0; k < Math.min(elements.length, fixed); k++) {
    if (!fits(elements[k] as Operand, params[k] as Variable, isResult)) {
      return `${what} ${k + 1} doesn't fit the parameter of type .${params[k]?.type}`;
    }
  }
  return undefined;
}

function signaturesOf(
  target: Operand,
  proto: Prototype | undefined,
): readonly Signature[] | string {
  if (target.kind === "symbol") {
    const fn = target.symbol;
    if (fn.kind === "variable") return `the target of a call is a function, not ${fn.name}`;
    if (fn.kind === "entry") return `${fn.name} is a kernel, which can't be called`;
    return [fn];
  }
  if (target.kind !== "reg" || !/^[bu](32|64)$/.test(target.reg.type)) {
    return "the target of a call must be a function or a register with its address";
  }
  if (proto === undefined) return "a call through a register needs its prototype or its targets";
  return proto.kind === "calltargets" ? proto.functions : [proto];
}

/** Compares the operands of a call with its target; undefined if they fit. */
export function matchCall(operands: readonly Operand[]): Mismatch | undefined {
  const rest = [...operands];
  const first = rest[0];
  const results = first?.kind === "list" ? (rest.shift() as ListOperand) : undefined;
  const target = rest.shift();
  const args = rest[0]?.kind === "list" ? (rest.shift() as ListOperand) : undefined;
  const proto = rest[0]?.kind === "proto" ? rest.shift() : undefined;
  if (target === undefined || rest.length > 0) {
    return { position: 0, reason: "a call is 'call (results), target, (arguments), prototype'" };
  }
  const declared = proto?.kind === "proto" ? proto.proto : undefined;
  if (declared?.kind === "branchtargets") {
    return { position: 3, reason: `${declared.name} lists labels, not functions` };
  }
  const signatures = signaturesOf(target, declared);
  if (typeof signatures === "string") return { position: 1, reason: signatures };
  for (const { returns, params, variadic } of signatures) {
    const reason =
      matchList(results, returns, false, true) ?? matchList(args, params, variadic, false);
    if (reason !== undefined) return { position: 2, reason: `the call has ${reason}` };
  }
  return undefined;
}
