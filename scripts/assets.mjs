// Copies what the compiled JavaScript reads at run time into dist/, at the same relative paths as
// in the source tree: the WebAssembly files, the examples' PTX and CUDA sources,
// and the C sources of the library for unmodified programs.
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const wanted = {
  build: /^\w+\.wasm$/,
  examples: /\.(ptx|cu|fatbin)$/,
  "cuda-shim/native": /\.(c|h|txt)$/,
};

for (const [folder, pattern] of Object.entries(wanted)) {
  const from = join(root, folder);
  if (!existsSync(from)) continue;
  for (const name of readdirSync(from, { recursive: true })) {
    if (!pattern.test(name)) continue;
    const to = join(root, "dist", folder, name);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(from, name), to);
  }
}
