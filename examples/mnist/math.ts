/**
 * The exponential function, with the same bits everywhere.
 *
 * ECMAScript leaves the last bits of Math.exp to each engine, so weights trained through it would differ from
 * one engine to the next. This one uses only + − × ÷ and rounding to an integer, which are exactly specified:
 *
 *     exp(x) = 2^k · exp(r)    with x = k·ln 2 + r and |r| ≤ ln 2 / 2
 *
 * From −708 to 709 its error is below 1.5 units in the last place (of which half a unit is unavoidable). Below
 * that range it gives 0, above it Infinity.
 */
export function exp(x: number): number {
  if (x < LOWEST) return 0;
  if (x > HIGHEST) return Number.POSITIVE_INFINITY;
  if (Number.isNaN(x)) return x;

  const k = Math.round(x / Math.LN2);
  const r = x - k * LN2_HIGH - k * LN2_LOW;

  // The Taylor series 1 + r/1·(1 + r/2·(1 + r/3·( … ))): its first omitted term is below 2^−57.
  let series = 1;
  for (let n = TERMS; n > 0; n--) series = 1 + (r * series) / n;
  return series * POWERS_OF_TWO[k - LEAST_POWER]!;
}

const LOWEST = -708;
const HIGHEST = 709;
const TERMS = 13;

// ln 2 in two parts. The first ends in enough zero bits that k · LN2_HIGH has no rounding error.
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

// Doubling and halving are exact; 2 ** k is as loosely specified as Math.exp.
const LEAST_POWER = -1022;
const POWERS_OF_TWO = new Float64Array(2046);
POWERS_OF_TWO[-LEAST_POWER] = 1;
for (let i = -LEAST_POWER; i > 0; i--) POWERS_OF_TWO[i - 1] = POWERS_OF_TWO[i]! / 2;
for (let i = -LEAST_POWER; i < 2045; i++) POWERS_OF_TWO[i + 1] = POWERS_OF_TWO[i]! * 2;
