/**
 * Writes docs/ptx.md from the instruction table and from what the compiler does with it:
 *
 *   npm run docs:ptx [-- --check]
 *
 * The text above the marker line is kept; everything below is made anew. `--check` only compares, and
 * exits with 1 if the page is out of date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { readLibrary, type Support, specialRegisters, supportOfAll } from "./ptx-support.ts";

const PAGE = new URL("../docs/ptx.md", import.meta.url);
export const MARKER = "<!-- Everything below is written by `npm run docs:ptx`. -->";

/** "yes", "no", or the modifiers that every refused sample has and no accepted one. */
function supportText(support: Support): string {
  const { samples } = support;
  const refused = [...support.refused, ...support.broken];
  if (samples === 0) return "no";
  if (refused.length === 0) return "yes";
  if (refused.length === samples) return "no";
  return `${samples - refused.length} of ${samples}: not ${missing(refused)}`;
}

/** What is refused of a form: up to four mnemonics. */
function missing(refused: Support["refused"]): string {
  const names = [...new Set(refused.map(({ text }) => text.split(" ", 1)[0] as string))];
  const shown = names.slice(0, 4).map((name) => `\`${name}\``);
  return shown.join(", ") + (names.length > 4 ? ", …" : "");
}

/** The sets that a form's name uses, as `.type`: `u16 u32`. */
function setsOf(list: readonly Support[]): string[] {
  const sets = new Map<string, string>();
  for (const { form } of list) {
    for (const slot of form.slots) {
      if (slot.values.length === 1 && slot.values[0] === slot.name) continue;
      sets.set(slot.name, shorten(slot.values));
    }
  }
  return [...sets].map(([name, values]) => `\`.${name}\`: ${values}`);
}

function shorten(values: readonly string[]): string {
  if (values.length <= 20) return values.join(" ");
  return `${values.slice(0, 3).join(" ")} … ${values[values.length - 1]} (${values.length})`;
}

const escapeBars = (text: string): string => text.replaceAll("|", "\\|");

function familySection(family: string, list: readonly Support[]): string {
  const { group } = (list[0] as Support).form;
  const result = group.error === undefined ? "exact" : `within the ISA's error: ${group.error}`;
  const lines = [`### ${family}`, "", `PTX ISA §${group.section}. Results: ${result}.`, ""];
  const sets = setsOf(list);
  if (sets.length > 0) lines.push(...sets.map((set) => `- ${set}`), "");
  lines.push("| form | since | target | supported |", "|---|---|---|---|");
  for (const support of list) {
    const { form } = support;
    const syntax = escapeBars(form.syntax);
    lines.push(`| \`${syntax}\` | ${form.since} | sm_${form.target} | ${supportText(support)} |`);
  }
  return lines.join("\n");
}

function summary(all: readonly Support[]): string {
  const lines = [
    "## Summary",
    "",
    "| targets | forms | supported | in part | not |",
    "|---|---:|---:|---:|---:|",
  ];
  const rows: [string, (s: Support) => boolean][] = [
    ["up to sm_90 (this device)", (s) => s.form.target <= 90],
    ["sm_100 and later", (s) => s.form.target > 90],
  ];
  for (const [name, filter] of rows) {
    const list = all.filter(filter);
    const texts = list.map(supportText);
    const yes = texts.filter((text) => text === "yes").length;
    const no = texts.filter((text) => text === "no").length;
    lines.push(`| ${name} | ${list.length} | ${yes} | ${list.length - yes - no} | ${no} |`);
  }
  return lines.join("\n");
}

/** The special registers, those that can be read and those that can't. */
function registersSection(registers: readonly { name: string; supported: boolean }[]): string {
  const list = (supported: boolean): string =>
    registers
      .filter((register) => register.supported === supported)
      .map((register) => `\`${register.name}\``)
      .join(" ") || "none";
  return `## Special registers\n\nSupported: ${list(true)}.\n\nNot: ${list(false)}.`;
}

/** The generated part of the page. */
export function generatedPage(
  all: readonly Support[],
  registers: readonly { name: string; supported: boolean }[],
): string {
  const families = new Map<string, Support[]>();
  for (const support of all) {
    const { family } = support.form.group;
    const list = families.get(family);
    if (list === undefined) families.set(family, [support]);
    else list.push(support);
  }
  const sections = [...families].map(([family, list]) => familySection(family, list));
  return [summary(all), registersSection(registers), "## Forms", ...sections].join("\n\n");
}

function main(): void {
  const library = readLibrary();
  const all = supportOfAll(library);
  const broken = all.flatMap((support) => support.broken);
  const before = readFileSync(PAGE, "utf8");
  const head = before.split(MARKER, 1)[0] as string;
  const after = `${head}${MARKER}\n\n${generatedPage(all, specialRegisters(library))}\n`;
  for (const { text, reason } of broken) console.error("%s", `${text}: ${reason}`);
  if (broken.length > 0) process.exitCode = 1;
  if (!process.argv.includes("--check")) {
    writeFileSync(PAGE, after);
    return;
  }
  if (after !== before) {
    console.error("docs/ptx.md is out of date: run `npm run docs:ptx`");
    process.exitCode = 1;
  }
}

if (process.argv[1]?.endsWith("docs-ptx.ts")) main();
