/** The benchmark's chart: for each kernel, how many times faster warpring is than each peer. */
import type { Problem } from "./problems.ts";
import { configurationTitle, type Measurements, type PeerFigures, ratio } from "./report.ts";

const peers: readonly { key: keyof PeerFigures; title: string; colour: string }[] = [
  { key: "pocl_ms", title: "PoCL", colour: "#2a6fdb" },
  { key: "webgpu_ms", title: "WebGPU on lavapipe", colour: "#8a5cd1" },
  { key: "native_sse_ms", title: "gcc, 128-bit vectors", colour: "#d9822b" },
  { key: "native_ms", title: "gcc -march=native", colour: "#9aa4b2" },
];

const LEFT = 130;
const RIGHT = 40;
const WIDTH = 860;
const BAR = 8;
const GAP = 10;
const PANEL_HEAD = 56;
/** The axis is logarithmic, from a hundredth to a hundred. */
const LOW = -2;
const HIGH = 2;

const x = (value: number): number => {
  const log = Math.min(HIGH, Math.max(LOW, Math.log10(value)));
  return LEFT + ((log - LOW) / (HIGH - LOW)) * (WIDTH - LEFT - RIGHT);
};
const escapeText = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
const label = (at: number, y: number, text: string, more = ""): string =>
  `<text x="${at.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escapeText(text)}</text>`;

/** One configuration's bars, from `top` down. Returns the SVG and the height. */
function panel(measured: Measurements, top: number): { svg: string; height: number } {
  const parts = [
    label(LEFT, top + 18, configurationTitle(measured), 'font-weight="600" font-size="14"'),
  ];
  let y = top + PANEL_HEAD;
  const bars: string[] = [];
  for (const kernel of measured.kernels) {
    const shown = peers.flatMap((peer) => {
      const value = ratio(kernel, peer.key);
      return value === undefined ? [] : [{ ...peer, value }];
    });
    const middle = y + (shown.length * BAR) / 2 + 4;
    bars.push(label(LEFT - 8, Math.max(middle, y + 8), kernel.name, 'text-anchor="end"'));
    for (const { value, colour, title } of shown) {
      const from = Math.min(x(1), x(value));
      const width = Math.max(1, Math.abs(x(value) - x(1)));
      bars.push(
        `<rect x="${from.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 1}" ` +
          `fill="${colour}"><title>${escapeText(`${kernel.name}, ${title}: ${value.toFixed(2)}×`)}` +
          "</title></rect>",
      );
      y += BAR;
    }
    y += Math.max(GAP, shown.length === 0 ? 2 * GAP : GAP);
  }
  for (let power = LOW; power <= HIGH; power++) {
    const at = x(10 ** power).toFixed(1);
    const colour = power === 0 ? "#57606a" : "#d8dee4";
    parts.push(
      `<line x1="${at}" x2="${at}" y1="${top + PANEL_HEAD - 8}" y2="${y - 4}" stroke="${colour}"/>`,
    );
    parts.push(
      label(x(10 ** power), top + PANEL_HEAD - 14, `${10 ** power}×`, 'text-anchor="middle"'),
    );
  }
  return { svg: [...parts, ...bars].join("\n"), height: y - top + 10 };
}

/** Draws the chart of one or more configurations as an SVG file. */
export function drawChart(all: readonly Measurements[], problems: readonly Problem[]): string {
  const parts: string[] = [];
  let y = 58;
  for (const measured of all) {
    const { svg, height } = panel(measured, y);
    parts.push(svg);
    y += height;
  }
  const legend = peers
    .map(({ title, colour }, i) => {
      const at = LEFT + i * 170;
      return `<rect x="${at}" y="36" width="10" height="10" fill="${colour}"/>${label(at + 15, 45, title)}`;
    })
    .join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="Times faster than each peer, by kernel" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" font-family="system-ui, sans-serif" font-size="11" fill="#24292f">
<rect width="100%" height="100%" fill="#ffffff"/>
${label(LEFT, 22, `Times faster than each peer, ${problems.length} kernels (right of 1×: warpring is faster)`, 'font-size="15" font-weight="600"')}
${legend}
${parts.join("\n")}
</svg>
`;
}
