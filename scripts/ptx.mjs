// Makes the PTX beside every .cu file of examples/, bench/ and tests/ again, where nvcc is. The
// PTX is checked in, so that nobody needs nvcc to run anything.
//
// A source may name its own options in its first lines: `// nvcc: -arch=sm_80`. The default is
// sm_75, the oldest that nvcc 13 knows. Arguments restrict the run to sources whose path contains
// one of them; `--check` writes nothing and fails where the PTX is not what nvcc makes of the source.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const args = process.argv.slice(2);
const check = args.includes("--check");
const wanted = args.filter((arg) => !arg.startsWith("--"));

const version = spawnSync("nvcc", ["--version"], { encoding: "utf8" });
if (version.error) {
  console.error("nvcc is not installed: the checked-in PTX stays as it is");
  process.exit(1);
}
console.log(version.stdout.trim().split("\n").at(-2));

/** The .cu files below a folder, sorted. */
function sources(folder) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith(".cu"))
    .map((name) => join(path, name))
    .sort();
}

const scratch = mkdtempSync(join(tmpdir(), "ptx-"));
let failed = 0;
let made = 0;
for (const source of ["examples", "bench", "tests"].flatMap(sources)) {
  const name = relative(root, source);
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
  const options = readFileSync(source, "utf8").match(/^\/\/ nvcc: (.+)$/m);
  const target = source.replace(/\.cu$/, ".ptx");
  const output = join(scratch, basename(target));
  // Run in the source's folder: the file's name, not the whole path, is what assert() prints.
  const flags = options ? options[1].trim().split(/\s+/) : ["-arch=sm_75"];
  const run = spawnSync("nvcc", ["-ptx", ...flags, "-o", output, basename(source)], {
    cwd: dirname(source),
    encoding: "utf8",
  });
  if (run.status !== 0) {
    console.error(`${name}: nvcc ${flags.join(" ")} failed\n${run.stdout}${run.stderr}`);
    failed++;
    continue;
  }
  const ptx = readFileSync(output, "utf8");
  const old = existsSync(target) ? readFileSync(target, "utf8") : "";
  if (ptx === old) continue;
  made++;
  if (check) {
    console.error(`${name}: the PTX is out of date`);
    failed++;
  } else {
    writeFileSync(target, ptx);
    console.log(`${relative(root, target)} written`);
  }
}
rmSync(scratch, { recursive: true });
console.log(check ? `${failed} out of date` : `${made} written, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
