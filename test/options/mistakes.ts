/** Mistakes that users of other libraries make in their first five minutes. The test beside this writes what each gets. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RMSprop } from "rmsprop-wasm";
import { carriedTensors, load, restore, save, saveChunks, writeFileAtomic } from "rmsprop-wasm/checkpoint";
import { instantiate } from "rmsprop-wasm/core";
import { RMSPropOptimizer, rmsprop } from "rmsprop-wasm/tfjs";

// biome-ignore lint/suspicious/noExplicitAny: no type lets these mistakes pass
type Bad = any;

/** Runs a statement in sloppy code, where JavaScript ignores assignments that can't be made. */
const sloppy = (statement: string) => (o: Bad) => new Function("o", statement)(o);
const make = (params: Bad, options?: Bad) => () => new RMSprop(params, options);

/** Each mistake as it is written, and a program that makes it with a fresh optimizer of `{ w: [2] }`. */
export const MISTAKES: readonly (readonly [mistake: string, program: (o: Bad) => unknown])[] = [
  ["new RMSprop({ w: [0.1, 0.2] })", make({ w: [0.1, 0.2] })],
  ["new RMSprop({ w: 0.5 })", make({ w: 0.5 })],
  ["new RMSprop({ w: [3, , 2] })", make({ w: Array.from({ length: 3 }) })],
  ["new RMSprop({ w: { shape: [3], values: [1, 2] } })", make({ w: { shape: [3], values: [1, 2] } })],
  ["new RMSprop({ w: [[1, 2], [3]] })", make({ w: [[1, 2], [3]] })],
  ["new RMSprop({ w: new Int32Array(2) })", make({ w: new Int32Array(2) })],
  ["new RMSprop({ w: new ArrayBuffer(8) })", make({ w: new ArrayBuffer(8) })],
  ["new RMSprop({ w: new Set([1, 2]) })", make({ w: new Set([1, 2]) })],
  ["new RMSprop({ w: { shape: [2], data: [1, 2] } })", make({ w: { shape: [2], data: [1, 2] } })],
  ["new RMSprop({ params: { w: [2] }, lr: 0.1 })", make({ params: { w: [2] }, lr: 0.1 })],
  ["new RMSprop([784, 10])", make([784, 10])],
  ['new RMSprop(new Map([["w", [2]]]))', make(new Map([["w", [2]]]))],
  ["new RMSprop({ w: [2] }, 0.01)", make({ w: [2] }, 0.01)],
  ["new RMSprop({ w: [2] }, { learningRate: 0.01 })", make({ w: [2] }, { learningRate: 0.01 })],
  ["new RMSprop({ w: [2] }, { stepSize: 0.01 })", make({ w: [2] }, { stepSize: 0.01 })],
  ["new RMSprop({ w: [2] }, { rho: 0.9 })", make({ w: [2] }, { rho: 0.9 })],
  ["new RMSprop({ w: [2] }, { gamma: 0.9 })", make({ w: [2] }, { gamma: 0.9 })],
  ["new RMSprop({ w: [2] }, { decayRate: 0.9 })", make({ w: [2] }, { decayRate: 0.9 })],
  ["new RMSprop({ w: [2] }, { l2: 1e-4 })", make({ w: [2] }, { l2: 1e-4 })],
  ["new RMSprop({ w: [2] }, { schedule: (step) => 0.1 })", make({ w: [2] }, { schedule: () => 0.1 })],
  ["new RMSprop({ w: [2] }, { betas: [0.9, 0.99] })", make({ w: [2] }, { betas: [0.9, 0.99] })],
  ["new RMSprop({ w: [2] }, { lr: 0.01 }, 0.9)", () => new (RMSprop as Bad)({ w: [2] }, { lr: 0.01 }, 0.9)],
  [
    "new RMSprop([{ params: { w: [2] } }, , { params: { v: [2] } }])",
    make([{ params: { w: [2] } }, ...Array.from({ length: 1 }), { params: { v: [2] } }]),
  ],
  ["new RMSprop({ w: [2] }, { ema: { every: 2 } })", make({ w: [2] }, { ema: { every: 2 } })],
  ['new RMSprop({ w: [2] }, { lr: "0.01" })', make({ w: [2] }, { lr: "0.01" })],
  ["new RMSprop({ w: [2] }, { eps: 0 })", make({ w: [2] }, { eps: 0 })],
  ["new RMSprop({ w: [2] }, { nesterov: true })", make({ w: [2] }, { nesterov: true })],
  ["new RMSprop({ w: [2] }, Object.create({ lr: 1 }))", make({ w: [2] }, Object.create({ lr: 1 }))],
  ["optimizer.step([1, 2])", (o) => o.step([1, 2])],
  ["optimizer.step({ w: gradient })", (o) => o.step({ w: new Float32Array(2) })],
  ["optimizer.step(0.5)", (o) => o.step(0.5)],
  ["optimizer.step(null)", (o) => o.step(null)],
  ["optimizer.step({}, 0.5)", (o) => o.step({}, 0.5)],
  ["optimizer.zeroGrad(true)", (o) => o.zeroGrad(true)],
  ['optimizer.stateDict("w")', (o) => o.stateDict("w")],
  [
    "optimizer.loadStateDict(dict, { strict: false })",
    (o) => o.loadStateDict(o.stateDict(), { strict: false }),
  ],
  [
    "optimizer.step({ shard: { rank: 0, worldSize: 2 } })",
    (o) => o.step({ shard: { rank: 0, worldSize: 2 } }),
  ],
  ["optimizer.step({ lr: 0.1 })", (o) => o.step({ lr: 0.1 })],
  ["optimizer.params = { … }", sloppy("o.params = {}")],
  ["optimizer.params.w = values", sloppy("o.params.w = [1, 2]")],
  ["optimizer.grads.w = gradient", sloppy("o.grads.w = [1, 2]")],
  ["optimizer.grads.v = gradient", sloppy("o.grads.v = [1, 2]")],
  ["optimizer.state.w.squareAvg = values", sloppy("o.state.w.squareAvg = [1, 2]")],
  ["optimizer.groups = [ … ]", sloppy("o.groups = []")],
  ["optimizer.groups.lr = 0.1", sloppy("o.groups.lr = 0.1")],
  ["optimizer.learningRate = 0.1", sloppy("o.learningRate = 0.1")],
  ["optimizer.momentum = 0.9", sloppy("o.momentum = 0.9")],
  ["optimizer.threads = 4", sloppy("o.threads = 4")],
  ["optimizer.epoch = 1", sloppy("o.epoch = 1")],
  ["optimizer.zeroGrad = true; optimizer.step()", sloppy("o.zeroGrad = true; o.step()")],
  ["optimizer.ema.w = values, without ema", sloppy("o.ema.w = [1, 2]")],
  ["optimizer.steps = 0", sloppy("o.steps = 0")],
  ["optimizer.lr = -1", sloppy("o.lr = -1")],
  [
    "optimizer.lr, of groups with rates of their own",
    () => new RMSprop([{ params: { a: [1] } }, { params: { b: [1] }, lr: 1 }]).lr,
  ],
  [
    "lr: () => optimizer.step()",
    (o) => {
      o.lr = () => o.step();
      o.step();
    },
  ],
  [
    "lr: async (step) => 0.1",
    (o) => {
      o.lr = async () => 0.1;
      o.step();
    },
  ],
  ["optimizer.swapEma(), without ema", (o) => o.swapEma()],
  ["JSON.stringify(optimizer)", (o) => JSON.stringify(o)],
  ["JSON.stringify(optimizer.stateDict())", (o) => JSON.stringify(o.stateDict())],
  [
    "optimizer.loadStateDict(…), a number for an array",
    (o) => {
      const { tensors, ...dict } = o.stateDict();
      o.loadStateDict({ ...dict, tensors: { w: { ...tensors.w, squareAvg: 0 } } });
    },
  ],
  ["optimizer.loadStateDict({})", (o) => o.loadStateDict({})],
  ["optimizer.loadStateDict(save(optimizer))", (o) => o.loadStateDict(save(o))],
  ["RMSprop.attach(optimizer)", (o) => RMSprop.attach(o)],
  [
    "RMSprop.attach(handle, { learningRate: 1 })",
    () => RMSprop.attach({} as Bad, { learningRate: 1 } as Bad),
  ],
  ["RMSprop.attach(handle, { threads: 2 })", () => RMSprop.attach({} as Bad, { threads: 2 } as Bad)],
  [
    "RMSprop.attach(JSON.parse(JSON.stringify(handle)))",
    () => {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
      const { handle } = new RMSprop({ w: [2] }, { memory });
      RMSprop.attach(JSON.parse(JSON.stringify(handle)));
    },
  ],
  [
    "optimizer.step(), after dispose()",
    (o) => {
      o.dispose();
      o.step();
    },
  ],
  [
    "optimizer.step(), after optimizer.memory.grow(1)",
    (o) => {
      o.grads.w.fill(1);
      o.step();
      o.memory.grow(1);
      o.step();
    },
  ],
  ['load("run.safetensors")', () => load("run.safetensors" as Bad)],
  ['save(optimizer, "run.safetensors")', (o) => (save as Bad)(o, "run.safetensors")],
  ['saveChunks(optimizer, "run.safetensors")', (o) => [...(saveChunks as Bad)(o, "run.safetensors")]],
  ['load(bytes, {}, "f64")', (o) => load(save(o), {}, "f64" as Bad)],
  ["load(bytes, {}, new RMSprop({ w: [2] }))", (o) => load(save(o), {}, o)],
  ["writeFileAtomic(optimizer, path)", (o) => writeFileAtomic(o, "run.safetensors")],
  ["writeFileAtomic(path, optimizer)", (o) => writeFileAtomic(join(tmpdir(), "run.safetensors"), o)],
  ["writeFileAtomic(path, [1, 2])", () => writeFileAtomic(join(tmpdir(), "run.safetensors"), [1, 2] as Bad)],
  [
    "writeFileAtomic(path, bytes, { mode: 0o600 })",
    (o) => (writeFileAtomic as Bad)(join(tmpdir(), "run.safetensors"), save(o), { mode: 0o600 }),
  ],
  ["restore(optimizer, bytes, { lr: 0.1 })", (o) => (restore as Bad)(o, save(o), { lr: 0.1 })],
  ["carriedTensors(optimizer.stateDict())", (o) => carriedTensors(o.stateDict())],
  ["load(zip), of torch.save", () => load(Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 8))],
  ["load(new Uint8Array(4))", () => load(new Uint8Array(4))],
  [
    "restore of another model's file",
    (o) => o.loadStateDict(load(save(new RMSprop({ v: [3] }))).stateDict()),
  ],
  [
    "core.update(tensor, { learningRate: 1 })",
    () =>
      instantiate(new WebAssembly.Memory({ initial: 1 })).update(
        { param: 1024, grad: 2048, squareAvg: 4096, count: 4 },
        { learningRate: 1 } as Bad,
      ),
  ],
  [
    "instantiate(memory, { lr: 1 })",
    () => (instantiate as Bad)(new WebAssembly.Memory({ initial: 1 }), { lr: 1 }),
  ],
  ["rmsprop(0.01), of rmsprop-wasm/tfjs", () => rmsprop(0.01 as Bad)],
  ["rmsprop(0.01, 0.9, 0.5, null, true)", () => (rmsprop as Bad)(0.01, 0.9, 0.5, null, true)],
  ["rmsprop({ lr: 0.01 }, 0.9)", () => (rmsprop as Bad)({ lr: 0.01 }, 0.9)],
  ["rmsprop().momentum = 0.9", () => Object.assign(rmsprop(), { momentum: 0.9 })],
  ["RMSPropOptimizer.fromConfig(config)", () => (RMSPropOptimizer as Bad).fromConfig({ momentum: 0.9 })],
];
