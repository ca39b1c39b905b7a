/** Scales of sliders: from positions to values and back. */
import { short } from "./numbers.ts";

/** Rounds to two digits: nobody could tell the values between apart. */
const rounded = (value: number) => Number(value.toPrecision(2));

/** A scale of powers of ten. */
export const byPower = {
  toValue: (position: number) => rounded(10 ** position),
  toPosition: (value: number) => Math.log10(value),
  format: (value: number) => short(value),
};

/** A decay below 1, by how many powers of ten it is away from 1. */
export const decay = {
  toValue: (position: number) => (position === 0 ? 0 : Number((1 - rounded(10 ** -position)).toPrecision(4))),
  toPosition: (value: number) => -Math.log10(1 - value),
  format: (value: number) => String(value),
};

export const plain = {
  toValue: (position: number) => position,
  toPosition: (value: number) => value,
  format: (value: number) => String(value),
};
