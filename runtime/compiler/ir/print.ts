import { I64, type Region, TYPE_NAMES, type Value } from "./ir.ts";

/** A region as text, one operation a line: what `warpring compile --print PASS` shows. */
export function printRegion(region: Region, prologue: Value[] = []): string {
  const names = new Map<Value, string>();
  const name = (v: Value): string => {
    if (v.op === "const") return v.type === I64 || v.type === 4 ? `${v.big}` : `${v.imm}`;
    let n = names.get(v);
    if (!n) {
      n = `%${names.size}`;
      names.set(v, n);
    }
    return n;
  };
  const line = (v: Value): string => {
    const result = v.type === 5 ? "" : `${name(v)}: ${TYPE_NAMES[v.type]} = `;
    const aux = Object.entries(v.aux)
      .filter(([, value]) => value !== undefined && value !== false)
      .map(([key, value]) => `${key}=${value}`);
    const imm = ["reload", "result", "param", "argument"].includes(v.op) ? [`#${v.imm}`] : [];
    return `  ${result}${[v.op, ...v.args.map(name), ...imm, ...aux].join(" ")}`;
  };
  const out = [`region ${region.entry}${region.from ? ` (behind ${region.from.kind} cut)` : ""}`];
  if (prologue.length > 0)
    out.push("prologue:", ...prologue.filter((v) => v.op !== "const").map(line));
  for (const b of region.blocks) {
    out.push(
      `block ${b.id}:${b.preds.length > 0 ? ` ; from ${b.preds.map((p) => p.id).join(", ")}` : ""}`,
    );
    for (const v of b.values) if (v.op !== "const") out.push(line(v));
    const t = b.terminator;
    if (t?.kind === "jump") out.push(`  jump ${t.target.id}`);
    else if (t?.kind === "branch") out.push(`  branch ${name(t.cond)} ? ${t.yes.id} : ${t.no.id}`);
    else if (t?.kind === "switch")
      out.push(`  switch ${name(t.index)} ${t.targets.map((x) => x.id).join(" ")}`);
    else if (t?.kind === "cut") {
      const spills = t.state?.spills.map((s) => `r${s.register}=${name(s.value)}`) ?? [];
      const sources = t.state?.sources.map(name) ?? [];
      out.push(
        `  cut ${t.cut.kind} → ${t.cut.entry} ${t.cut.warpOp ?? ""} [${sources.join(" ")}] ${spills.join(" ")}`,
      );
    } else out.push(`  ${t?.kind}`);
  }
  return `${out.join("\n")}\n`;
}
