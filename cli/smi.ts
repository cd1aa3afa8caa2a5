/** `warpring smi`: the device and its memory, in the shape of nvidia-smi. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { CudaDeviceProp } from "../cuda-shim/index.ts";
import { PROTOCOL_VERSION } from "../runtime/protocol/definitions.ts";
import type { ServerReport } from "../runtime/vhost/clients.ts";
import { type Command, CommandError, EXIT_OK, stringOption } from "./command.ts";
import { runningServer, statusSocketOf } from "./server-process.ts";
import { print } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** What the table shows of one device. */
export interface SmiDevice {
  index: number;
  name: string;
  /** For example `0000:00:00`. */
  busId: string;
  /** Bytes that allocations have taken. */
  memoryUsed: number;
  /** Bytes of device memory in all. */
  memoryTotal: number;
  computeCapability: string;
  multiprocessors: number;
}

/** A program that uses a served device. */
export interface SmiProcess {
  /** Of the device. */
  index: number;
  pid: number;
  /** Of the program, as the system knows it. */
  name: string;
  memoryUsed: number;
  /** The kernel that runs; empty if none does. */
  kernel: string;
}

/** Widths of the three columns, as nvidia-smi has them. */
const COLUMNS = [41, 24, 22] as const;
const WIDTH = COLUMNS[0] + COLUMNS[1] + COLUMNS[2] + 2;
const MIB = 2 ** 20;

/**
 * The table.
 * @param versions of this program, of the driver's protocol, and of CUDA (`13.0`)
 * @param processes programs and the devices that they use
 * @returns lines of 91 columns
 */
export function smiTable(
  devices: SmiDevice[],
  versions: { warpring: string; driver: string; cuda: string },
  processes: SmiProcess[] = [],
): string[] {
  const lines = [
    `+${"-".repeat(WIDTH)}+`,
    full(
      ` WARPRING-SMI ${versions.warpring}`.padEnd(34) +
        `Driver Version: ${versions.driver}`.padEnd(31) +
        `CUDA Version: ${versions.cuda}`,
    ),
    rule("-", "|", "+"),
    row(" GPU  Name", "Compute", " Bus-Id          Disp.A", " Volatile Uncorr. ECC"),
    row(" Fan  Temp   Perf", "Pwr:Usage/Cap", right("Memory-Usage", 1), " GPU-Util  Compute M."),
    row("", "", "", right("SMs", 2)),
    rule("=", "|", "|"),
  ];
  for (const device of devices) {
    const used = `${Math.ceil(device.memoryUsed / MIB)}MiB`.padStart(8);
    const total = `${Math.floor(device.memoryTotal / MIB)}MiB`.padStart(8);
    lines.push(
      row(
        ` ${String(device.index).padStart(3)}  ${device.name}`,
        `sm_${device.computeCapability.replace(".", "")}`,
        `${` ${device.busId}`.padEnd(19)} Off`,
        right("N/A", 2),
      ),
      row(
        " N/A  N/A    N/A",
        "N/A /  N/A",
        right(`${used} / ${total}`, 1),
        right("N/A      Default", 2),
      ),
      row("", "", "", right(String(device.multiprocessors), 2)),
      rule("-", "+", "+"),
    );
  }
  lines.push(
    "",
    `+${"-".repeat(WIDTH)}+`,
    full(" Processes:"),
    full(
      "  GPU   GI   CI        PID   Type   Process name                              GPU Memory ",
    ),
    `|${"=".repeat(WIDTH)}|`,
  );
  for (const { index, pid, name, memoryUsed, kernel } of processes) {
    const left = `  ${String(index).padStart(3)}   N/A  N/A  ${String(pid).padStart(9)}      C   `;
    const used = `${Math.ceil(memoryUsed / MIB)}MiB`.padStart(9);
    const what = kernel === "" ? name : `${name}: ${kernel}`;
    lines.push(
      full(
        left +
          clip(what, WIDTH - left.length - used.length - 2).padEnd(
            WIDTH - left.length - used.length - 1,
          ) +
          used,
      ),
    );
  }
  if (processes.length === 0) lines.push(full("  No running processes found"));
  lines.push(`+${"-".repeat(WIDTH)}+`);
  return lines;
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function full(text: string): string {
  return `|${text.padEnd(WIDTH)}|`;
}

function right(text: string, column: 1 | 2): string {
  return `${text} `.padStart(COLUMNS[column]);
}

function rule(char: string, first: string, last: string): string {
  return first + COLUMNS.map((width) => char.repeat(width)).join("+") + last;
}

/** One line of the table; the first column has a text at each end. */
function row(left: string, leftEnd: string, middle: string, last: string): string {
  const first = `${left.padEnd(COLUMNS[0] - leftEnd.length - 1)}${leftEnd} `;
  return `|${first}|${middle.padEnd(COLUMNS[1])}|${last.padEnd(COLUMNS[2])}|`;
}

/** `13000` is `13.0`. */
function cudaVersion(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

// Apart: tsc does not rewrite the extension of an import in a function with `using`.
const loadCuda = () => import("../cuda-shim/index.ts");

/** Asks the devices of this process what the table shows. */
async function readDevices(count: number): Promise<{ devices: SmiDevice[]; cuda: string }> {
  const cuda = await loadCuda();
  const must = (error: number): void => {
    if (error !== cuda.cudaSuccess) throw new cuda.CudaError(error);
  };
  using thread = await cuda.openCuda({ devices: count });
  const devices: SmiDevice[] = [];
  for (let index = 0; index < thread.devices.length; index++) {
    const properties: { value: CudaDeviceProp | null } = { value: null };
    const free = { value: 0 };
    const total = { value: 0 };
    must(cuda.cudaSetDevice(index));
    must(cuda.cudaGetDeviceProperties(properties, index));
    must(cuda.cudaMemGetInfo(free, total));
    const { value } = properties;
    if (!value) throw new Error("the device has no properties");
    const hex = (number: number, digits: number) => number.toString(16).padStart(digits, "0");
    devices.push({
      index,
      name: value.name,
      busId: `${hex(value.pciDomainID, 8)}:${hex(value.pciBusID, 2)}:${hex(value.pciDeviceID, 2)}.0`,
      memoryUsed: total.value - free.value,
      memoryTotal: total.value,
      computeCapability: `${value.major}.${value.minor}`,
      multiprocessors: value.multiProcessorCount,
    });
  }
  const version = { value: 0 };
  must(cuda.cudaDriverGetVersion(version));
  return { devices, cuda: cudaVersion(version.value) };
}

/** Asks a server what it does. @throws CommandError if there is none at the socket */
async function askServer(socket: string): Promise<ServerReport> {
  const text = await new Promise<string>((resolve, reject) => {
    let received = "";
    const connection = connect(statusSocketOf(socket));
    connection.once("connect", () => connection.write("?"));
    connection.on("data", (data) => {
      received += data;
    });
    connection.once("close", () => resolve(received));
    connection.once("error", (error) => {
      reject(new CommandError(`no server at ${socket}: ${error.message}`));
    });
  });
  return JSON.parse(text);
}

/** The name of a process, as far as the system tells. */
function processName(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "?";
  }
}

/** The programs that have memory of a device; of the first one, all of them. */
function processesOf(report: ServerReport, index: number): SmiProcess[] {
  return report.clients
    .filter(({ used }) => index === 0 || (used[index] ?? 0) > 0)
    .map(({ pid, used, running, kernel }) => ({
      index,
      pid,
      name: processName(pid),
      memoryUsed: used[index] ?? 0,
      kernel: running ? kernel : "",
    }));
}

/** The `smi` command. */
export const smi: Command = {
  name: "smi",
  operands: "",
  count: [0, 0],
  summary: "show the device and its memory, as nvidia-smi does",
  options: {
    socket: { type: "string", value: "PATH", help: "of a running `warpring serve`" },
  },
  async run(args) {
    const given = stringOption(args, "socket");
    const socket = given ?? (await runningServer());
    const report = socket === undefined ? undefined : await askServer(socket);
    const { devices, cuda } = await readDevices(report?.devices ?? 1);
    if (report !== undefined) {
      for (const device of devices) {
        device.name = report.name;
        device.multiprocessors = report.multiprocessors;
        device.memoryTotal = report.memoryBytes;
        device.memoryUsed = report.clients.reduce(
          (sum, { used }) => sum + (used[device.index] ?? 0),
          0,
        );
      }
      const processes = devices.flatMap((device) => processesOf(report, device.index));
      const versions = { warpring: VERSION, driver: `${PROTOCOL_VERSION}.0`, cuda };
      for (const line of smiTable(devices, versions, processes)) print(line);
      return EXIT_OK;
    }
    const versions = { warpring: VERSION, driver: `${PROTOCOL_VERSION}.0`, cuda };
    for (const line of smiTable(devices, versions)) print(line);
    return EXIT_OK;
  },
};
