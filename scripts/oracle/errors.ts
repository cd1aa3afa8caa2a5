/**
 * Writes the table of calls (tests/shim/entry-table.ts) as scripts for tests/vhost/entry-points/interpreter.c,
 * one file for each call, so that a real runtime can answer them: `bun scripts/oracle/errors.ts OUT`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { NATIVE, TABLE } from "../../tests/shim/entry-table.ts";
import { Script } from "../../tests/vhost/entry-points/script.ts";

const out = process.argv[2];
if (!out) {
  console.error("usage: errors.ts OUT");
  process.exit(2);
}
/** More memory than a machine has can hang it, where it isn't the device's own. */
function harmful(name: string, label: string): boolean {
  if (name === "cudaMallocManaged") return label !== "null";
  return /^cuda(MallocHost|HostAlloc)$/.test(name) && label === `${2 ** 40}`;
}
mkdirSync(out, { recursive: true });
for (const [name, parameters] of Object.entries({ ...TABLE, ...NATIVE })) {
  const script = new Script();
  script.add(name, parameters, (_index, label, error) =>
    harmful(name, label) ? undefined : error,
  );
  writeFileSync(`${out}/${name}`, script.text);
}
