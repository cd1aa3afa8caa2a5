/** What the lowering of each kernel has to know of the whole module: found out once. */
import type { PtxFunction, PtxModule, Variable } from "../ptx/ast.ts";

/** See `factsOf`. */
export interface ModuleFacts {
  /** Functions that can reach themselves through direct calls (PTX ISA §7.1), by function index. */
  readonly recursive: ReadonlySet<number>;
  /** Functions whose address is taken, in index order. */
  readonly addressTaken: readonly PtxFunction[];
  /**
   * There is an instruction of clusters: barrier.cluster, mapa, getctarank, their special registers, or an
   * access to shared::cluster. The module's kernels then take shared addresses as offsets in the window of
   * the whole cluster.
   */
  readonly usesClusters: boolean;
}

const known = new WeakMap<PtxModule, ModuleFacts>();

/** The facts of a parsed module, which doesn't change any more. */
export function factsOf(module: PtxModule): ModuleFacts {
  let facts = known.get(module);
  if (!facts) {
    facts = {
      recursive: recursiveFunctions(module),
      addressTaken: addressesTaken(module),
      usesClusters: mentionsClusters(module),
    };
    known.set(module, facts);
  }
  return facts;
}

function recursiveFunctions(module: PtxModule): Set<number> {
  const callees = module.functions.map((fn) => {
    const set = new Set<number>();
    for (const s of fn.body ?? []) {
      if (s.kind !== "instr" || s.opcode !== "call") continue;
      for (const o of s.operands) {
        if (o.kind === "symbol" && o.symbol.kind !== "variable") set.add(o.symbol.index);
      }
    }
    return set;
  });
  const recursive = new Set<number>();
  for (let start = 0; start < callees.length; start++) {
    const seen = new Set<number>();
    const stack = [...callees[start]];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next === start) recursive.add(start);
      if (seen.has(next)) continue;
      seen.add(next);
      stack.push(...callees[next]);
    }
  }
  return recursive;
}

function addressesTaken(module: PtxModule): PtxFunction[] {
  const taken = new Set<PtxFunction>();
  const note = (symbol: Variable | PtxFunction) => {
    if (symbol.kind !== "variable") taken.add(symbol);
  };
  for (const fn of module.functions) {
    for (const s of fn.body ?? []) {
      if (s.kind !== "instr" || s.opcode === "call") continue;
      for (const o of s.operands) if (o.kind === "symbol") note(o.symbol);
    }
    for (const v of fn.locals) for (const r of v.init?.relocations ?? []) note(r.symbol);
  }
  for (const v of module.variables) for (const r of v.init?.relocations ?? []) note(r.symbol);
  return [...taken].sort((a, b) => a.index - b.index);
}

function mentionsClusters(module: PtxModule): boolean {
  return module.functions.some((fn) =>
    fn.body?.some(
      (s) =>
        s.kind === "instr" &&
        (s.opcode === "mapa" ||
          s.opcode === "getctarank" ||
          s.mods.some((m) => m === "shared::cluster" || m === "multicast::cluster") ||
          (s.opcode === "barrier" && s.mods.includes("cluster")) ||
          s.operands.some((o) => o.kind === "sreg" && /cluster/.test(o.name))),
    ),
  );
}
