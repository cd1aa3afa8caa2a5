/** `warpring smi`: the device and its memory, in the shape of nvidia-smi. */

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

/** Widths of the three columns, as nvidia-smi has them. */
const COLUMNS = [41, 24, 22] as const;
const WIDTH = COLUMNS[0] + COLUMNS[1] + COLUMNS[2] + 2;
const MIB = 2 ** 20;

/**
 * The table.
 * @param versions of this program, of the driver's protocol, and of CUDA (`13.0`)
 * @returns lines of 91 columns
 */
export function smiTable(
  devices: SmiDevice[],
  versions: { warpring: string; driver: string; cuda: string },
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
    full("  No running processes found"),
    `+${"-".repeat(WIDTH)}+`,
  );
  return lines;
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
