/** Writes docs/cuda-api.md: what of the CUDA runtime's symbols the library has (`npm run docs:cuda`). */
import { readFile, writeFile } from "node:fs/promises";
import { LIBRARY, SOURCES } from "./build.ts";
import { generate, readSource } from "./generate.ts";

const FILE = new URL("../../docs/cuda-api.md", import.meta.url);

/** @returns the text that docs/cuda-api.md should have */
export async function cudaApiPage(): Promise<string> {
  const sources = await Promise.all(SOURCES.map(readSource));
  const symbols = await readSource("symbols-13.txt");
  const { implemented, unsupported } = generate(sources, symbols, LIBRARY);
  const list = (names: readonly string[]): string =>
    names.map((name) => `- \`${name}\``).join("\n");
  return `# The CUDA runtime's symbols

\`${LIBRARY}\` (built from \`cuda-shim/native/\`) exports every symbol that CUDA 13.0's own library
exports: ${implemented.length + unsupported.length} in all. This page is generated (\`npm run docs:cuda\`). What programs
can expect beyond it is in [programs.md](programs.md).

## Supported (${implemented.length})

${list(implemented)}

## Not supported (${unsupported.length})

These answer \`cudaErrorNotSupported\`, and say so once on stderr.

${list(unsupported)}
`;
}

// Run as a program, it writes the page.
if (import.meta.main) {
  const page = await cudaApiPage();
  const known = await readFile(FILE, "utf8").catch(() => "");
  if (page !== known) await writeFile(FILE, page);
}
