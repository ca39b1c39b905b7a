import { plainRmsprop, simpleRmsprop } from "../../tools/plain-loops.ts";
import type { Runner, Way } from "../way.ts";
import { timing } from "../way.ts";
import { arrayOf, basis, bytesPerElement, countOf, initialSquareAvg, inputsOf, type Work } from "../work.ts";

export const isPlain = (work: Work) => work.variant === "plain";

export const plain: Way = {
  name: "plain",
  title: "JavaScript loop, two elements a division",
  formula: "pytorch",
  supports: isPlain,
  prepare: (work) => prepareLoop(work, plainRmsprop),
};

export const simple: Way = {
  name: "simple",
  title: "simple JavaScript loop",
  formula: "pytorch",
  supports: isPlain,
  prepare: (work) => prepareLoop(work, simpleRmsprop),
};

export type Loop = typeof plainRmsprop;

export function prepareLoop(work: Work, update: Loop): Runner {
  const inputs = inputsOf(work);
  const Elements = arrayOf(work);
  const tensors = Array.from({ length: work.tensors }, (_, i) => ({
    start: i * work.size,
    param: new Elements(work.size),
    grad: inputs.grad.slice(i * work.size, (i + 1) * work.size),
    squareAvg: new Elements(work.size),
  }));
  return {
    reset() {
      for (const { start, param, squareAvg } of tensors) {
        param.set(inputs.param.subarray(start, start + work.size));
        squareAvg.fill(initialSquareAvg[work.state]);
      }
    },
    time: timing(() => {
      for (const { param, grad, squareAvg } of tensors) update(param, grad, squareAvg, basis);
    }),
    read() {
      const all = new Elements(countOf(work));
      for (const { start, param } of tensors) all.set(param, start);
      return all;
    },
    dispose() {
      tensors.length = 0;
    },
  };
}

/**
 * A copy of as many bytes as a step must move, half of them read and half written. Beyond the caches it is no roof: most
 * processors read the bytes that a copy overwrites too. `streams` measures the roof.
 */
export const copy: Way = {
  name: "copy",
  title: "a copy of as many bytes",
  supports: (work) => work.tensors === 1,
  prepare(work) {
    const bytes = (countOf(work) * bytesPerElement(work)) / 2;
    const source = new Uint8Array(bytes).fill(1);
    const target = new Uint8Array(bytes);
    return {
      reset() {},
      time: timing(() => target.set(source)),
      read: () => new Float32Array(target.buffer.slice(0, countOf(work) * 4)),
      dispose() {},
    };
  },
};
