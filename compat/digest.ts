/** The digest of `program.js`, in every cell and on every backend. Other bits are a breaking change. */
export const DIGEST = "0fab608a73c0a6e9";
