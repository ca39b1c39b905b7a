/** Numbers as people read them: a few digits, and no more zeros than one can count. */
export function short(value: number, digits = 2): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value < 0 ? "−∞" : "∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-4) return scientific(value, digits);
  return String(Number(value.toPrecision(size >= 1000 ? 4 : digits))).replace("-", "−");
}

function scientific(value: number, digits: number): string {
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e") as [string, string];
  const raised = exponent
    .replace("+", "")
    .replace(/[-\d]/g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]!);
  return `${Number(mantissa) === 1 ? "" : `${Number(mantissa)}·`}10${raised}`.replace(/^-/, "−");
}

export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;

/** The next numbers of one digit below and above: where a logarithmic axis may begin and end. */
export function roundedOut(least: number, greatest: number): [number, number] {
  const toOneDigit = (value: number, round: (digit: number) => number) => {
    const power = 10 ** Math.floor(Math.log10(value));
    return Number((round(value / power) * power).toPrecision(1));
  };
  const [low, high] = [toOneDigit(least, Math.floor), toOneDigit(greatest, Math.ceil)];
  return [low, high > low ? high : 2 * low];
}
