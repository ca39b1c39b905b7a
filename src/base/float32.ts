/** The limits of float32. */
export const SMALLEST_DENORMAL = 2 ** -149;
export const SMALLEST_NORMAL = 2 ** -126;
export const LARGEST_FINITE = (2 - 2 ** -23) * 2 ** 127;
