/** The digest of `program.js`, in every cell and on every backend. Other bits are a breaking change. */
export const DIGEST = "e498b73fd633df80";
