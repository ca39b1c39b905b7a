/** The file of an optimizer, and the same with changes: of its header, its metadata or its counts of steps. */
import { RMSprop } from "rmsprop-wasm";
import { save } from "rmsprop-wasm/checkpoint";
import { train } from "./runs.ts";
import { split, withHeader } from "./tensor-files.ts";

// biome-ignore lint/suspicious/noExplicitAny: malformed headers are what these files are about
export type Bad = any;

export const make = () => {
  const optimizer = new RMSprop([{ params: { w: [2, 3], b: [2] }, momentum: 0.9 }, { params: { c: [1] } }], {
    ema: { decay: 0.5 },
  });
  train(optimizer, 0, 3);
  return optimizer;
};
export const file = Buffer.from(save(make()));
export const { json, data } = split(file);

/** The file with another header, the same tensors behind it. */
export const changed = (change: (header: Bad) => unknown) => {
  const header = JSON.parse(json);
  return withHeader(JSON.stringify(change(header) ?? header), data);
};

/** The file with another value in its metadata. */
export const annotated = (key: string, text: string) =>
  changed((header) => {
    header.__metadata__[key] = text;
  });

/** The file with other data of this package in its metadata. */
export const owned = (change: (own: Bad) => unknown) =>
  changed(({ __metadata__: metadata }) => {
    const own = JSON.parse(metadata["rmsprop-wasm"]);
    metadata["rmsprop-wasm"] = JSON.stringify(change(own) ?? own);
  });

/** The file with other fields of a tensor. */
export const entry = (name: string, fields: object) =>
  changed((header) => {
    Object.assign(header[name], fields);
  });

/** The file with other counts of steps. */
export const withSteps = (names: string[], steps: number) => {
  const copy = Buffer.from(file);
  for (const name of names) {
    const [begin] = JSON.parse(json)[`state.${name}.step`].data_offsets;
    copy.writeFloatLE(steps, file.length - data.length + begin);
  }
  return copy;
};

/** The file with another length of its header. */
export const length = (bytes: bigint) => {
  const copy = Buffer.from(file);
  copy.writeBigUInt64LE(bytes, 0);
  return copy;
};

/** The file with a header of other text. */
export const text = (change: (json: string) => string) => withHeader(change(json), data);
