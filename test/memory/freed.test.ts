/** Memories that end: `dispose` lets go of them, though its caller holds on to the optimizer or a part of it. */
import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { ENTRIES } from "../support/entries.ts";
import { collectGarbage } from "../support/garbage.ts";

it.each(ENTRIES)(
  "$entry frees the memory once disposed of, whatever of it is still held",
  async ({ make }) => {
    const collected = new Set<string>();
    const registry = new FinalizationRegistry<string>((name) => collected.add(name));
    const held = (["optimizer", "params", "grads", "state", "ema", "groups"] as const).map((name) => {
      const optimizer = make({ w: [1000, 2] }, { ema: { decay: 0.9 } });
      registry.register(optimizer.memory, name);
      optimizer.grads.w.fill(1);
      optimizer.step();
      optimizer.step({ rows: { w: [1] } });
      optimizer.report();
      optimizer.groups[0].momentum = 0.5;
      optimizer.dispose();
      return name === "optimizer" ? optimizer : optimizer[name];
    });
    for (let i = 0; i < 50 && collected.size < held.length; i++) {
      collectGarbage();
      await setTimeout(10);
    }
    expect([...collected].sort()).toEqual(["ema", "grads", "groups", "optimizer", "params", "state"]);
    expect(held).toHaveLength(6);
  },
);
