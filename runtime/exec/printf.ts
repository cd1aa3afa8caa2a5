/** The result of formatting: bytes to print, and how many arguments were converted. */
export interface Formatted {
  output: Uint8Array;
  count: number;
}

const bits = new DataView(new ArrayBuffer(8));
const encoder = new TextEncoder();

interface Spec {
  minus: boolean;
  plus: boolean;
  space: boolean;
  alternate: boolean;
  zero: boolean;
  width: number;
  precision: number;
  length: string;
  conversion: string;
}

/**
 * printf as device code has it (CUDA programming guide, "Formatted output"; C11 §7.21.6.1).
 * @param format bytes of the format string
 * @param take reads the next argument of 4 or 8 bytes, at its natural alignment
 * @param text reads a zero-terminated string behind a CUDA pointer
 */
export function formatPrintf(
  format: Uint8Array,
  take: (bytes: 4 | 8) => bigint,
  text: (pointer: bigint) => Uint8Array,
): Formatted {
  const parts: Uint8Array[] = [];
  let count = 0;
  let start = 0;
  for (let k = 0; k < format.length; k++) {
    if (format[k] !== 0x25) continue;
    parts.push(format.subarray(start, k));
    const { spec, next } = parseSpec(format, k + 1, take);
    if (!spec) {
      // Not a conversion: printed as it stands.
      parts.push(format.subarray(k, next));
    } else if (spec.conversion === "%") parts.push(encoder.encode("%"));
    else {
      parts.push(convert(spec, take, text));
      count++;
    }
    start = next;
    k = next - 1;
  }
  parts.push(format.subarray(start));
  const output = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const p of parts) {
    output.set(p, at);
    at += p.length;
  }
  return { output, count };
}

function parseSpec(
  format: Uint8Array,
  from: number,
  take: (bytes: 4 | 8) => bigint,
): { spec: Spec | undefined; next: number } {
  let k = from;
  const char = () => (k < format.length ? String.fromCharCode(format[k]) : "");
  const spec: Spec = {
    minus: false,
    plus: false,
    space: false,
    alternate: false,
    zero: false,
    width: 0,
    precision: -1,
    length: "",
    conversion: "",
  };
  for (; "-+ #0".includes(char()) && char() !== ""; k++) {
    const c = char();
    if (c === "-") spec.minus = true;
    else if (c === "+") spec.plus = true;
    else if (c === " ") spec.space = true;
    else if (c === "#") spec.alternate = true;
    else spec.zero = true;
  }
  const number = (): number => {
    if (char() === "*") {
      k++;
      return Number(BigInt.asIntN(32, take(4)));
    }
    let n = 0;
    for (; /[0-9]/.test(char()); k++) n = Math.min(n * 10 + Number(char()), 1 << 20);
    return n;
  };
  spec.width = number();
  if (spec.width < 0) {
    spec.minus = true;
    spec.width = -spec.width;
  }
  if (char() === ".") {
    k++;
    spec.precision = number();
  }
  for (; "hlLqjzt".includes(char()) && char() !== ""; k++) spec.length += char();
  spec.conversion = char();
  if (!/^[diouxXeEfFgGaAcsp%]$/.test(spec.conversion)) return { spec: undefined, next: k };
  return { spec, next: k + 1 };
}

function convert(
  spec: Spec,
  take: (bytes: 4 | 8) => bigint,
  text: (pointer: bigint) => Uint8Array,
): Uint8Array {
  const c = spec.conversion;
  if (c === "s") {
    const whole = text(take(8));
    return pad(spec.precision >= 0 ? whole.subarray(0, spec.precision) : whole, spec);
  }
  if (c === "c") return pad(new Uint8Array([Number(take(4) & 255n)]), spec);
  if (c === "p") {
    const pointer = take(8);
    return pad(encoder.encode(pointer === 0n ? "(nil)" : `0x${pointer.toString(16)}`), spec);
  }
  if (/[diouxX]/.test(c)) return encoder.encode(integer(spec, take));
  bits.setBigUint64(0, take(8));
  return encoder.encode(float(spec, bits.getFloat64(0)));
}

function pad(bytes: Uint8Array, spec: Spec): Uint8Array {
  if (bytes.length >= spec.width) return bytes;
  const out = new Uint8Array(spec.width).fill(0x20);
  out.set(bytes, spec.minus ? 0 : spec.width - bytes.length);
  return out;
}

/** Sign or base prefix, zeros or blanks up to the width. */
function assemble(spec: Spec, prefix: string, digits: string, zero: boolean): string {
  const missing = spec.width - prefix.length - digits.length;
  if (missing <= 0) return prefix + digits;
  if (spec.minus) return prefix + digits + " ".repeat(missing);
  if (zero) return prefix + "0".repeat(missing) + digits;
  return " ".repeat(missing) + prefix + digits;
}

function signOf(negative: boolean, spec: Spec): string {
  return negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
}

function integer(spec: Spec, take: (bytes: 4 | 8) => bigint): string {
  const long = /^(l|ll|j|z|t|q|L)$/.test(spec.length);
  let raw = take(long ? 8 : 4);
  const width = spec.length === "hh" ? 8 : spec.length === "h" ? 16 : long ? 64 : 32;
  const signed = spec.conversion === "d" || spec.conversion === "i";
  raw = signed ? BigInt.asIntN(width, raw) : BigInt.asUintN(width, raw);
  const negative = raw < 0n;
  const magnitude = negative ? -raw : raw;
  const radix = spec.conversion === "o" ? 8 : /[xX]/.test(spec.conversion) ? 16 : 10;
  let digits = magnitude === 0n && spec.precision === 0 ? "" : magnitude.toString(radix);
  if (spec.precision >= 0) digits = digits.padStart(spec.precision, "0");
  if (spec.alternate && radix === 8 && !digits.startsWith("0")) digits = `0${digits}`;
  let prefix = signed ? signOf(negative, spec) : "";
  if (spec.alternate && radix === 16 && magnitude !== 0n) prefix = "0x";
  const out = assemble(spec, prefix, digits, spec.zero && spec.precision < 0);
  return spec.conversion === "X" ? out.toUpperCase() : out;
}

function float(spec: Spec, value: number): string {
  const negative = value < 0 || Object.is(value, -0);
  const sign = signOf(negative, spec);
  const upper = /[A-Z]/.test(spec.conversion);
  let out: string;
  if (!Number.isFinite(value)) {
    const word = Number.isNaN(value) ? "nan" : "inf";
    out = assemble(spec, Number.isNaN(value) ? signOf(false, spec) : sign, word, false);
  } else {
    const digits = floatDigits(spec, Math.abs(value));
    const hex = spec.conversion.toLowerCase() === "a";
    out = assemble(spec, hex ? `${sign}0x` : sign, digits, spec.zero);
  }
  return upper ? out.toUpperCase() : out;
}

function floatDigits(spec: Spec, value: number): string {
  const precision = spec.precision < 0 ? 6 : spec.precision;
  switch (spec.conversion.toLowerCase()) {
    case "f":
      return point(fixed(value, precision), spec, precision);
    case "e":
      return exponential(value, precision, spec);
    case "g":
      return general(value, Math.max(precision, 1), spec);
    default:
      return hexadecimal(value, spec);
  }
}

/** The exact decimal expansion of a double, rounded half to even to `places` digits. */
function fixed(value: number, places: number): string {
  const { mantissa, exponent } = decompose(value);
  const scale = 10n ** BigInt(places);
  let digits: bigint;
  if (exponent >= 0) digits = (mantissa << BigInt(exponent)) * scale;
  else {
    const divisor = 1n << BigInt(-exponent);
    const scaled = mantissa * scale;
    digits = scaled / divisor;
    const twice = (scaled % divisor) * 2n;
    if (twice > divisor || (twice === divisor && digits & 1n)) digits++;
  }
  const text = digits.toString().padStart(places + 1, "0");
  return places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
}

/** value = mantissa × 2^exponent, exactly. */
function decompose(value: number): { mantissa: bigint; exponent: number } {
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0) & 0x7fffffffffffffffn;
  const biased = Number(raw >> 52n);
  const fraction = raw & 0xfffffffffffffn;
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | 0x10000000000000n, exponent: biased - 1075 };
}

function point(text: string, spec: Spec, precision: number): string {
  return spec.alternate && precision === 0 ? `${text}.` : text;
}

/** Significant digits and the decimal exponent, rounded to `precision` digits after the first. */
function scientific(value: number, precision: number): { digits: string; exponent: number } {
  if (value === 0) return { digits: "0".repeat(precision + 1), exponent: 0 };
  const { mantissa, exponent } = decompose(value);
  const numerator = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa;
  const denominator = exponent >= 0 ? 1n : 1n << BigInt(-exponent);
  let power = Math.floor(Math.log10(value));
  for (;;) {
    // digits = value × 10^(precision - power), rounded half to even
    const shift = precision - power;
    const n = shift >= 0 ? numerator * 10n ** BigInt(shift) : numerator;
    const d = shift >= 0 ? denominator : denominator * 10n ** BigInt(-shift);
    let q = n / d;
    const twice = (n % d) * 2n;
    if (twice > d || (twice === d && q & 1n)) q++;
    const text = q.toString();
    if (text.length > precision + 1) power++;
    else if (text.length < precision + 1) power--;
    else return { digits: text, exponent: power };
  }
}

function withExponent(exponent: number): string {
  return `e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function exponential(value: number, precision: number, spec: Spec): string {
  const { digits, exponent } = scientific(value, precision);
  const fraction = precision > 0 ? `.${digits.slice(1)}` : spec.alternate ? "." : "";
  return digits[0] + fraction + withExponent(exponent);
}

function general(value: number, precision: number, spec: Spec): string {
  const { digits, exponent } = scientific(value, precision - 1);
  let out: string;
  if (exponent < -4 || exponent >= precision) {
    out = `${digits[0]}.${digits.slice(1)}`;
    if (!spec.alternate) out = out.replace(/\.?0*$/, "");
    return out + withExponent(exponent);
  }
  if (exponent >= 0) out = `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
  else out = `0.${"0".repeat(-exponent - 1)}${digits}`;
  return spec.alternate ? out : out.replace(/\.?0*$/, "");
}

function hexadecimal(value: number, spec: Spec): string {
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  let exponent = Number((raw >> 52n) & 0x7ffn) - 1023;
  let lead = 1n;
  let fraction = raw & 0xfffffffffffffn;
  if (exponent === -1023) {
    lead = 0n;
    exponent = value === 0 ? 0 : -1022;
  }
  let digits = fraction.toString(16).padStart(13, "0");
  if (spec.precision >= 0 && spec.precision < 13) {
    const drop = BigInt(52 - 4 * spec.precision);
    let whole = (lead << 52n) | fraction;
    const half = 1n << (drop - 1n);
    const rest = whole & ((1n << drop) - 1n);
    whole >>= drop;
    if (rest > half || (rest === half && whole & 1n)) whole++;
    lead = whole >> BigInt(4 * spec.precision);
    fraction = whole & ((1n << BigInt(4 * spec.precision)) - 1n);
    digits = spec.precision > 0 ? fraction.toString(16).padStart(spec.precision, "0") : "";
  } else if (spec.precision < 0) digits = digits.replace(/0+$/, "");
  else digits = digits.padEnd(spec.precision, "0");
  const dot = digits !== "" || spec.alternate ? "." : "";
  return `${lead}${dot}${digits}p${exponent < 0 ? "-" : "+"}${Math.abs(exponent)}`;
}
