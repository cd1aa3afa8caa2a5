import { ImageError } from "./errors.ts";

/**
 * Links PTX texts into one, as nvlink does with separately compiled parts (`-rdc=true`): an `.extern`
 * of one text means the definition in another (PTX ISA, 11.6 "Linking Directives"). It works on text,
 * before parsing: names that belong to one text only are renamed where another text has them too.
 */

type Linkage = "extern" | "visible" | "weak" | "common" | "local";

/** One statement at module level. */
interface Item {
  text: string;
  kind: "header" | "file" | "section" | "function" | "variable" | "other";
  linkage: Linkage;
  /** Names that it declares or defines. */
  names: string[];
  /** A definition: a body, or a variable that isn't `.extern`. */
  defines: boolean;
}

/**
 * @param texts PTX of the parts of one program, all for targets that suit the device
 * @returns one PTX text; `texts[0]` itself if it is the only one
 *   (what none of them defines stays `.extern`: the compiler knows what the device provides)
 * @throws ImageError (`malformed`) if two parts define the same visible name
 */
export function linkPtx(texts: readonly string[]): string {
  if (texts.length === 1 && texts[0] !== undefined) return texts[0];
  const parts = texts.map(splitItems);
  separateLocalNames(parts);
  const defined = chooseDefinitions(parts);
  const lines = [header(parts)];
  let files = 0;
  for (const items of parts) {
    const shift = files;
    for (const item of items) {
      if (item.kind === "header" || item.kind === "section") continue;
      // A weak definition that another one replaced, and a prototype that a definition follows.
      if (item.defines && item.names.some((name) => isGlobal(item) && defined.get(name) !== item)) {
        continue;
      }
      if (item.kind === "file") files = Math.max(files, fileNumber(item.text) + shift);
      lines.push(shiftFiles(item.text, shift));
    }
  }
  return `${lines.join("\n")}\n`;
}

function isGlobal(item: Item): boolean {
  return item.linkage !== "local";
}

/** The highest version and target of all parts. */
function header(parts: readonly Item[][]): string {
  const versions: string[] = [];
  const targets: string[] = [];
  for (const { text } of parts.flat().filter((item) => item.kind === "header")) {
    const [directive = "", value = ""] = text.split(/\s+/, 2);
    if (directive === ".version") versions.push(value);
    if (directive === ".target") targets.push(text);
  }
  const number = (text: string) => Number(/\d+(\.\d+)?/.exec(text)?.[0] ?? 0);
  const highest = (list: string[]) => list.sort((a, b) => number(b) - number(a))[0] ?? "";
  return `.version ${highest(versions)}\n${highest(targets)}\n.address_size 64`;
}

/** Renames each name that a part keeps to itself and another part has too. */
function separateLocalNames(parts: Item[][]): void {
  const owners = new Map<string, number>();
  for (const items of parts) {
    for (const name of new Set(items.flatMap((item) => item.names))) {
      owners.set(name, (owners.get(name) ?? 0) + 1);
    }
  }
  for (const [index, items] of parts.entries()) {
    const renamed = new Map<string, string>();
    for (const name of items.filter((item) => !isGlobal(item)).flatMap((item) => item.names)) {
      if ((owners.get(name) ?? 0) > 1) renamed.set(name, `${name}$part${index}`);
    }
    if (renamed.size === 0) continue;
    for (const item of items) {
      item.text = replaceNames(item.text, renamed);
      item.names = item.names.map((name) => renamed.get(name) ?? name);
    }
  }
}

/** The definition of each global name: the visible one, else the first weak or common one. */
function chooseDefinitions(parts: readonly Item[][]): Map<string, Item> {
  const defined = new Map<string, Item>();
  for (const item of parts.flat()) {
    if (!item.defines || !isGlobal(item)) continue;
    for (const name of item.names) {
      const before = defined.get(name);
      if (before?.linkage === "visible" && item.linkage === "visible") {
        throw new ImageError("malformed", `the parts to be linked define ${name} twice`);
      }
      if (!before || item.linkage === "visible") defined.set(name, item);
    }
  }
  return defined;
}

/** One token: comment, string, name (with a leading `.` for directives), or a character. */
const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\.)*"|\.?[A-Za-z_$%][\w$]*|\d[\w.]*|\s+|[\s\S]/g;

function replaceNames(text: string, names: ReadonlyMap<string, string>): string {
  return text.replace(TOKEN, (token) => names.get(token) ?? token);
}

/** Splits a PTX text into its statements at module level. */
function splitItems(text: string): Item[] {
  const items: Item[] = [];
  let tokens: string[] = [];
  let depth = 0;
  const end = () => {
    if (tokens.length > 0) items.push(describeItem(tokens));
    tokens = [];
  };
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.startsWith("//") || token.startsWith("/*")) continue;
    const first = tokens[0];
    if (first === undefined && /^\s/.test(token)) continue;
    // These have no semicolon: they end with their line.
    if (first !== undefined && LINE_DIRECTIVES.has(first) && token.includes("\n")) {
      end();
      continue;
    }
    tokens.push(token);
    if (token === "{") depth++;
    if (token === "}") depth--;
    if (depth > 0) continue;
    if (token === ";" || (token === "}" && !tokens.includes("="))) end();
  }
  end();
  return items;
}

const LINE_DIRECTIVES = new Set([".version", ".target", ".address_size", ".file"]);
const LINKAGES = new Map<string, Linkage>([
  [".extern", "extern"],
  [".visible", "visible"],
  [".weak", "weak"],
  [".common", "common"],
]);
const VARIABLE_SPACES = new Set([
  ".global",
  ".const",
  ".shared",
  ".tex",
  ".texref",
  ".samplerref",
  ".surfref",
]);

function describeItem(tokens: readonly string[]): Item {
  const text = tokens.join("");
  const item = (kind: Item["kind"]): Item => ({
    text,
    kind,
    linkage: "local",
    names: [],
    defines: false,
  });
  const words = tokens.filter((token) => !/^\s/.test(token));
  const first = words[0] ?? "";
  if (first === ".file") return item("file");
  if (LINE_DIRECTIVES.has(first)) return item("header");
  if (first === ".section") return item("section");
  const linkage = words.map((word) => LINKAGES.get(word)).find((found) => found) ?? "local";
  const fn = words.findIndex((word) => word === ".func" || word === ".entry");
  if (fn >= 0) {
    // Behind `.func` there may be the returned parameters in parentheses.
    const at = words[fn + 1] === "(" ? words.indexOf(")", fn) + 1 : fn + 1;
    return { ...item("function"), linkage, names: [words[at] ?? ""], defines: words.includes("{") };
  }
  if (!words.some((word) => VARIABLE_SPACES.has(word))) return item("other");
  const names = variableNames(words);
  return { ...item("variable"), linkage, names, defines: linkage !== "extern" };
}

/** The names that a variable declaration declares: `.global .align 4 .b8 a[4] = {…}, b;`. */
function variableNames(words: readonly string[]): string[] {
  const names: string[] = [];
  let depth = 0;
  let initialiser = false;
  for (const word of words) {
    if (word === "[" || word === "{" || word === "(") depth++;
    else if (word === "]" || word === "}" || word === ")") depth--;
    else if (depth === 0 && word === "=") initialiser = true;
    else if (depth === 0 && word === ",") initialiser = false;
    else if (depth === 0 && !initialiser && /^[A-Za-z_$%]/.test(word)) names.push(word);
  }
  return names;
}

function fileNumber(text: string): number {
  return Number(/\.file\s+(\d+)/.exec(text)?.[1] ?? 0);
}

/**
 * Moves the file numbers of `.file` and `.loc` up by `shift`. What `.loc` says of inlining refers to
 * strings in the debug sections, which don't survive linking: it is left out.
 */
function shiftFiles(text: string, shift: number): string {
  return text
    .replace(/(\.loc[^\n;]*?),\s*function_name[^\n]*/g, "$1")
    .replace(/(\.(?:file|loc)\s+)(\d+)/g, (_, directive: string, number: string) => {
      return `${directive}${Number(number) + shift}`;
    });
}
