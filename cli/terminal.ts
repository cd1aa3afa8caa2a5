/**
 * What the commands print with: colours and a progress line on a terminal, plain text elsewhere.
 * Results go to standard output; progress and errors go to standard error.
 */
import process from "node:process";

/** After this long, in milliseconds, a command says what it is doing. */
const PROGRESS_AFTER_MS = 1000;

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** A colour or weight of text. */
export type Style = keyof typeof CODES;

/** A stream of the process, as far as it matters here. */
interface Output {
  isTTY?: boolean;
  write(text: string): unknown;
}

/** Whether colours belong on a stream: on a terminal, unless NO_COLOR (no-color.org) is set. */
function hasColours(stream: Output): boolean {
  return stream.isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

/**
 * Styles a text for standard output; on anything but a terminal it comes back as it is.
 * @param style one of a few, so that the output stays readable on any background
 * @param text without line ends
 */
export function styled(style: Style, text: string): string {
  return hasColours(process.stdout) ? paint(style, text) : text;
}

function paint(style: Style, text: string): string {
  return `\x1b[${CODES[style]}m${text}\x1b[0m`;
}

/** Prints one line on standard output. */
export function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** Prints `warpring: message` on standard error, as compilers do. */
export function printError(message: string): void {
  const label = "warpring:";
  const red = hasColours(process.stderr) ? paint("red", label) : label;
  process.stderr.write(`${red} ${message}\n`);
}

/**
 * Columns padded to their widest cell.
 * @param rows of equal length; a cell may be styled
 * @param right indices of the columns that are aligned to the right
 * @returns one line a row, without spaces at the end
 */
export function table(rows: string[][], right: number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, visibleLength(cell));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const space = " ".repeat((widths[i] ?? 0) - visibleLength(cell));
        return right.includes(i) ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Length of a text as a terminal shows it, without its colour codes. */
function visibleLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes begin with ESC
  return text.replaceAll(/\x1b\[\d+m/g, "").length;
}

/**
 * One line that says what is being done, for anything that takes over a second. On a terminal it is
 * written over each time and wiped at the end; elsewhere each step is a line of its own.
 *
 * The work is synchronous, so no timer can fire in it: a step is shown when it begins if the whole
 * has by then taken over a second, or at once if it is announced as long.
 */
export class Progress {
  readonly #stream: Output;
  readonly #started = performance.now();
  #shown = false;

  /** @param stream where the line goes; standard error unless a test says otherwise */
  constructor(stream: Output = process.stderr) {
    this.#stream = stream;
  }

  /**
   * Says what begins now.
   * @param text one line
   * @param long whether it is known to take over a second
   */
  step(text: string, long = false): void {
    if (!long && performance.now() - this.#started < PROGRESS_AFTER_MS) return;
    this.#shown = true;
    this.#stream.write(this.#stream.isTTY ? `\r\x1b[K${text}…` : `${text}…\n`);
  }

  /** Wipes the line from a terminal. */
  done(): void {
    if (this.#shown && this.#stream.isTTY) this.#stream.write("\r\x1b[K");
    this.#shown = false;
  }
}

/**
 * A size in words: `512 B`, `1.5 KiB`, `2 GiB`.
 * @param bytes not negative
 */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`;
}

/**
 * A time in words: `640 µs`, `12.3 ms`, `4.56 s`.
 * @param ms milliseconds, not negative
 */
export function formatTime(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}
