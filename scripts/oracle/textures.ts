/**
 * Writes the texture cases for the recorder: `bun run scripts/oracle/textures.ts OUT`, then on a
 * machine with a GPU `record-textures OUT` (scripts/oracle/record-textures.cpp).
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import {
  BORDER,
  COORDINATES,
  TEXTURE_CASES,
  textureCoordinates,
  textureData,
  textureKernel,
} from "../../tests/compiler/textures/cases.ts";

const out = process.argv[2];
if (!out) {
  console.error("usage: textures.ts OUT");
  process.exit(2);
}
mkdirSync(out, { recursive: true });
const lines = [`${TEXTURE_CASES.length} ${COORDINATES} ${BORDER.join(" ")}`];
TEXTURE_CASES.forEach((c, k) => {
  writeFileSync(join(out, `kernel.${k}.ptx`), textureKernel(c));
  writeFileSync(join(out, `texels.${k}.bin`), textureData(c));
  writeFileSync(join(out, `places.${k}.bin`), new Uint8Array(textureCoordinates(c).buffer));
  const flags = [
    c.linear,
    c.fraction,
    c.normalized,
    c.srgb,
    c.geometry === "a2d",
    c.geometry === "cube",
  ];
  const gather = c.operation.startsWith("tld4") ? 1 : 0;
  const numbers = [c.format, c.bits, c.channels, ...c.extent, c.mode];
  lines.push([...numbers, ...flags.map((f) => (f ? 1 : 0)), gather].join(" "));
});
writeFileSync(join(out, "cases.txt"), `${lines.join("\n")}\n`);
