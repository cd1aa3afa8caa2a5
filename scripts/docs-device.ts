/**
 * Fills the tables of docs/device.md from runtime/protocol/, where layouts are written once.
 * Between `<!-- layout: A B … -->` and `<!-- end -->` go the commands of those names, between
 * `<!-- constants: FILE PREFIX -->` and `<!-- end -->` constants of one file.
 *
 *   npm run docs:device           rewrites the file
 */
import { readFile, writeFile } from "node:fs/promises";
import { DeviceAttributes } from "../runtime/device/properties.ts";
import * as protocol from "../runtime/protocol/index.ts";

const root = new URL("../", import.meta.url);
const FILES = ["definitions", "streams", "functions", "pools", "graphs", "arrays"];
const HEADER = { request: 24, response: 8 };

/** One line `export const NAME = …; // comment`, and the value that it has. */
interface Constant {
  readonly name: string;
  readonly value: number;
  readonly comment: string;
}

/** A command with its fields, as its block in the source has them. */
interface Block {
  readonly text: string;
  readonly constants: Constant[];
}

/**
 * The blocks of a definitions file: a doc comment and the constants below it.
 * @param source text of the file
 */
export function parseBlocks(source: string): Block[] {
  const blocks: Block[] = [];
  let block: Block = { text: "", constants: [] };
  const lines = source.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? "";
    if (line.startsWith("/**")) {
      let text = "";
      for (; i < lines.length; i++) {
        text += ` ${(lines[i] ?? "").replace(/^\/?\s*\*+\/?|\*\/$/g, "").trim()}`;
        if ((lines[i] ?? "").includes("*/")) break;
      }
      block = { text: text.trim(), constants: [] };
      blocks.push(block);
      continue;
    }
    const found = /^export const (\w+) =\s*([^;]*);?\s*(?:\/\/ (.*))?$/.exec(line);
    if (!found) continue;
    let comment = found[3] ?? "";
    // A value that did not fit its line.
    if (found[2] === "") comment = /\/\/ (.*)$/.exec(lines[i + 1] ?? "")?.[1] ?? "";
    const value = (protocol as unknown as Record<string, number>)[found[1] ?? ""];
    if (value !== undefined) block.constants.push({ name: found[1] ?? "", value, comment });
  }
  return blocks;
}

/** All blocks of all definition files. */
async function allBlocks(): Promise<Block[]> {
  const sources = await Promise.all(
    FILES.map((name) => readFile(new URL(`runtime/protocol/${name}.ts`, root), "utf8")),
  );
  return sources.flatMap(parseBlocks);
}

function table(kind: "request" | "response", fields: Constant[], end: number): string {
  const rows = fields.map(({ name, value, comment }, i) => {
    const next = fields[i + 1]?.value ?? end;
    const gap = next - value;
    const type =
      /^(u64|i32|f32)\b/.exec(comment)?.[1] ?? (gap > 4 && kind === "response" ? "bytes" : "u32");
    const size = type === "u64" ? 8 : type === "bytes" ? gap : 4;
    const many = /^\d+ × \w+/.exec(comment)?.[0] ?? type;
    const what = comment
      .replace(/^(\d+ × )?(u64|i32|f32|u32)\b[,;:]?\s*/, "")
      .replace(/\|/g, "\\|");
    const shown = many === "bytes" ? `${size} bytes` : many;
    return `| ${value} | ${shown} | \`${name}\` | ${what} |`;
  });
  if (rows.length === 0) return "";
  const title = kind === "request" ? "Request field" : "Response field";
  return `| Offset | Type | ${title} | |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

function command(blocks: Block[], name: string): string {
  const block = blocks.find((each) => each.constants.some((c) => c.name === `COMMAND_${name}`));
  if (!block) throw new Error(`there is no command ${name}`);
  const at = block.constants.findIndex((c) => c.name === `COMMAND_${name}`);
  const size = block.constants.findIndex((c, i) => i > at && c.name.endsWith("_RESPONSE_SIZE"));
  const fields = block.constants.slice(at + 1, size);
  const split = fields.findIndex((field) => field.value === HEADER.response);
  const request = split < 0 ? fields : fields.slice(0, split);
  const response = split < 0 ? [] : fields.slice(split);
  const bytes = block.constants[size]?.value ?? HEADER.response;
  const after = block.constants.slice(size + 1);
  const next = after.findIndex((c) => c.name.startsWith("COMMAND_"));
  const constants = next < 0 ? after : after.slice(0, next);
  // What follows in blocks of their own, until the next command, belongs to this one too.
  for (let i = blocks.indexOf(block) + 1; next < 0 && i < blocks.length; i++) {
    const more = blocks[i]?.constants ?? [];
    if (more.some((c) => c.name.startsWith("COMMAND_") || c.name.startsWith("EVENT_KIND"))) break;
    if (more.some((c) => c.name.startsWith("EVENT_BUFFER") || c.name.startsWith("IOCTL"))) break;
    constants.push(...more);
  }
  const number = block.constants[at]?.value ?? 0;
  const text = block.text.replace(/^[A-Z0-9_, and/]+: /, "").replace(/^([A-Z_]+)\.$/, "");
  const lines = [`#### ${name} (0x${number.toString(16).padStart(2, "0")})\n`];
  if (text) lines.push(`${text[0]?.toUpperCase()}${text.slice(1)}\n`);
  lines.push(table("request", request, 64));
  lines.push(table("response", response, bytes));
  lines.push(`Response: ${bytes} bytes before variable data.\n`);
  if (constants.length > 0) lines.push(constantTable(constants));
  return lines.filter((line) => line !== "").join("\n");
}

function constantTable(constants: readonly Constant[]): string {
  const rows = constants.map(({ name, value, comment }) => {
    const shown = value >= 0x10000 ? `0x${value.toString(16)}` : String(value);
    return `| \`${name}\` | ${shown} | ${comment.replace(/\|/g, "\\|")} |`;
  });
  return `| Constant | Value | |\n|---|---|---|\n${rows.join("\n")}\n`;
}

async function constantsOf(file: string, prefixes: string[]): Promise<string> {
  const source = await readFile(new URL(`runtime/protocol/${file}.ts`, root), "utf8");
  const all = parseBlocks(`/** */\n${source}`).flatMap((block) => block.constants);
  const wanted = all.filter(({ name }) => prefixes.some((prefix) => name.startsWith(prefix)));
  if (wanted.length === 0) throw new Error(`no constants ${prefixes} in ${file}`);
  return constantTable(wanted);
}

/**
 * The document with its tables filled.
 * @param text of docs/device.md
 * @throws Error for a command or constants that do not exist
 */
export async function fill(text: string): Promise<string> {
  const blocks = await allBlocks();
  const parts = text.split(/(<!-- (?:layout|constants): [^>]*-->[\s\S]*?<!-- end -->)/);
  const filled = await Promise.all(
    parts.map(async (part) => {
      const found = /^<!-- (layout|constants): ([^>]*?) -->/.exec(part);
      if (!found) return part;
      const [file = "", ...words] = (found[2] ?? "").split(" ");
      const body =
        found[1] === "layout"
          ? [file, ...words].map((name) => command(blocks, name)).join("\n")
          : await constantsOf(file, words);
      return `${found[0]}\n\n${body}\n<!-- end -->`;
    }),
  );
  return filled
    .join("")
    .replace(
      /(<!-- attributes -->)[\s\S]*?(<!-- end attributes -->)/,
      (_all, begin: string, end: string) => `${begin}\n\n${attributeTable()}\n${end}`,
    );
}

/** Every attribute of the device as it is by default, with 4 GiB less what the guest has. */
function attributeTable(): string {
  const description = {
    name: "warpring vGPU",
    index: 0,
    multiprocessors: 16,
    memoryBytes: 0,
    timeoutMs: 0,
  };
  const attributes = new DeviceAttributes(description, 0);
  const rows = Object.entries(protocol)
    .filter(([name]) => name.startsWith("cudaDevAttr"))
    .map(([name, number]) => `| ${number} | \`${name}\` | ${attributes.get(number as number)} |`);
  return `| Number | Attribute | Value |\n|---|---|---|\n${rows.join("\n")}\n`;
}

if (import.meta.main) {
  const url = new URL("docs/device.md", root);
  await writeFile(url, await fill(await readFile(url, "utf8")));
}
