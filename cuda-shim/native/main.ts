/** `npm run build:native`: all versions of the library. */
import { fileURLToPath } from "node:url";
import { buildNative } from "./build.ts";
import { VERSIONS } from "./versions.ts";

const folder = fileURLToPath(new URL("../../build/native", import.meta.url));
for (const version of VERSIONS) console.log(await buildNative(folder, version));
