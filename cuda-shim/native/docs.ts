/** Writes docs/cuda-api.md: what of the CUDA runtime's symbols the library has (`npm run docs:cuda`). */
import { readFile, writeFile } from "node:fs/promises";
import { entryPoints } from "./generate.ts";
import { NEWEST, VERSIONS } from "./versions.ts";

const FILE = new URL("../../docs/cuda-api.md", import.meta.url);

/** @returns the text that docs/cuda-api.md should have */
export async function cudaApiPage(): Promise<string> {
  const { implemented, unsupported } = await entryPoints(NEWEST);
  const list = (names: readonly string[]): string =>
    names.map((name) => `- \`${name}\``).join("\n");
  const older: string[] = [];
  for (const version of VERSIONS.slice(1)) {
    const own = await entryPoints(version);
    const gone = own.unsupported.filter((name) => !unsupported.includes(name));
    older.push(
      `\`${version.library}\`: ${own.implemented.length} supported, ${own.unsupported.length} not. ` +
        `Of these the newest library does not have:\n\n${list(gone) || "none"}`,
    );
  }
  return `# The CUDA runtime's symbols

\`${NEWEST.library}\` (built from \`cuda-shim/native/\`) exports every symbol that CUDA 13.0's own library
exports: ${implemented.length + unsupported.length} in all. This page is generated (\`npm run docs:cuda\`). What programs
can expect beyond it is in [programs.md](programs.md).

## Supported (${implemented.length})

${list(implemented)}

## Not supported (${unsupported.length})

These answer \`cudaErrorNotSupported\`, and say so once on stderr.

${list(unsupported)}

## Older libraries

They export what the public headers of their version declare, with the version of their symbols. What
the newest library supports they support in the form of their version.

${older.join("\n\n")}
`;
}

// Run as a program, it writes the page.
if (import.meta.main) {
  const page = await cudaApiPage();
  const known = await readFile(FILE, "utf8").catch(() => "");
  if (page !== known) await writeFile(FILE, page);
}
