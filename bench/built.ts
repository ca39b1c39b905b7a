/** The built package, which is what people install. By its own name, tsx would take the sources instead. */
type Package = typeof import("rmsprop-wasm");
type OfFloat64 = typeof import("rmsprop-wasm/f64");
type Core = typeof import("rmsprop-wasm/core");
type Checkpoint = typeof import("rmsprop-wasm/checkpoint");

export const dist = new URL("../dist/", import.meta.url);

export const { RMSprop }: Package = await import(new URL("index.js", dist).href);
export const { RMSprop: RMSpropOfFloat64 }: OfFloat64 = await import(new URL("f64.js", dist).href);
export const { instantiate }: Core = await import(new URL("core.js", dist).href);
export const { load, restore, save }: Checkpoint = await import(new URL("checkpoint.js", dist).href);
