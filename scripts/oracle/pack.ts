/**
 * Puts a recorded folder of cases among the tests, compressed: `bun scripts/oracle/pack.ts DIR NAME` makes
 * tests/conformance/NAME, which the conformance tests then run.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";

const [from, name] = process.argv.slice(2);
if (!from || !name) throw new Error("usage: pack.ts DIR NAME");
const names = readdirSync(from);
if (!names.includes("golden.bin")) throw new Error(`${from} has not been recorded`);
const to = new URL(`../../tests/conformance/${name}/`, import.meta.url);
mkdirSync(to, { recursive: true });
const wanted = names.filter((file) => /^(cases\.json|golden\.bin|pool\.\w+\.bin)$/.test(file));
for (const file of wanted) {
  writeFileSync(new URL(`${file}.br`, to), brotliCompressSync(readFileSync(`${from}/${file}`)));
}
console.log(`${wanted.length} files`);
