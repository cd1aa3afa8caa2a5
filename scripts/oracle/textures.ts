/**
 * Writes the texture and surface cases for the recorder: `bun run scripts/oracle/textures.ts OUT`, then on
 * a machine with a GPU `record-textures OUT/textures OUT/surfaces` (scripts/oracle/record-textures.cpp).
 * With `--pack OUT` what it recorded goes among the tests.
 */
import { Buffer } from "node:buffer";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { brotliCompressSync } from "node:zlib";
import {
  BORDER,
  COORDINATES,
  TEXTURE_CASES,
  textureCoordinates,
  textureData,
  textureKernel,
} from "../../tests/compiler/textures/cases.ts";
import {
  isLoad,
  SURFACE_CASES,
  SURFACE_PLACES,
  surfaceKernel,
  surfacePlaces,
} from "../../tests/compiler/textures/surface-cases.ts";

/** What the recorder reads of a case. */
interface Written {
  kernel: string;
  texels: Uint8Array;
  places: Uint8Array;
  /** The line of cases.txt. */
  numbers: (number | boolean)[];
}

function write(folder: string, places: number, cases: readonly Written[]): void {
  mkdirSync(folder, { recursive: true });
  const lines = [`${cases.length} ${places} ${BORDER.join(" ")}`];
  cases.forEach((c, k) => {
    writeFileSync(join(folder, `kernel.${k}.ptx`), c.kernel);
    writeFileSync(join(folder, `texels.${k}.bin`), c.texels);
    writeFileSync(join(folder, `places.${k}.bin`), c.places);
    lines.push(c.numbers.map(Number).join(" "));
  });
  writeFileSync(join(folder, "cases.txt"), `${lines.join("\n")}\n`);
}

const layered = (geometry: string) => geometry.startsWith("a");
const cube = (geometry: string) => geometry.endsWith("cube");

function writeAll(out: string): void {
  const textures = TEXTURE_CASES.map((c): Written => {
    const memory = ["", "linear", "pitch"].indexOf(c.memory ?? "");
    const shape = [c.format, c.bits, c.channels, ...c.extent, c.mode];
    const how = [c.linear, c.fraction, c.normalized, c.srgb === true];
    const flags = [layered(c.geometry), cube(c.geometry), c.operation.startsWith("tld4")];
    return {
      kernel: textureKernel(c),
      texels: textureData(c),
      places: new Uint8Array(textureCoordinates(c).buffer),
      numbers: [...shape, ...how, ...flags, memory, false],
    };
  });
  write(join(out, "textures"), COORDINATES, textures);
  const surfaces = SURFACE_CASES.map((c): Written => {
    const shape = [c.format, c.bits, c.channels, ...c.extent, 0];
    return {
      kernel: surfaceKernel(c),
      texels: textureData(c),
      places: new Uint8Array(surfacePlaces(c).buffer),
      numbers: [...shape, 0, 0, 0, 0, layered(c.geometry), 0, 0, 0, true],
    };
  });
  write(join(out, "surfaces"), SURFACE_PLACES, surfaces);
}

function pack(out: string): void {
  const put = (name: string, bytes: Uint8Array): void => {
    const to = new URL(`../../tests/compiler/textures/${name}.bin.br`, import.meta.url);
    writeFileSync(to, brotliCompressSync(bytes));
  };
  put("golden", readFileSync(join(out, "textures", "golden.bin")));
  // Of surfaces there are results and texels; one of them is the answer.
  const recorded = readFileSync(join(out, "surfaces", "golden.bin"));
  let at = 0;
  const answers = SURFACE_CASES.map((c) => {
    const texels = at + 16 * SURFACE_PLACES;
    const end = texels + textureData(c).length;
    const answer = isLoad(c) ? recorded.subarray(at, texels) : recorded.subarray(texels, end);
    at = end;
    return answer;
  });
  if (at !== recorded.length) throw new Error(`${recorded.length} bytes recorded, not ${at}`);
  put("surfaces", Buffer.concat(answers));
}

const [first = "", second = ""] = process.argv.slice(2);
if (first === "--pack" && second !== "") pack(second);
else if (first !== "" && first !== "--pack") writeAll(first);
else {
  console.error("usage: textures.ts OUT, or textures.ts --pack OUT");
  process.exit(2);
}
