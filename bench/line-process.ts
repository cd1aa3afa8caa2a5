/** A program that is told something by lines on its standard input and answers by lines of JSON. */
import { type ChildProcess, spawn } from "node:child_process";

/** One line of JSON that a program printed. */
export type Answer = Readonly<Record<string, unknown>>;

/** A running program, asked one thing at a time. */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #rest = "";
  #stderr = "";
  #ended: string | undefined;
  #wake: () => void = () => {};

  /**
   * Starts a program. Lines that do not begin with `{` are ignored.
   * @param env environment of the program
   */
  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(command, args, { env });
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop() ?? "";
      this.#lines.push(...lines.filter((line) => line.startsWith("{")));
      this.#wake();
    });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2000);
    });
    this.#child.stdin!.on("error", () => {}); // it has ended: `answer` says so
    this.#child.on("error", (error) => this.#end(String(error)));
    this.#child.on("close", (code, signal) => {
      this.#end(`ended with ${signal ?? code}: ${this.#stderr.trim().slice(-600)}`);
    });
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#wake();
  }

  /**
   * The program's next line.
   * @param seconds how long it may take; the program is killed then
   * @throws Error saying how the program ended, or that it did not answer
   */
  async answer(seconds = 180): Promise<Answer> {
    const timer = setTimeout(() => {
      this.#end(`no answer within ${seconds} s`);
      this.#child.kill("SIGKILL");
    }, seconds * 1000);
    try {
      for (;;) {
        const line = this.#lines.shift();
        if (line !== undefined) return JSON.parse(line) as Answer;
        if (this.#ended !== undefined) throw new Error(this.#ended);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends an empty line: go on. */
  go(): void {
    this.#child.stdin!.write("\n");
  }

  /** Ends the program and waits until it is gone. */
  async end(): Promise<void> {
    this.#child.stdin!.end();
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), 2000);
    while (this.#ended === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(killer);
  }
}
