/** The digest of `program.js`, in every cell and on every backend. Other bits are a breaking change. */
export const DIGEST = "49ea89747b0b4b1b";
