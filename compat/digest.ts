/** The digest of `program.js`, in every cell and on every backend. Other bits are a breaking change. */
export const DIGEST = "49ea89747b0b4b1b";

/** The digest of `program.js` over float64. */
export const DIGEST_OF_FLOAT64 = "03f4f2815f11fe0e";
